// Credentials for registries as Docker writes them, and which of them fit an image by Kubernetes' rules. Pure.
import type { ImageName } from "../image-name.ts";

/** How somebody shows a registry who he is. With an identity token a token service is asked, a registry token is sent as it is. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/** Credentials for whatever fits `key`: a registry, `*.example.com`, `host:5000/team`. */
export interface DockerAuth {
  readonly key: string;
  readonly credentials: Credentials;
}

export interface DockerConfig {
  /** The most specific key comes first. */
  readonly auths: readonly DockerAuth[];
  /** Names of helper programs (`docker-credential-NAME`) by registry. */
  readonly helpers: Readonly<Record<string, string>>;
  /** The helper for every registry that has none of its own. */
  readonly store: string | undefined;
}

/** A Secret as far as it holds credentials. */
export interface PullSecret {
  readonly type?: string | undefined;
  /** Base64 by key. */
  readonly data?: Readonly<Record<string, string>> | undefined;
}

const EMPTY: DockerConfig = { auths: [], helpers: {}, store: undefined };
const AUTHS_MAX = 10_000;
export const DOCKER_HUB = "index.docker.io";
/** What people call Docker's registry; all mean the same. */
const HUB_NAMES: readonly string[] = [DOCKER_HUB, "docker.io", "registry-1.docker.io"];

interface RawAuth {
  readonly auth?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly identitytoken?: unknown;
  readonly registrytoken?: unknown;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function credentialsFrom(raw: RawAuth): Credentials | undefined {
  const decoded = Buffer.from(text(raw.auth), "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  const username = colon < 0 ? text(raw.username) : decoded.slice(0, colon);
  const password = colon < 0 ? text(raw.password) : decoded.slice(colon + 1);
  const identityToken = text(raw.identitytoken);
  const registryToken = text(raw.registrytoken);
  if (username === "" && password === "" && identityToken === "" && registryToken === "") return undefined;
  return { username, password, ...(identityToken === "" ? {} : { identityToken }), ...(registryToken === "" ? {} : { registryToken }) };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function authsFrom(value: unknown): DockerAuth[] {
  const auths = Object.entries(objectOf(value))
    .slice(0, AUTHS_MAX)
    .flatMap(([key, raw]) => {
      const credentials = credentialsFrom(objectOf(raw));
      return credentials === undefined ? [] : [{ key: keyFrom(key), credentials }];
    });
  // Longer keys are narrower: `host/team` goes before `host`.
  return auths.toSorted((a, b) => b.key.length - a.key.length || (a.key < b.key ? -1 : 1));
}

/** Without scheme, and without the path of an API version: `https://index.docker.io/v1/` is `index.docker.io`. */
function keyFrom(key: string): string {
  const bare = key.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  const slash = bare.indexOf("/");
  const path = slash < 0 ? "" : bare.slice(slash);
  return /^\/v[12](?:\/|$)/.test(path) ? bare.slice(0, slash) : bare;
}

/** A file `config.json` or `auth.json`, or the data of a Secret with them. Throws SyntaxError for what is not JSON. */
export function parseDockerConfig(json: string): DockerConfig {
  const config = objectOf(JSON.parse(json));
  const helpers = Object.entries(objectOf(config["credHelpers"])).flatMap(([key, name]) => (text(name) === "" ? [] : [[keyFrom(key), text(name)] as const]));
  const store = text(config["credsStore"]);
  return { auths: authsFrom(config["auths"]), helpers: Object.fromEntries(helpers), store: store === "" ? undefined : store };
}

/** The credentials of a Secret of the types `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg`; none for other types and for damaged ones. */
export function secretAuths({ type, data }: PullSecret): readonly DockerAuth[] {
  const decoded = (key: string): string => Buffer.from(data?.[key] ?? "", "base64").toString("utf8");
  try {
    if (type === "kubernetes.io/dockerconfigjson") return parseDockerConfig(decoded(".dockerconfigjson")).auths;
    if (type === "kubernetes.io/dockercfg") return authsFrom(JSON.parse(decoded(".dockercfg")));
  } catch {
    return EMPTY.auths;
  }
  return EMPTY.auths;
}

/**
 * Whether a key fits: hosts part by part, each of which may be a pattern (`*`, `?`, `[a-z]`) within its part, ports exactly,
 * paths as prefixes. A key without a host part of its own is Docker's registry.
 */
export function keyMatches(key: string, { registry, repository }: Pick<ImageName, "registry" | "repository">): boolean {
  const slash = key.indexOf("/");
  const [host, port = ""] = splitPort(slash < 0 ? key : key.slice(0, slash));
  const path = slash < 0 ? "" : key.slice(slash + 1);
  if (path !== "" && !repository.startsWith(path)) return false;
  const names = HUB_NAMES.includes(registry) ? HUB_NAMES : [registry];
  return names.some((name) => {
    const [itsHost, itsPort = ""] = splitPort(name);
    return port === itsPort && hostMatches(host, itsHost);
  });
}

function splitPort(authority: string): [host: string, port?: string] {
  const found = /^(.*):(\d+)$/.exec(authority);
  return found === null ? [authority] : [found[1] ?? "", found[2] ?? ""];
}

function hostMatches(pattern: string, host: string): boolean {
  // An IPv6 address looks like a pattern.
  if (pattern.toLowerCase() === host.toLowerCase()) return true;
  const patterns = pattern.toLowerCase().split(".");
  const parts = host.toLowerCase().split(".");
  return patterns.length === parts.length && patterns.every((each, index) => partMatches(each, parts[index] ?? ""));
}

/** One label of a host name against a pattern; without backtracking over more than one star at a time. */
function partMatches(pattern: string, part: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < part.length;) {
    const one = oneAt(pattern, at);
    if (pattern[at] === "*") {
      star = at++;
      resume = index;
    } else if (one?.matches(part[index] ?? "") === true) {
      at = one.next;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** What stands for one character at `at`; undefined at the end, and for a class that is not closed. */
function oneAt(pattern: string, at: number): { readonly next: number; readonly matches: (character: string) => boolean } | undefined {
  const first = pattern[at];
  if (first === undefined || first === "*") return undefined;
  if (first === "?") return { next: at + 1, matches: () => true };
  if (first !== "[") return { next: at + 1, matches: (character) => character === first };
  const end = pattern.indexOf("]", at + 2);
  if (end < 0) return undefined;
  const negated = pattern[at + 1] === "^" || pattern[at + 1] === "!";
  const ranges = [...pattern.slice(at + (negated ? 2 : 1), end).matchAll(/(.)-(.)|(.)/g)];
  const holds = (character: string): boolean =>
    ranges.some(([, low, high, only]) => (only === undefined ? character >= (low ?? "") && character <= (high ?? "") : character === only));
  return { next: end + 1, matches: (character) => holds(character) !== negated };
}

/** All that fit, the most specific first; each once. */
export function fitting(auths: readonly DockerAuth[], name: Pick<ImageName, "registry" | "repository">): Credentials[] {
  return auths.filter(({ key }) => keyMatches(key, name)).map(({ credentials }) => credentials);
}

/** The helper program for a registry, by its own name or any of Docker's. */
export function helperFor({ helpers, store }: DockerConfig, registry: string): string | undefined {
  const names = HUB_NAMES.includes(registry) ? HUB_NAMES : [registry];
  return names.map((name) => helpers[name]).find((helper) => helper !== undefined) ?? store;
}
