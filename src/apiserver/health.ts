// Health: `/healthz`, `/livez` and `/readyz`, their single checks, and what they tell in Kubernetes' form.
import type { ApiResponse } from "./port.ts";
import { pageNotFound, textResponse } from "./responses.ts";

/** Looks whether something works; rejects when it does not. Why is not told. */
export type HealthCheck = () => Promise<unknown>;

export const HEALTH_PATHS = ["/healthz", "/livez", "/readyz"] as const;

/** Checks by name, in the order in which they are told. */
export interface HealthChecks {
  readonly live: Readonly<Record<string, HealthCheck>>;
  /** What must be beside, before clients are let in. */
  readonly ready: Readonly<Record<string, HealthCheck>>;
}

const plainText = (status: number, body: string): ApiResponse => {
  const response = textResponse(status, body);
  const { "x-content-type-options": _, ...headers } = response.headers;
  return { ...response, headers };
};

async function passes(check: HealthCheck): Promise<boolean> {
  try {
    await check();
    return true;
  } catch {
    return false;
  }
}

async function all(name: string, checks: Readonly<Record<string, HealthCheck>>, query: URLSearchParams): Promise<ApiResponse> {
  const excluded = new Set(query.getAll("exclude").filter((text) => text !== ""));
  const lines: string[] = [];
  let failed = false;
  for (const [check, run] of Object.entries(checks)) {
    if (excluded.delete(check)) lines.push(`[+]${check} excluded: ok`);
    else if (await passes(run)) lines.push(`[+]${check} ok`);
    else {
      failed = true;
      lines.push(`[-]${check} failed: reason withheld`);
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].sort().map((text) => JSON.stringify(text));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(", ")}`);
  }
  const told = `${lines.join("\n")}\n${name} check ${failed ? "failed" : "passed"}\n`;
  if (failed) return textResponse(500, told);
  return textResponse(200, query.has("verbose") ? told : "ok");
}

async function single(run: HealthCheck | undefined): Promise<ApiResponse> {
  if (run === undefined) return pageNotFound();
  return (await passes(run)) ? plainText(200, "ok") : textResponse(500, "internal server error: reason withheld\n");
}

/** Undefined for a path of no health check. Any method will do, as at Kubernetes' server. */
export async function healthAnswer(checks: HealthChecks, path: string, query: URLSearchParams): Promise<ApiResponse | undefined> {
  const root = HEALTH_PATHS.find((one) => path === one || path.startsWith(`${one}/`));
  if (root === undefined) return undefined;
  const run = root === "/readyz" ? { ...checks.live, ...checks.ready } : checks.live;
  if (path === root) return all(root.slice(1), run, query);
  const name = path.slice(root.length + 1);
  return single(Object.hasOwn(run, name) ? run[name] : undefined);
}
