// Parsing of a request's head: what routing, framing and forwarding need, and the lines that go on unchanged.
import {
  framingValues,
  isNamed,
  isPlainHost,
  isTargetOctet,
  isTokenOctet,
  keepLines,
  listMembers,
  octetsOf,
  parseContentLength,
  scanFields,
  TARGET_BYTES_MAX,
  type HeadFault,
  type Octets,
} from "./head-scan.ts";

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
  /** Where `host` stands in `text`, if it and `target` are as they came; -1 otherwise. */
  readonly hostAt: number;
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
  readonly dropped: readonly number[];
  /** The other lines. */
  readonly kept: string;
  /** Written anew, the request line, Host and the other lines were what came. */
  readonly asCame: boolean;
  readonly forwardedFor: string;
  readonly forwardedProto: string;
  readonly forwardedHost: string;
  readonly hasForwarded: boolean;
  /** Something in it tells of the request's way: what a peer that is not trusted says of that does not go on. */
  readonly tellsOfWay: boolean;
  /** `Knative-Serving-Namespace` and `-Revision`: where another ingress wants the request to go; "" when absent. */
  readonly namespace: string;
  readonly revision: string;
  /** `K-Network-Probe`, "" when absent. */
  readonly probe: string;
  readonly probeHash: string;
}

/** Fields that are looked at, or never passed on; and whether they go on as they came. */
const KNOWN: ReadonlyMap<string, boolean> = new Map([
  ["connection", false],
  ["content-length", true],
  ["expect", false],
  ["forwarded", true],
  ["host", false],
  ["http2-settings", false],
  ["k-network-hash", false],
  ["k-network-probe", false],
  ["k-original-host", false],
  ["k-proxy-request", false],
  ["keep-alive", false],
  ["knative-serving-namespace", false],
  ["knative-serving-revision", false],
  ["proxy-authenticate", false],
  ["proxy-authorization", false],
  ["proxy-connection", false],
  ["te", false],
  ["trailer", true],
  ["transfer-encoding", true],
  ["upgrade", false],
  ["x-forwarded-for", false],
  ["x-forwarded-host", true],
  ["x-forwarded-proto", true],
]);

/** 1 at the length and first letter of each known field; names of other shapes are never cut out of the text. */
const SHAPES: Uint8Array = new Uint8Array(32 << 5);
for (const name of KNOWN.keys()) SHAPES[shapeOf(name.length, name.charCodeAt(0))] = 1;

function shapeOf(length: number, first: number): number {
  return (Math.min(length, 31) << 5) | (first & 31);
}

const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$/;

const HOST_LINE = "Host: ";
const SPACE = 32;
const VERSION = " HTTP/1.1";
/** Where a head of another version is told from one that is malformed. */
const OTHER_VERSION = /^ HTTP\/[0-9]\.[0-9]$/;

const NONE: readonly string[] = [];
const NO_VALUES: ReadonlyMap<string, string> = new Map();

interface Seen {
  readonly host: string | undefined;
  /** Of the other known fields; most heads have none. */
  readonly values: ReadonlyMap<string, string>;
  readonly dropped: number[];
  /** How often Host came. */
  readonly hosts: number;
  /** Where the last one begins, when it is as routes know it; -1 otherwise. */
  readonly plainHostAt: number;
}

interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly minor: 0 | 1;
}

/** `method SP target SP HTTP-version`, nothing else and no other space. */
function requestLine(text: string, { bytes, from: base }: Octets, lineEnd: number): RequestLine | HeadFault {
  let at = base;
  while (isTokenOctet(bytes[at] ?? 0)) at++;
  const from = at - base + 1;
  if (at === base || bytes[at] !== SPACE) return MALFORMED_LINE;
  at++;
  while (isTargetOctet(bytes[at] ?? 0)) at++;
  at -= base;
  // The lengths are those of an empty target, and of a line with a version and no more.
  if (at === from || lineEnd - at !== VERSION.length) return MALFORMED_LINE;
  const isOne = text.startsWith(VERSION, at);
  if (!isOne && !text.startsWith(" HTTP/1.0", at)) {
    return OTHER_VERSION.test(text.slice(at, lineEnd)) ? { status: 505, reason: "unsupported protocol version" } : MALFORMED_LINE;
  }
  return { method: text.slice(0, from - 1), target: text.slice(from, at), minor: isOne ? 1 : 0 };
}

const MALFORMED_LINE: HeadFault = { status: 400, reason: "malformed request line" };

/** Parses `text`, which ends in an empty line and is the latin1 text of `octets`. */
export function parseRequestHead(text: string, octets: Octets = octetsOf(text)): RequestHead | HeadFault {
  const lineEnd = text.indexOf("\r\n");
  const line = requestLine(text, octets, lineEnd);
  if ("status" in line) return line;
  const { method, target: rawTarget, minor } = line;
  if (method === "CONNECT" || method === "TRACE") return { status: 405, reason: `${method} is not served` };
  if (rawTarget.length > TARGET_BYTES_MAX) return { status: 414, reason: "request target too long" };
  const fields = scanFields(octets, lineEnd + 2);
  if (!Array.isArray(fields)) return fields;
  const seen = collect(text, octets, fields);
  const framing = requestFraming(text, fields, { seen, minor });
  if (typeof framing === "object") return framing;
  const where = placeOf(rawTarget, seen, { method, minor });
  if ("status" in where) return where;
  const expect = seen.values.get("expect");
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") return { status: 417, reason: "unknown expectation" };
  const { target, path, authority, host, hostAt } = where;
  const { keepAlive, upgrade, dropped, kept } = connectionOf(text, fields, seen, minor);
  const value = seen.values.size === 0 ? nothing : (name: string): string => seen.values.get(name) ?? "";
  // Written out: spreading costs as much as the rest of the parsing.
  return {
    text,
    method,
    target,
    path,
    authority,
    host,
    hostAt,
    minor,
    keepAlive,
    framing,
    upgrade,
    // Nothing to wait for without a body; HTTP/1.0 does not know it.
    expectsContinue: expect !== undefined && framing !== 0 && minor === 1,
    wantsTrailers: minor === 1 && value("te") !== "" && listMembers(value("te")).includes("trailers"),
    fields,
    dropped,
    kept,
    asCame: minor === 1 && target === rawTarget && hostLeads(text, fields, dropped),
    forwardedFor: value("x-forwarded-for"),
    forwardedProto: value("x-forwarded-proto"),
    forwardedHost: value("x-forwarded-host"),
    hasForwarded: seen.values.has("forwarded"),
    tellsOfWay: seen.values.has("forwarded") || seen.values.has("x-forwarded-host") || seen.values.has("x-forwarded-proto"),
    namespace: value("knative-serving-namespace"),
    revision: value("knative-serving-revision"),
    probe: value("k-network-probe"),
    probeHash: value("k-network-hash"),
  };
}

const nothing = (): string => "";

function collect(text: string, { bytes, from: base }: Octets, fields: readonly number[]): Seen {
  let host: string | undefined;
  let hosts = 0;
  let plainHostAt = -1;
  let values: Map<string, string> | undefined;
  // Most heads have one of them, and an array that begins empty takes room for many.
  let dropped: number[] | undefined;
  for (let i = 0; i < fields.length; i += 4) {
    const from = fields[i] ?? 0;
    const to = fields[i + 1] ?? 0;
    if (SHAPES[shapeOf(to - from, bytes[base + from] ?? 0)] === 0) continue;
    if (isNamed(text, { from, to }, "host")) {
      hosts++;
      if (dropped === undefined) dropped = [i];
      else dropped.push(i);
      const start = fields[i + 2] ?? 0;
      const end = fields[i + 3] ?? 0;
      host = text.slice(start, end);
      plainHostAt = isPlainHost(bytes, base + start, base + end) ? start : -1;
      continue;
    }
    const name = text.slice(from, to).toLowerCase();
    const passes = KNOWN.get(name);
    // Known names with `_` for `-`: applications behind CGI-like interfaces cannot tell the two, so these never go on.
    const disguised = passes === undefined && name.includes("_") && KNOWN.has(name.replaceAll("_", "-"));
    if (passes === false || disguised) {
      if (dropped === undefined) dropped = [i];
      else dropped.push(i);
    }
    if (passes === undefined) continue;
    const value = text.slice(fields[i + 2], fields[i + 3]);
    values ??= new Map();
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { host, hosts, plainHostAt, values: values ?? NO_VALUES, dropped: dropped ?? [] };
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

type Place = Pick<RequestHead, "target" | "path" | "authority" | "host" | "hostAt">;

function placeOf(rawTarget: string, seen: Seen, line: { readonly method: string; readonly minor: 0 | 1 }): Place | HeadFault {
  const hostField = seen.host;
  if (seen.hosts > 1 || (hostField === undefined && line.minor === 1)) return { status: 400, reason: "missing or repeated Host header" };
  if (hostField !== undefined && seen.plainHostAt >= 0 && rawTarget.startsWith("/")) return place(rawTarget, hostField, hostField, seen.plainHostAt);
  const absolute = rawTarget.startsWith("/") ? null : /^https?:\/\/([^/?]*)(.*)$/i.exec(rawTarget);
  const authority = absolute === null ? (hostField ?? "") : (absolute[1] ?? "");
  if (!HOST.test(authority) || (absolute !== null && hostField !== undefined && !HOST.test(hostField))) return { status: 400, reason: "malformed Host header" };
  if (absolute !== null && hostName(authority) === "") return { status: 400, reason: "malformed request target" };
  const rest = absolute?.[2] ?? "";
  const target = absolute === null ? rawTarget : rest.startsWith("/") ? rest : `/${rest}`;
  if (!target.startsWith("/") && (target !== "*" || line.method !== "OPTIONS")) return { status: 400, reason: "malformed request target" };
  return place(target, authority, hostName(authority), -1);
}

function place(target: string, authority: string, host: string, hostAt: number): Place {
  const query = target.indexOf("?");
  return { target, path: query < 0 ? target : target.slice(0, query), authority, host, hostAt };
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
  const { dropped } = seen;
  if (options.some((option) => option !== "close" && option !== "keep-alive" && option !== "upgrade")) dropOptions(text, fields, { options, dropped });
  return {
    keepAlive: minor === 1 ? !options.includes("close") : options.includes("keep-alive") && !options.includes("close"),
    upgrade,
    dropped,
    kept: isFirstAlone(dropped) ? text.slice(fields[4] ?? text.length - 2, text.length - 2) : keepLines(text, fields, (i) => dropped.includes(i)),
  };
}

function isFirstAlone(dropped: readonly number[]): boolean {
  return dropped.length === 1 && dropped[0] === 0;
}

/** Whether all lines go on but the first, and that is Host as we write it. */
function hostLeads(text: string, fields: readonly number[], dropped: readonly number[]): boolean {
  const from = fields[0] ?? 0;
  return isFirstAlone(dropped) && text.startsWith(HOST_LINE, from) && fields[2] === from + HOST_LINE.length && fields[3] === (fields[4] ?? text.length - 2) - 2;
}

/** A client that offers HTTP/2 is answered in HTTP/1.1. */
function withoutHttp2(upgrade: string): string {
  if (!/h2c/i.test(upgrade)) return upgrade;
  const protocols = upgrade.split(",").map((protocol) => protocol.trim());
  return protocols.filter((protocol) => protocol !== "" && protocol.toLowerCase() !== "h2c").join(", ");
}

/** Fields named by `Connection` belong to this hop; one that frames or forwards the message cannot be taken away so. */
function dropOptions(text: string, fields: readonly number[], into: { readonly options: readonly string[]; readonly dropped: number[] }): void {
  for (let i = 0; i < fields.length; i += 4) {
    const name = text.slice(fields[i], fields[i + 1]).toLowerCase();
    if (into.options.includes(name) && !KNOWN.has(name)) into.dropped.push(i);
  }
}
