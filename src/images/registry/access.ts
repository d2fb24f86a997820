// Who may use the registry, when that is asked for: a name and a password with each request, or a token that they were exchanged for.
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { RegistryError } from "./registry-error.ts";
import type { RegistryPath } from "./registry-path.ts";

export interface Access {
  readonly kind: "basic" | "token";
  readonly user: string;
  readonly password: string;
  readonly wallMs: () => number;
}

/** As long as Docker's own. */
const TOKEN_MS = 300_000;
const SERVICE = "eider";
const SCOPES_MAX = 50;
const SCOPE_LENGTH_MAX = 600;

interface Token {
  readonly untilMs: number;
  /** `repository:team/app:pull,push` */
  readonly scopes: readonly string[];
}

/** Throws RegistryError 401 with the challenge that says how to come in. */
export function mustBeAllowed(request: IncomingMessage, target: RegistryPath, access: Access): void {
  if (hasPassword(request, access)) return;
  const needed = neededScope(target, request.method ?? "GET");
  const bearer = /^bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const token = bearer === undefined || access.kind === "basic" ? undefined : tokenOf(bearer, access);
  if (token !== undefined && (needed === undefined || token.scopes.some((scope) => covers(scope, needed)))) return;
  throw new RegistryError(401, "UNAUTHORIZED", "authentication required", { headers: { "www-authenticate": challenge(request, access, needed) } });
}

/** The token endpoint: a name and a password for a token. Throws RegistryError 401. */
export function issueToken(request: IncomingMessage, query: URLSearchParams, access: Access): { readonly token: string; readonly expires_in: number } {
  if (!hasPassword(request, access))
    throw new RegistryError(401, "UNAUTHORIZED", "wrong name or password", { headers: { "www-authenticate": `Basic realm="${SERVICE}"` } });
  const scopes = query
    .getAll("scope")
    .flatMap((each) => each.split(" "))
    .filter((scope) => scope !== "" && scope.length <= SCOPE_LENGTH_MAX);
  const payload: Token = { untilMs: access.wallMs() + TOKEN_MS, scopes: scopes.slice(0, SCOPES_MAX) };
  const text = Buffer.from(JSON.stringify(payload)).toString("base64url");
  return { token: `${text}.${signature(text, access)}`, expires_in: TOKEN_MS / 1000 };
}

function hasPassword(request: IncomingMessage, { user, password }: Access): boolean {
  const encoded = /^basic (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (encoded === undefined) return false;
  return same(Buffer.from(encoded, "base64").toString("utf8"), `${user}:${password}`);
}

function tokenOf(text: string, access: Access): Token | undefined {
  const [payload = "", signed = ""] = text.split(".");
  if (!same(signed, signature(payload, access))) return undefined;
  const token = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Token;
  return token.untilMs > access.wallMs() ? token : undefined;
}

function signature(payload: string, { user, password }: Access): string {
  return createHmac("sha256", `${user}:${password}`).update(payload).digest("base64url");
}

function same(a: string, b: string): boolean {
  return timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
}

interface Needed {
  readonly resource: string;
  readonly action: "pull" | "push" | "delete" | "*";
}

function neededScope(target: RegistryPath, method: string): Needed | undefined {
  if (target.of === "base") return undefined;
  if (target.of === "catalog") return { resource: "registry:catalog", action: "*" };
  const reads = method === "GET" || method === "HEAD";
  return { resource: `repository:${target.repository}`, action: reads ? "pull" : method === "DELETE" ? "delete" : "push" };
}

/** Clients ask for `push`, `delete` or `*` where something goes. */
function covers(scope: string, { resource, action }: Needed): boolean {
  if (!scope.startsWith(`${resource}:`)) return false;
  const actions = scope.slice(resource.length + 1).split(",");
  return actions.includes("*") || actions.includes(action) || (action === "delete" && actions.includes("push"));
}

function challenge(request: IncomingMessage, { kind }: Access, needed: Needed | undefined): string {
  if (kind === "basic") return `Basic realm="${SERVICE}"`;
  const scope = needed === undefined ? "" : `,scope="${needed.resource}:${needed.action === "push" ? "pull,push" : needed.action}"`;
  return `Bearer realm="http://${request.headers.host ?? "localhost"}/token",service="${SERVICE}"${scope}`;
}
