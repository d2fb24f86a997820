// Inputs for the framing fuzzer: streams of requests and of responses, made from a grammar, known tricks and small mutations.
import { below, SeededRng, type Rng } from "#core";
import { KNOWN_REQUESTS, KNOWN_RESPONSES } from "./known-cases.ts";

export interface Input {
  readonly bytes: Buffer;
  /** Where the stream is cut into reads, in rising order. */
  readonly cuts: readonly number[];
  /** Method of the request that a stream of responses answers. */
  readonly method: "GET" | "HEAD";
}

const PLAIN_METHODS = ["GET", "POST", "PUT"];
const METHODS = ["GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "PROPFIND", "PURGE", "FOO", "get", "TRACE", "CONNECT"];
const TARGETS = [
  "/",
  "/a",
  "/a?b=c",
  "/a/../b",
  "//x",
  "/%2e",
  "/a;b",
  "*",
  "http://app.test/x",
  "http://other.test",
  "/\xe9",
  "/a|b",
  "/\\",
  "x",
  "/a#b",
  '/"<>',
];
const VERSIONS = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 "];
const PLAIN_FIELDS = ["Accept: */*", "X: y", "User-Agent: a b", "Cookie: a=b; c=d", "Connection: keep-alive", "X-Long: 0123456789abcdef0123456789abcdef"];
const FIELDS = [
  "Accept: */*",
  "X:",
  "X: y",
  "X:\ty \t",
  "User-Agent: a b",
  "Cookie: a=b; c=d",
  "X_Y: z",
  "X: \xe9\xff",
  "Connection: keep-alive",
  "Connection: close",
  "Connection: Keep-Alive, X",
  "Connection: close, keep-alive",
  "Connection: content-length",
  "Connection: transfer-encoding",
  "Connection: upgrade",
  "Upgrade: websocket",
  "Upgrade: h2c",
  "Expect: 100-continue",
  "Expect: x",
  "TE: trailers",
  "Trailer: X-Sum",
  "Content_Length: 3",
  "X-Forwarded-For: 1.2.3.4",
  "Keep-Alive: timeout=5",
];
const TRICKS = [
  "Content-Length: 3",
  "Content-Length: 3, 3",
  "Content-Length: +3",
  "Content-Length: 03",
  "Content-Length: 0x3",
  "Content-Length: 3 ",
  "Content-Length: ",
  "Content-Length: 99999999999999999999",
  "Content-Length: 18446744073709551619",
  "Content-Length : 3",
  "content-length:3",
  "Content-Length: 0",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: Chunked",
  "Transfer-Encoding:chunked",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: chunked,",
  "Transfer-Encoding: ,chunked",
  "Transfer-Encoding: chunked\t",
  "Transfer-Encoding: \tchunked",
  "Transfer-Encoding: chunked ",
  "Content-Length: \t3\t",
  "Transfer-Encoding: \x0bchunked",
  "Transfer-Encoding: gzip",
  "Transfer-Encoding: identity",
  "Transfer-Encoding:",
  "Transfer-Encoding : chunked",
  " Transfer-Encoding: chunked",
  "X: y\r\n Transfer-Encoding: chunked",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\rTransfer-Encoding: chunked",
  "X\0: y",
];
const BODIES = ["", "a", "abc", "GET /s HTTP/1.1\r\nHost: a\r\n\r\n", "0\r\n\r\n", "\r\n", "\n", "3\r\nabc\r\n0\r\n\r\n", "\0\xff"];
const EXTENSIONS = ["", "", "", "", ";a", ";a=b", ';a="b;\r\n"', ';a="b\\"c"', ";", ";a=", " ;a", ";a ", ";a;b", ";a\n", "\t", ';a="b"c'];
const TRAILERS = ["", "", "", "X-Sum: 1\r\n", "Content-Length: 3\r\n", "Host: b\r\n", "X\r\n", "X: y\r\n z\r\n", "X:\r\nY: z\r\n", "X: y\n"];
const PIECES = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  " ",
  "\t",
  "\x0b",
  ":",
  ";",
  ",",
  "0",
  "1",
  "\x7f",
  "\x80",
  "\xff",
  "#",
  "_",
  "-",
  "+",
  "x",
  '"',
  "\r\n\r\n",
  "0\r\n\r\n",
  "1\r\na\r\n",
  "Content-Length: 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Host: b\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb",
];
const STATUS_LINES = [
  "HTTP/1.1 200 OK",
  "HTTP/1.1 200 OK",
  "HTTP/1.1 200 OK",
  "HTTP/1.1 200",
  "HTTP/1.1 200 ",
  "HTTP/1.0 200 OK",
  "HTTP/1.1 204 No Content",
  "HTTP/1.1 304 Not Modified",
  "HTTP/1.1 404 \xe9",
  "HTTP/1.1 999 Odd",
  "HTTP/1.1 099 Low",
  "HTTP/1.1 20 Short",
  "HTTP/1.1 2000 Long",
  "HTTP/1.1  200 OK",
  "HTTP/1.2 200 OK",
  "HTTP/2 200 OK",
  "HTTP/1.1 101 Switching Protocols",
  "ICY 200 OK",
];

function pick<T>(rng: Rng, from: readonly T[]): T {
  return from[below(rng, from.length)] as T;
}

function chance(rng: Rng, oneIn: number): boolean {
  return below(rng, oneIn) === 0;
}

function chunkedBody(rng: Rng): string {
  let body = "";
  for (let count = below(rng, 3); count > 0; count--) {
    const data = pick(rng, BODIES) || "z";
    const size = chance(rng, 30) ? pick(rng, ["0x1", "+1", "-1", " 1", "1 ", "1_0", "fffffffffffffffff", "10000000000000001", ""]) : data.length.toString(16);
    const zeros = chance(rng, 12) ? "0".repeat(below(rng, 20)) : "";
    body += `${zeros}${chance(rng, 8) ? size.toUpperCase() : size}${chance(rng, 4) ? pick(rng, EXTENSIONS) : ""}\r\n${data}${chance(rng, 40) ? pick(rng, ["\n", "\r", "XX", ""]) : "\r\n"}`;
  }
  return `${body}0${chance(rng, 8) ? pick(rng, EXTENSIONS) : ""}\r\n${chance(rng, 4) ? pick(rng, TRAILERS) : ""}\r\n`;
}

/** Fields and body that mostly agree. */
function framed(rng: Rng, fields: string[]): string {
  const data = pick(rng, BODIES);
  let body = "";
  switch (below(rng, 12)) {
    case 0:
    case 1:
    case 2:
      fields.push(`Content-Length: ${data.length}`);
      body = data;
      break;
    case 3:
    case 4:
    case 5:
    case 6:
      fields.push("Transfer-Encoding: chunked");
      body = chunkedBody(rng);
      break;
    case 7:
      fields.push(pick(rng, TRICKS));
      body = chance(rng, 2) ? data : chunkedBody(rng);
      break;
    default:
  }
  if (chance(rng, 20)) fields.splice(below(rng, fields.length + 1), 0, pick(rng, TRICKS));
  return body;
}

function someFields(rng: Rng): string[] {
  return Array.from({ length: below(rng, 4) }, () => pick(rng, chance(rng, 3) ? FIELDS : PLAIN_FIELDS));
}

function request(rng: Rng): string {
  if (chance(rng, 10)) return pick(rng, KNOWN_REQUESTS).text;
  const fields = someFields(rng);
  if (!chance(rng, 20))
    fields.unshift(chance(rng, 20) ? pick(rng, ["Host: a:80", "Host:", "Host: a@b", "host: A", "Host: [::1]", "Host: a b", "Host: a/b"]) : "Host: a");
  const body = framed(rng, fields);
  const method = pick(rng, chance(rng, 10) ? METHODS : PLAIN_METHODS);
  const target = chance(rng, 5) ? pick(rng, TARGETS) : "/a";
  return `${method} ${target} ${chance(rng, 12) ? pick(rng, VERSIONS) : "HTTP/1.1"}\r\n${fields.map((line) => `${line}\r\n`).join("")}\r\n${body}`;
}

function response(rng: Rng): string {
  if (chance(rng, 10)) return pick(rng, KNOWN_RESPONSES).text;
  const fields = someFields(rng);
  const body = framed(rng, fields);
  const early = chance(rng, 8)
    ? pick(rng, [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n",
      ])
    : "";
  const line = chance(rng, 3) ? pick(rng, STATUS_LINES) : "HTTP/1.1 200 OK";
  return `${early}${line}\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n${body}`;
}

/** One small change: octets exchanged, taken out, put in, doubled, or the rest cut off. */
function mutate(rng: Rng, text: string): string {
  const at = below(rng, text.length + 1);
  const length = chance(rng, 2) ? 1 : 1 + below(rng, 8);
  switch (below(rng, 7)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(below(rng, 256)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(at + length);
    case 2:
    case 3:
      return text.slice(0, at) + pick(rng, PIECES) + text.slice(at);
    case 4:
      return text.slice(0, at) + pick(rng, PIECES) + text.slice(at + length);
    case 5:
      return text.slice(0, at) + text.slice(at, at + 4 * length) + text.slice(at);
    default:
      return text.slice(0, at);
  }
}

function cutsFor(rng: Rng, length: number): number[] {
  if (chance(rng, 3)) return [];
  if (chance(rng, 20)) return Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
  return Array.from({ length: 1 + below(rng, 4) }, () => below(rng, length + 1)).sort((a, b) => a - b);
}

/** The input of this number, always the same. */
export function inputOf(seed: number, index: number, sort: "requests" | "responses"): Input {
  const rng = new SeededRng(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b) ^ Math.floor(index / 0x100000000));
  const one = sort === "requests" ? request : response;
  let text = one(rng);
  while (text.length < 2000 && chance(rng, sort === "requests" ? 2 : 6)) text += one(rng);
  if (chance(rng, 12)) text = `\r\n${text}`;
  if (chance(rng, 2)) for (let count = 1 + below(rng, 3); count > 0; count--) text = mutate(rng, text);
  const bytes = Buffer.from(text, "latin1");
  return { bytes, cuts: cutsFor(rng, bytes.length), method: chance(rng, 6) ? "HEAD" : "GET" };
}
