// `npm start`: the platform, a sample Service, a short report, and on until Ctrl-C. Arguments go to `eider up`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

interface State {
  readonly api: string;
  readonly http: string;
  readonly kubeconfig: string;
  readonly readyMs: number;
}

const cli = [...process.execArgv, fileURLToPath(import.meta.resolve("#entry/cli"))];
const sample = resolve(import.meta.dirname, "../samples/autoscale");
const NAME = "autoscale";

/** Aborted by Ctrl-C: what fails from then on is no failure. */
const ending = new AbortController();

async function eider(...args: readonly string[]): Promise<void> {
  const run = spawn(process.execPath, [...cli, ...args], { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = (await once(run, "exit")) as [number | null];
  if (code !== 0) throw new Error(`eider ${args.join(" ")} failed`);
}

/** Milliseconds to the whole answer of one request by the Service's host name. */
async function timed(state: State, url: string): Promise<{ readonly ms: number; readonly status: number }> {
  const from = performance.now();
  const response = await new Promise<import("node:http").IncomingMessage>((done, fail) => {
    get(state.http, { headers: { Host: new URL(url).host }, agent: false }, done).once("error", fail);
  });
  response.resume();
  await once(response, "end");
  return { ms: performance.now() - from, status: response.statusCode ?? 0 };
}

async function deploySample(state: State): Promise<string> {
  const data = join(state.kubeconfig, "..");
  // The sample shows a request from zero, so it starts there; Knative asks the cluster to allow that.
  const { createClient, createHttpTransport, loadKubeconfigFile } = await import("#client");
  const { ConfigMap, Service, SYSTEM_NAMESPACE } = await import("#kinds");
  const { silentLogger } = await import("#core");
  const { systemClock } = await import("#host");
  const transport = createHttpTransport({ ...(await loadKubeconfigFile(state.kubeconfig)), clock: systemClock, logger: silentLogger, userAgent: "npm-start" });
  const client = createClient(transport);
  const body = { data: { "allow-zero-initial-scale": "true" } };
  await client.patch(ConfigMap, { namespace: SYSTEM_NAMESPACE, name: "config-autoscaler" }, { type: "application/merge-patch+json", body });
  await eider("build", sample, "--image", `dev.local/${NAME}`, "--data", data);
  await eider("service", "create", NAME, "--image", `dev.local/${NAME}`, "--scale-init", "0", "--force", "--data", data);
  const service = await client.get(Service, "default", NAME);
  transport.close();
  return service.status?.url ?? "";
}

async function report(state: State): Promise<void> {
  const from = performance.now();
  const url = await deploySample(state);
  const deployedMs = performance.now() - from;
  const cold = await timed(state, url);
  const warm = await timed(state, url);
  console.log(
    [
      "",
      `ready          ${(state.readyMs / 1000).toFixed(2)} s after the start`,
      `deployed       ${(deployedMs / 1000).toFixed(2)} s later (build of samples/${NAME}, Service created and ready)`,
      `URL            ${url}`,
      `cold request   ${cold.ms.toFixed(0)} ms, status ${cold.status} (from zero: decide, start the process, answer)`,
      `warm request   ${warm.ms.toFixed(1)} ms, status ${warm.status}`,
      "",
      `Try it:  curl -H 'Host: ${new URL(url).hostname}' '${state.http}/?sleep=100&prime=10000'`,
      `         KUBECONFIG=${state.kubeconfig} kubectl get ksvc`,
      "Ctrl-C ends the platform and its pods.",
    ].join("\n"),
  );
}

const platform = spawn(process.execPath, [...cli, "up", "-o", "json", ...process.argv.slice(2)], { stdio: ["ignore", "pipe", "inherit"] });
// A Ctrl-C of the terminal reaches the platform, too; here it only must not end the wait for it.
process.on("SIGINT", () => ending.abort());
process.on("SIGTERM", () => {
  ending.abort();
  platform.kill("SIGTERM");
});
const ended = once(platform, "exit") as Promise<[code: number | null]>;
createInterface({ input: platform.stdout }).once("line", (line) => {
  report(JSON.parse(line) as State).catch((error: unknown) => {
    if (ending.signal.aborted) return;
    console.error(`Error: ${(error as Error).message}`);
    process.exitCode = 1;
    platform.kill("SIGTERM");
  });
});
const [code] = await ended;
process.exitCode ??= code ?? 1;
