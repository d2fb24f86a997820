// The token that a page ends with: where the next one starts and which state it shows. Opaque to clients, and as Kubernetes' own.
import { badRequest } from "#core";

const VERSION = "meta.k8s.io/v1";

/** A token's revision when the rest is to be read as it is now. */
export const NEWEST = -1;

export interface Continuation {
  /** Of the first page; negative: whatever is newest. */
  readonly revision: number;
  /** The last key of the page before, without the prefix of the list. */
  readonly after: string;
}

export function writeContinue({ revision, after }: Continuation): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start: `${after}\u0000` })).toString("base64url");
}

function refuse(why: string): never {
  throw badRequest(`invalid continue token: continue key is not valid: ${why}`);
}

function bytesOf(token: string): Buffer {
  const wrong = token.search(/[^\w-]/);
  if (wrong >= 0 || token.length % 4 === 1) refuse(`illegal base64 data at input byte ${wrong >= 0 ? wrong : token.length - 1}`);
  return Buffer.from(token, "base64url");
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch {
    const first = bytes.toString("latin1").trimStart()[0];
    if (first === undefined || /[[{"\dtfn-]/.test(first)) return refuse("unexpected end of JSON input");
    return refuse(`invalid character '${first === "'" ? "\\'" : first}' looking for beginning of value`);
  }
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return `number${Number.isInteger(value) ? "" : ` ${value}`}`;
  return typeof value === "boolean" ? "bool" : typeof value;
}

function member(json: object, name: "v" | "rv" | "start", type: "string" | "int64"): string | number | undefined {
  const value = (json as Record<string, unknown>)[name] ?? undefined;
  const fits = type === "string" ? typeof value === "string" : Number.isSafeInteger(value);
  if (value !== undefined && !fits) refuse(`json: cannot unmarshal ${typeOf(value)} into Go struct field continueToken.${name} of type ${type}`);
  return value as string | number | undefined;
}

/** Throws BadRequest, in Kubernetes' words, for what is no token. */
export function readContinue(token: string): Continuation {
  const json = parsed(bytesOf(token)) ?? {};
  if (typeof json !== "object" || Array.isArray(json)) refuse(`json: cannot unmarshal ${typeOf(json)} into Go value of type storage.continueToken`);
  const version = member(json, "v", "string") ?? "";
  const revision = Number(member(json, "rv", "int64") ?? 0);
  const start = String(member(json, "start", "string") ?? "");
  if (version !== VERSION) refuse(`server does not recognize this encoded version ${version}`);
  if (revision === 0) refuse(`incorrect encoded start resourceVersion (version ${VERSION})`);
  if (start === "") refuse(`encoded start key empty (version ${VERSION})`);
  const path = start.startsWith("/") ? start.slice(1) : start;
  if (path !== "" && path.split("/").some((part) => part === "" || part === "." || part === "..")) refuse(start);
  return { revision, after: path.endsWith("\0") ? path.slice(0, -1) : path };
}
