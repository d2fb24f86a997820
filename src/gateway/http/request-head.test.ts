// Parsing of heads: what is refused, and what is understood.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { findHeadEnd } from "./head-scan.ts";
import { hostName, parseRequestHead, type RequestHead } from "./request-head.ts";
import { parseResponseHead, ResponseHeads, type ResponseHead } from "./response-head.ts";

const H = "Host: a\r\n";

const refused: readonly { name: string; text: string; status: number }[] = [
  { name: "length and chunks together", text: `POST / HTTP/1.1\r\n${H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, status: 400 },
  { name: "two lengths that differ", text: `POST / HTTP/1.1\r\n${H}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, status: 400 },
  { name: "two equal lengths", text: `POST / HTTP/1.1\r\n${H}Content-Length: 5\r\ncontent-length: 5\r\n\r\n`, status: 400 },
  { name: "a list of lengths", text: `POST / HTTP/1.1\r\n${H}Content-Length: 5, 5\r\n\r\n`, status: 400 },
  { name: "a negative length", text: `POST / HTTP/1.1\r\n${H}Content-Length: -1\r\n\r\n`, status: 400 },
  { name: "a signed length", text: `POST / HTTP/1.1\r\n${H}Content-Length: +5\r\n\r\n`, status: 400 },
  { name: "a hexadecimal length", text: `POST / HTTP/1.1\r\n${H}Content-Length: 0x5\r\n\r\n`, status: 400 },
  { name: "an empty length", text: `POST / HTTP/1.1\r\n${H}Content-Length:\r\n\r\n`, status: 400 },
  { name: "a length beyond all numbers", text: `POST / HTTP/1.1\r\n${H}Content-Length: 99999999999999999999\r\n\r\n`, status: 400 },
  { name: "a coding that is not chunked", text: `POST / HTTP/1.1\r\n${H}Transfer-Encoding: gzip, chunked\r\n\r\n`, status: 501 },
  { name: "chunked twice", text: `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, status: 400 },
  { name: "chunked with a vertical tab", text: `POST / HTTP/1.1\r\n${H}Transfer-Encoding: \x0bchunked\r\n\r\n`, status: 400 },
  { name: "chunks in HTTP/1.0", text: `POST / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n`, status: 400 },
  { name: "a space before the colon", text: `POST / HTTP/1.1\r\n${H}Content-Length : 5\r\n\r\n`, status: 400 },
  { name: "a folded line", text: `GET / HTTP/1.1\r\n${H}X: a\r\n b\r\n\r\n`, status: 400 },
  { name: "a first line that is folded", text: `GET / HTTP/1.1\r\n Host: a\r\n\r\n`, status: 400 },
  { name: "a line without a colon", text: `GET / HTTP/1.1\r\n${H}nonsense\r\n\r\n`, status: 400 },
  { name: "an empty name", text: `GET / HTTP/1.1\r\n${H}: x\r\n\r\n`, status: 400 },
  { name: "a bare LF", text: `GET / HTTP/1.1\r\n${H}X: a\nY: b\r\n\r\n`, status: 400 },
  { name: "a bare CR", text: `GET / HTTP/1.1\r\n${H}X: a\rY: b\r\n\r\n`, status: 400 },
  { name: "a NUL in a value", text: `GET / HTTP/1.1\r\n${H}X: a\0b\r\n\r\n`, status: 400 },
  { name: "no Host", text: "GET / HTTP/1.1\r\n\r\n", status: 400 },
  { name: "two Hosts", text: `GET / HTTP/1.1\r\n${H}${H}\r\n`, status: 400 },
  { name: "a Host with a path", text: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", status: 400 },
  { name: "a Host with a user", text: "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", status: 400 },
  { name: "two spaces in the request line", text: `GET  / HTTP/1.1\r\n${H}\r\n`, status: 400 },
  { name: "a space in the target", text: `GET /a b HTTP/1.1\r\n${H}\r\n`, status: 400 },
  { name: "a target that is no path", text: `GET a HTTP/1.1\r\n${H}\r\n`, status: 400 },
  { name: "HTTP/0.9", text: "GET /\r\n\r\n", status: 400 },
  { name: "the preface of HTTP/2", text: "PRI * HTTP/2.0\r\n\r\n", status: 505 },
  { name: "a version that does not exist", text: `GET / HTTP/1.2\r\n${H}\r\n`, status: 505 },
  { name: "CONNECT", text: "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", status: 405 },
  { name: "a method that is no token", text: `G(T / HTTP/1.1\r\n${H}\r\n`, status: 400 },
  { name: "too many fields", text: `GET / HTTP/1.1\r\n${H}${"X: y\r\n".repeat(201)}\r\n`, status: 431 },
];
for (const { name, text, status } of refused) {
  test(`request heads refused: ${name}`, () => {
    const head = parseRequestHead(text);
    assert.ok("reason" in head, "accepted");
    assert.equal(head.status, status);
  });
}

const accepted: readonly { name: string; text: string; want: Partial<RequestHead> }[] = [
  {
    name: "the least",
    text: `GET / HTTP/1.1\r\n${H}\r\n`,
    want: { method: "GET", target: "/", path: "/", host: "a", minor: 1, keepAlive: true, framing: 0, upgrade: "", kept: "" },
  },
  { name: "HTTP/1.0 without Host", text: "GET / HTTP/1.0\r\n\r\n", want: { host: "", minor: 0, keepAlive: false } },
  {
    name: "HTTP/1.0 without Host that tells where it comes from",
    text: "GET / HTTP/1.0\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n",
    want: { forwardedFor: "10.0.0.1", kept: "" },
  },
  { name: "HTTP/1.0 that stays", text: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", want: { keepAlive: true } },
  { name: "close wins", text: `GET / HTTP/1.1\r\n${H}Connection: keep-alive\r\nConnection: close\r\n\r\n`, want: { keepAlive: false } },
  { name: "a query", text: `GET /a?b=/c HTTP/1.1\r\n${H}\r\n`, want: { target: "/a?b=/c", path: "/a" } },
  {
    name: "an absolute target without a path",
    text: `GET http://B:80?q HTTP/1.1\r\n${H}\r\n`,
    want: { target: "/?q", path: "/", authority: "B:80", host: "b" },
  },
  { name: "OPTIONS *", text: `OPTIONS * HTTP/1.1\r\n${H}\r\n`, want: { target: "*" } },
  { name: "chunked in any case", text: `POST / HTTP/1.1\r\n${H}TRANSFER-encoding: Chunked\r\n\r\n`, want: { framing: "chunked" } },
  { name: "a length with white space", text: `POST / HTTP/1.1\r\n${H}Content-Length:  007 \r\n\r\n`, want: { framing: 7 } },
  { name: "an upgrade", text: `GET / HTTP/1.1\r\n${H}Connection: x, UPGRADE\r\nUpgrade: websocket\r\n\r\n`, want: { upgrade: "websocket", kept: "" } },
  { name: "Upgrade without Connection is no upgrade", text: `GET / HTTP/1.1\r\n${H}Upgrade: websocket\r\n\r\n`, want: { upgrade: "", kept: "" } },
  {
    name: "an upgrade to HTTP/2 is declined",
    text: `GET / HTTP/1.1\r\n${H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n`,
    want: { upgrade: "", kept: "" },
  },
  {
    name: "lines of this hop go",
    text: `GET / HTTP/1.1\r\nA: 1\r\n${H}B: 2\r\nConnection: X-Mine\r\nX-Mine: 3\r\nC:4\r\n\r\n`,
    want: { kept: "A: 1\r\nB: 2\r\nC:4\r\n" },
  },
  {
    name: "a length named by Connection stays",
    text: `POST / HTTP/1.1\r\n${H}Connection: content-length\r\nContent-Length: 3\r\n\r\n`,
    want: { framing: 3, kept: "Content-Length: 3\r\n" },
  },
  { name: "octets beyond ASCII in values", text: `GET / HTTP/1.1\r\n${H}X: \xe9\r\n\r\n`, want: { kept: "X: \xe9\r\n" } },
];
for (const { name, text, want } of accepted) {
  test(`request heads accepted: ${name}`, () => {
    const head = parseRequestHead(text);
    assert.ok(!("reason" in head), JSON.stringify(head));
    for (const [key, value] of Object.entries(want)) assert.deepEqual(head[key as keyof RequestHead], value, key);
  });
}

test("host names lose port, trailing dot and case, IPv6 addresses keep their colons", () => {
  assert.deepEqual(["A.b:80", "a.b.", "a.b.:1", "[::1]:80", "[::1]", ""].map(hostName), ["a.b", "a.b", "a.b", "[::1]", "[::1]", ""]);
});

const responses: readonly { name: string; text: string; want: Partial<ResponseHead> | undefined }[] = [
  {
    name: "a length",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
    want: { status: 200, framing: 3, keepAlive: true, plain: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" },
  },
  { name: "no reason", text: "HTTP/1.1 200\r\n\r\n", want: { status: 200, framing: "close" } },
  {
    name: "chunks win over a length",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    want: { framing: "chunked", lines: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" },
  },
  {
    name: "lines of the hop go",
    text: "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5, max=9\r\nA: b\r\nContent-Length: 0\r\n\r\n",
    want: { keepAliveSeconds: 5, lines: "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\n" },
  },
  { name: "HTTP/1.0", text: "HTTP/1.0 200 OK\r\n\r\n", want: { keepAlive: false, framing: "close", lines: "HTTP/1.1 200 OK\r\n" } },
  { name: "no content", text: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", want: { framing: 0 } },
  { name: "two lengths", text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", want: undefined },
  { name: "another coding", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", want: undefined },
  { name: "not HTTP", text: "SSH-2.0\r\n\r\n", want: undefined },
  { name: "a folded line", text: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", want: undefined },
];
for (const { name, text, want } of responses) {
  test(`response heads: ${name}`, () => {
    const head = parseResponseHead(text);
    if (want === undefined) return assert.equal(head, undefined);
    for (const [key, value] of Object.entries(want)) assert.deepEqual(head?.[key as keyof ResponseHead], value, key);
  });
}

test("the end of a head is found whatever stands behind it; a bare LF before it is noticed at once", () => {
  const rows: readonly [string, number][] = [
    ["GET / HTTP/1.1\r\n\r\nrest\n", 18],
    ["GET / HTTP/1.1\r\nA: b\r\n", -1],
    ["GET / HTTP/1.1\r\nA: b\r\n\r", -1],
    ["GET / HTTP/1.1\nA: b", -2],
    ["\n", -2],
    ["", -1],
  ];
  for (const [text, want] of rows) assert.equal(findHeadEnd(Buffer.from(text), 0, text.length), want, JSON.stringify(text));
  const shared = Buffer.from("GET / HTTP/1.1\r\n\r\n");
  assert.equal(findHeadEnd(shared, 0, 16), -1, "what a shared buffer holds behind the read does not count");
});

test("a head goes on as it came when it is written as we write it", () => {
  const rows: readonly [string, boolean][] = [
    ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", true],
    ["OPTIONS * HTTP/1.1\r\nHost: A:80\r\nX: y\r\n\r\n", true],
    ["GET / HTTP/1.1\r\nhost: a\r\n\r\n", false],
    ["GET / HTTP/1.1\r\nHost:a\r\n\r\n", false],
    ["GET / HTTP/1.1\r\nHost:  a\r\n\r\n", false],
    ["GET / HTTP/1.1\r\nHost: a \r\n\r\n", false],
    ["GET / HTTP/1.1\r\nHost: a\t\r\nX: y\r\n\r\n", false],
    ["GET / HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n", false],
    ["GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false],
    ["GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: b\r\n\r\n", false],
    ["GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", false],
    ["GET / HTTP/1.0\r\nHost: a\r\n\r\n", false],
    ["GET / HTTP/1.0\r\n\r\n", false],
  ];
  for (const [text, want] of rows) assert.equal((parseRequestHead(text) as RequestHead).asCame, want, JSON.stringify(text));
});

test("an application's head that comes again is told at its octets, whatever stands behind it", () => {
  const text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  const heads = new ResponseHeads();
  const again = (read: string): ResponseHead | undefined => heads.again(Buffer.from(read, "latin1"), 0, read.length);
  assert.equal(again(text), undefined);
  const head = heads.parse(text);
  assert.ok(head !== undefined);
  for (const read of [text, `${text}hi`, text + text]) assert.equal(again(read), head);
  for (const read of [text.slice(0, -1), text.replace("2", "3"), `X${text}`, text.replace(": ", ":  "), ""]) assert.equal(again(read), undefined);
  const shared = Buffer.from(text, "latin1");
  assert.equal(heads.again(shared, 0, shared.length - 1), undefined, "what a shared buffer holds behind the read does not count");
  assert.equal(heads.parse("nonsense\r\n\r\n"), undefined);
  assert.equal(again(text), undefined, "only the latest counts");
});

const FRAGMENTS = [
  "GET",
  "POST",
  " ",
  "/",
  "HTTP/1.1",
  "HTTP/1.0",
  "\r\n",
  "\n",
  "\r",
  "Host",
  ":",
  "a",
  "Content-Length",
  "5",
  "Transfer-Encoding",
  "chunked",
  ",",
  "\t",
  "\0",
  "Connection",
  "close",
  "\xff",
];

test("whatever the octets, a head is refused or understood, never a crash, and what goes on is well formed", () => {
  const soup = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 40 }).map((parts) => `${parts.join("")}\r\n\r\n`);
  const lines = fc.array(
    fc.tuple(fc.constantFrom("Host", "Connection", "Content-Length", "X-A", "Expect", "TE"), fc.constantFrom("a", "close", "3", "x-a", " ", "a\r\n b", "a\nb")),
    { maxLength: 6 },
  );
  const shaped = lines.map((fields) => `GET / HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  fc.assert(
    fc.property(fc.oneof(soup, shaped, fc.string({ unit: "binary" })), (text) => {
      const latin1 = Buffer.from(text, "latin1").toString("latin1");
      const head = parseRequestHead(latin1.endsWith("\r\n\r\n") ? latin1 : `${latin1}\r\n\r\n`);
      if ("reason" in head) return;
      assert.match(head.kept, /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/);
      assert.ok(head.target === "*" || head.target.startsWith("/"));
      if (head.asCame) assert.equal(head.text, `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.authority}\r\n${head.kept}\r\n`);
    }),
    { numRuns: 800, seed: 1 },
  );
});
