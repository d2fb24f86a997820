// Parsing of a request's head: what routing, framing and forwarding need, and the lines that go on unchanged.
import { framingValues, keepLines, listMembers, parseContentLength, scanFields, TARGET_BYTES_MAX, type HeadFault } from "./head-scan.ts";

/** How a message body ends: by length (0 is none), by chunks, or with the connection. */
export type Framing = number | "chunked" | "close";

/** A valid request head. Strings are latin1: one character an octet. */
export interface RequestHead {
  readonly text: string;
  readonly method: string;
  /** Origin form, or `*`. */
  readonly target: string;
  /** `target` without its query. */
  readonly path: string;
  /** As it goes to the application. */
  readonly authority: string;
  /** For routing: lower case, without port and trailing dot. */
  readonly host: string;
  readonly minor: 0 | 1;
  readonly keepAlive: boolean;
  readonly framing: number | "chunked";
  /** Value of `Upgrade` when the connection asks for one; "" otherwise. */
  readonly upgrade: string;
  /** The client sends the body after a `100 Continue` only. */
  readonly expectsContinue: boolean;
  /** The client said `TE: trailers`. */
  readonly wantsTrailers: boolean;
  readonly fields: readonly number[];
  /** Indexes into `fields` of lines that never go on as they came: hop-by-hop, host, forwarding, probes. */
  readonly dropped: ReadonlySet<number>;
  /** The other lines. */
  readonly kept: string;
  readonly forwardedFor: string;
  readonly forwardedProto: string;
  readonly forwardedHost: string;
  readonly hasForwarded: boolean;
  /** `Knative-Serving-Namespace` and `-Revision`: where another ingress wants the request to go; "" when absent. */
  readonly namespace: string;
  readonly revision: string;
  /** `K-Network-Probe`, "" when absent. */
  readonly probe: string;
  readonly probeHash: string;
}

/** Fields that are looked at, or never passed on. */
const KNOWN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  "k-network-hash",
  "k-network-probe",
  "k-original-host",
  "k-proxy-request",
  "keep-alive",
  "knative-serving-namespace",
  "knative-serving-revision",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

/** Lengths and first letters of the known fields; names of other shapes are never cut out of the text. */
const SHAPES: ReadonlySet<number> = new Set([...KNOWN].map((name) => shapeOf(name.length, name.charCodeAt(0))));

function shapeOf(length: number, first: number): number {
  return (Math.min(length, 31) << 5) | (first & 31);
}

/** Known fields that go on as they came. */
const PASSED: ReadonlySet<string> = new Set(["content-length", "trailer", "transfer-encoding", "forwarded", "x-forwarded-host", "x-forwarded-proto"]);

const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$/;

/** Octets beyond ASCII are no valid target, but many clients send them, and nobody ends a target at one; `#` would begin a fragment. */
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21\x22\x24-\x7e\x80-\xff]+) HTTP\/([0-9])\.([0-9])$/;

const NONE: readonly string[] = [];

interface Seen {
  readonly values: Map<string, string>;
  readonly named: number[];
  /** Known names with `_` for `-`: applications behind CGI-like interfaces cannot tell the two, so these never go on. */
  readonly disguised: number[];
  readonly repeated: Set<string>;
}

/** Parses `text`, which ends in an empty line. */
export function parseRequestHead(text: string): RequestHead | HeadFault {
  const lineEnd = text.indexOf("\r\n");
  const line = REQUEST_LINE.exec(text.slice(0, lineEnd));
  if (line === null) return { status: 400, reason: "malformed request line" };
  const [, method = "", rawTarget = "", major, minorText] = line;
  if (major !== "1" || (minorText !== "0" && minorText !== "1")) return { status: 505, reason: "unsupported protocol version" };
  const minor = minorText === "1" ? 1 : 0;
  if (method === "CONNECT" || method === "TRACE") return { status: 405, reason: `${method} is not served` };
  if (rawTarget.length > TARGET_BYTES_MAX) return { status: 414, reason: "request target too long" };
  const fields = scanFields(text, lineEnd + 2);
  if (!Array.isArray(fields)) return fields;
  const seen = collect(text, fields);
  const framing = requestFraming(text, fields, { seen, minor });
  if (typeof framing === "object") return framing;
  const place = placeOf(rawTarget, seen, { method, minor });
  if ("status" in place) return place;
  const expect = seen.values.get("expect");
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") return { status: 417, reason: "unknown expectation" };
  const { target, path, authority, host } = place;
  const { keepAlive, upgrade, dropped, kept } = connectionOf(text, fields, seen, minor);
  const value = (name: string): string => seen.values.get(name) ?? "";
  // Written out: spreading costs as much as the rest of the parsing.
  return {
    text,
    method,
    target,
    path,
    authority,
    host,
    minor,
    keepAlive,
    framing,
    upgrade,
    // Nothing to wait for without a body; HTTP/1.0 does not know it.
    expectsContinue: expect !== undefined && framing !== 0 && minor === 1,
    wantsTrailers: minor === 1 && seen.values.has("te") && listMembers(value("te")).includes("trailers"),
    fields,
    dropped,
    kept,
    forwardedFor: value("x-forwarded-for"),
    forwardedProto: value("x-forwarded-proto"),
    forwardedHost: value("x-forwarded-host"),
    hasForwarded: seen.values.has("forwarded"),
    namespace: value("knative-serving-namespace"),
    revision: value("knative-serving-revision"),
    probe: value("k-network-probe"),
    probeHash: value("k-network-hash"),
  };
}

function collect(text: string, fields: readonly number[]): Seen {
  const seen: Seen = { values: new Map(), named: [], disguised: [], repeated: new Set() };
  for (let i = 0; i < fields.length; i += 4) {
    const from = fields[i] ?? 0;
    const to = fields[i + 1] ?? 0;
    if (!SHAPES.has(shapeOf(to - from, text.charCodeAt(from)))) continue;
    const name = text.slice(from, to).toLowerCase();
    if (!KNOWN.has(name)) {
      if (name.includes("_") && KNOWN.has(name.replaceAll("_", "-"))) seen.disguised.push(i);
      continue;
    }
    seen.named.push(i);
    const value = text.slice(fields[i + 2], fields[i + 3]);
    const before = seen.values.get(name);
    if (before !== undefined) seen.repeated.add(name);
    seen.values.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return seen;
}

/** Length and chunks together, lengths that differ, are repeated or are no numbers, and unknown codings are refused: smuggling needs them. */
function requestFraming(text: string, fields: readonly number[], known: { readonly seen: Seen; readonly minor: 0 | 1 }): number | "chunked" | HeadFault {
  const { values } = known.seen;
  const hasLength = values.has("content-length");
  if (values.has("transfer-encoding")) {
    const codings = framingValues(text, fields, "transfer-encoding");
    if (known.minor === 0 || hasLength || codings.length > 1) return { status: 400, reason: "ambiguous body length" };
    return codings[0]?.toLowerCase() === "chunked" ? "chunked" : { status: 501, reason: "unsupported transfer encoding" };
  }
  if (!hasLength) return 0;
  const lengths = framingValues(text, fields, "content-length");
  const bytes = lengths.length > 1 ? undefined : parseContentLength(lengths[0] ?? "");
  return bytes ?? { status: 400, reason: "invalid content length" };
}

type Place = Pick<RequestHead, "target" | "path" | "authority" | "host">;

function placeOf(rawTarget: string, seen: Seen, line: { readonly method: string; readonly minor: 0 | 1 }): Place | HeadFault {
  const hostField = seen.values.get("host");
  if (seen.repeated.has("host") || (hostField === undefined && line.minor === 1)) return { status: 400, reason: "missing or repeated Host header" };
  const absolute = rawTarget.startsWith("/") ? null : /^https?:\/\/([^/?]*)(.*)$/i.exec(rawTarget);
  const authority = absolute === null ? (hostField ?? "") : (absolute[1] ?? "");
  if (!HOST.test(authority) || (absolute !== null && hostField !== undefined && !HOST.test(hostField))) return { status: 400, reason: "malformed Host header" };
  if (absolute !== null && hostName(authority) === "") return { status: 400, reason: "malformed request target" };
  const rest = absolute?.[2] ?? "";
  const target = absolute === null ? rawTarget : rest.startsWith("/") ? rest : `/${rest}`;
  if (!target.startsWith("/") && (target !== "*" || line.method !== "OPTIONS")) return { status: 400, reason: "malformed request target" };
  const query = target.indexOf("?");
  return { target, path: query < 0 ? target : target.slice(0, query), authority, host: hostName(authority) };
}

/** The name of an authority as routes know it: lower case, without port and trailing dot. */
export function hostName(authority: string): string {
  const bracket = authority.lastIndexOf("]");
  const colon = authority.indexOf(":", bracket + 1);
  const name = colon < 0 ? authority : authority.slice(0, colon);
  return (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
}

function connectionOf(text: string, fields: readonly number[], seen: Seen, minor: 0 | 1): Pick<RequestHead, "keepAlive" | "upgrade" | "dropped" | "kept"> {
  const connection = seen.values.get("connection");
  const options = connection === undefined ? NONE : listMembers(connection);
  const upgrade = minor === 1 && options.includes("upgrade") ? withoutHttp2(seen.values.get("upgrade") ?? "") : "";
  const dropped = new Set<number>(seen.disguised);
  for (const i of seen.named) {
    if (!PASSED.has(text.slice(fields[i], fields[i + 1]).toLowerCase())) dropped.add(i);
  }
  if (options.some((option) => option !== "close" && option !== "keep-alive" && option !== "upgrade")) dropOptions(text, fields, { options, dropped });
  return {
    keepAlive: minor === 1 ? !options.includes("close") : options.includes("keep-alive") && !options.includes("close"),
    upgrade,
    dropped,
    kept: keepLines(text, fields, (i) => dropped.has(i)),
  };
}

/** A client that offers HTTP/2 is answered in HTTP/1.1. */
function withoutHttp2(upgrade: string): string {
  if (!/h2c/i.test(upgrade)) return upgrade;
  const protocols = upgrade.split(",").map((protocol) => protocol.trim());
  return protocols.filter((protocol) => protocol !== "" && protocol.toLowerCase() !== "h2c").join(", ");
}

/** Fields named by `Connection` belong to this hop; one that frames or forwards the message cannot be taken away so. */
function dropOptions(text: string, fields: readonly number[], into: { readonly options: readonly string[]; readonly dropped: Set<number> }): void {
  for (let i = 0; i < fields.length; i += 4) {
    const name = text.slice(fields[i], fields[i + 1]).toLowerCase();
    if (into.options.includes(name) && !KNOWN.has(name)) into.dropped.add(i);
  }
}
