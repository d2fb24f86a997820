// Parsing of a response's head, and its form for the client.
import { framingValues, keepLines, listMembers, octetsOf, parseContentLength, scanFields, valuesOf } from "./head-scan.ts";
import type { Framing } from "./request-head.ts";

/** A valid response head. */
export interface ResponseHead {
  readonly text: string;
  readonly status: number;
  readonly framing: Framing;
  /** Whether the application keeps the connection after this response. */
  readonly keepAlive: boolean;
  /** From `Keep-Alive: timeout=N`; undefined when not said. */
  readonly keepAliveSeconds: number | undefined;
  readonly upgrade: string;
  /** Status line and end-to-end fields, without the final empty line. */
  readonly lines: string;
  /** `lines` closed by the empty line: the head for a client whose connection stays. */
  readonly plain: string;
}

/** Fields of the hop between us and the application. */
const HOP: ReadonlySet<string> = new Set(["connection", "keep-alive", "proxy-connection", "te", "upgrade", "proxy-authenticate"]);

const LF = 10;

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;

/** Parses `text`, which ends in an empty line; undefined when it is not HTTP/1. */
export function parseResponseHead(text: string): ResponseHead | undefined {
  const lineEnd = text.indexOf("\r\n");
  const line = STATUS_LINE.exec(text.slice(0, lineEnd));
  const fields = scanFields(octetsOf(text), lineEnd + 2);
  if (line === null || !Array.isArray(fields)) return undefined;
  const minor = line[1];
  const status = Number(line[2]);
  const options = valuesOf(text, fields, "connection").flatMap(listMembers);
  const codings = framingValues(text, fields, "transfer-encoding");
  const lengths = framingValues(text, fields, "content-length");
  const framing = responseFraming({ codings, lengths, minor, status });
  if (framing === undefined) return undefined;
  const bare = status < 200 || status === 204;
  const kept = keepLines(text, fields, (i) => {
    const name = text.slice(fields[i], fields[i + 1]).toLowerCase();
    if (name === "content-length") return bare || codings.length > 0;
    return HOP.has(name) || (bare && name === "transfer-encoding") || (options.includes(name) && name !== "transfer-encoding");
  });
  const statusLine = minor === "1" ? text.slice(0, lineEnd + 2) : `HTTP/1.1${text.slice(8, lineEnd + 2)}`;
  const lines = statusLine + kept;
  return {
    text,
    status,
    framing,
    // An application that contradicts itself is not trusted with another request on the connection.
    keepAlive: (minor === "1" ? !options.includes("close") : options.includes("keep-alive")) && (codings.length === 0 || lengths.length === 0),
    keepAliveSeconds: keepAliveSeconds(valuesOf(text, fields, "keep-alive")),
    upgrade: options.includes("upgrade") ? (valuesOf(text, fields, "upgrade")[0] ?? "") : "",
    lines,
    plain: `${lines}\r\n`,
  };
}

/** Heads from one application, on all of its connections: it says the same again and again, and then nothing is parsed. */
export class ResponseHeads {
  #last: ResponseHead | undefined;

  /** The latest, if `bytes[from, to)` begins with the same octets: then it ends with them, and its end need not be looked for. */
  again(bytes: Buffer, from: number, to: number): ResponseHead | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const end = from + last.text.length;
    return end <= to && bytes[end - 1] === LF && bytes[end - 3] === LF && bytes.toString("latin1", from, end) === last.text ? last : undefined;
  }

  /** As `parseResponseHead` does. */
  parse(text: string): ResponseHead | undefined {
    this.#last = parseResponseHead(text);
    return this.#last;
  }
}

interface Lengths {
  readonly codings: readonly string[];
  readonly lengths: readonly string[];
  readonly minor: string | undefined;
  readonly status: number;
}

/** Chunks win over a length (RFC 9112 6.3); repeated or senseless lengths, other codings and any in HTTP/1.0 make the response invalid. */
function responseFraming({ codings, lengths, minor, status }: Lengths): Framing | undefined {
  const chunked = codings.length > 0;
  // HTTP/1.0 knows no informational responses.
  if (status < 200 && minor === "0") return undefined;
  if (chunked && (codings.length > 1 || codings[0]?.toLowerCase() !== "chunked" || minor === "0")) return undefined;
  const length = lengths.length === 0 ? "close" : lengths.length === 1 ? parseContentLength(lengths[0] ?? "") : undefined;
  if (length === undefined) return undefined;
  if (status < 200 || status === 204 || status === 304) return 0;
  return chunked ? "chunked" : length;
}

function keepAliveSeconds(values: readonly string[]): number | undefined {
  const match = /(?:^|,)\s*timeout\s*=\s*"?([0-9]{1,6})/i.exec(values.join(","));
  return match === null ? undefined : Number(match[1]);
}
