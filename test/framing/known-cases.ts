// The known ways to make two parties frame one stream of octets differently, each with why it works on somebody.

export interface KnownCase {
  readonly name: string;
  /** Whom it fools, and how. */
  readonly why: string;
  /** One request as sent; what follows it would be the smuggled one. */
  readonly text: string;
  /** Status of the refusal, or what an accepted request means. */
  readonly want: number | { readonly target: string; readonly body: string };
}

const H = "Host: app.test\r\n";
const TE = "Transfer-Encoding: chunked\r\n";
const post = (fields: string, body = ""): string => `POST / HTTP/1.1\r\n${H}${fields}\r\n${body}`;
const chunks = (body: string): string => post(TE, body);
const accepted = (body: string, target = "/"): KnownCase["want"] => ({ target, body });

/** Lengths and codings in the head. */
const LENGTHS: readonly KnownCase[] = [
  { name: "CL.TE", why: "the front goes by length, the back by chunks", text: post(`Content-Length: 6\r\n${TE}`, "0\r\n\r\nG"), want: 400 },
  { name: "TE.CL", why: "the front goes by chunks, the back by length", text: post(`${TE}Content-Length: 3\r\n`, "8\r\nSMUGGLED\r\n0\r\n\r\n"), want: 400 },
  {
    name: "CL.0",
    why: "a back that ignores bodies of GET reads the body as a request",
    text: `GET / HTTP/1.1\r\n${H}Content-Length: 4\r\n\r\nGPOS`,
    want: accepted("GPOS"),
  },
  {
    name: "two lengths that differ",
    why: "one goes by the first, the other by the last",
    text: post("Content-Length: 5\r\nContent-Length: 6\r\n", "abcdef"),
    want: 400,
  },
  { name: "two equal lengths", why: "one joins them to `5, 5` and reads none", text: post("Content-Length: 5\r\nContent-Length: 5\r\n", "abcde"), want: 400 },
  { name: "a list of lengths", why: "some stop at the comma", text: post("Content-Length: 5, 5\r\n", "abcde"), want: 400 },
  { name: "a signed length", why: "most number parsers take a plus sign", text: post("Content-Length: +5\r\n", "abcde"), want: 400 },
  { name: "a negative length", why: "becomes huge where numbers have no sign", text: post("Content-Length: -1\r\n"), want: 400 },
  { name: "a hexadecimal length", why: "five for some, nought for others", text: post("Content-Length: 0x5\r\n", "abcde"), want: 400 },
  { name: "a length with a fraction", why: "some stop at the point", text: post("Content-Length: 5.0\r\n", "abcde"), want: 400 },
  { name: "a length with an exponent", why: "ten for JavaScript's Number, one for others", text: post("Content-Length: 1e1\r\n", "abcdefghij"), want: 400 },
  { name: "a length with an underscore", why: "Python's int takes 1_0 for ten", text: post("Content-Length: 1_0\r\n", "abcdefghij"), want: 400 },
  { name: "a length in other digits", why: "Python's int takes Arabic digits", text: post("Content-Length: \xd9\xa5\r\n", "abcde"), want: 400 },
  { name: "a length with a space inside", why: "some stop at the space", text: post("Content-Length: 1 0\r\n", "abcdefghij"), want: 400 },
  { name: "an empty length", why: "nought for some, no length for others", text: post("Content-Length:\r\n"), want: 400 },
  { name: "a length beyond 64 bits", why: "wraps around to a small one", text: post("Content-Length: 18446744073709551621\r\n", "abcde"), want: 400 },
  {
    name: "chunked and identity",
    why: "one knows the old coding, the other sees an unknown one",
    text: post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
    want: 501,
  },
  {
    name: "identity and a length",
    why: "identity meant no coding once",
    text: post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "abcde"),
    want: 400,
  },
  { name: "identity alone", why: "no body for some, until the end for others", text: post("Transfer-Encoding: identity\r\n"), want: 501 },
  { name: "xchunked", why: "some look whether the value ends in chunked", text: post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), want: 501 },
  { name: "chunkedx", why: "some look whether the value begins with chunked", text: post("Transfer-Encoding: chunkedx\r\n", "0\r\n\r\n"), want: 501 },
  {
    name: "chunked behind spaces",
    why: "allowed by the grammar, and taken by all",
    text: post("Transfer-Encoding:  chunked\r\n", "1\r\na\r\n0\r\n\r\n"),
    want: accepted("a"),
  },
  {
    name: "chunked behind a tab",
    why: "nginx does not take a tab for white space (found by fuzzing)",
    text: post("Transfer-Encoding: \tchunked\r\n", "0\r\n\r\n"),
    want: 501,
  },
  { name: "a length behind a tab", why: "the same (found by fuzzing)", text: post("Content-Length:\t5\r\n", "abcde"), want: 400 },
  { name: "chunked behind a vertical tab", why: "white space for C's isspace only", text: post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"), want: 400 },
  {
    name: "chunked before a tab",
    why: "llhttp takes the tab for a part of the value (found by fuzzing)",
    text: post("Transfer-Encoding: chunked\t\r\n", "0\r\n\r\n"),
    want: 501,
  },
  { name: "chunked in quotes", why: "some take quotes off", text: post('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n"), want: 501 },
  { name: "chunked with a parameter", why: "some cut at the semicolon", text: post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), want: 501 },
  { name: "chunked with an empty member", why: "some drop empty members of a list", text: post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"), want: 501 },
  {
    name: "two codings in two fields",
    why: "one looks at the first, the other at the last",
    text: post(`Transfer-Encoding: identity\r\n${TE}`, "0\r\n\r\n"),
    want: 400,
  },
  { name: "chunked twice", why: "chunked in chunked for some", text: post(`${TE}${TE}`, "0\r\n\r\n"), want: 400 },
  { name: "an empty coding", why: "no coding for some", text: post("Transfer-Encoding:\r\n", "0\r\n\r\n"), want: 501 },
  { name: "chunks in HTTP/1.0", why: "the old protocol has none: no body for some", text: `POST / HTTP/1.0\r\n${H}${TE}\r\n0\r\n\r\n`, want: 400 },
  {
    name: "a length named by Connection",
    why: "who takes named fields away takes the framing away",
    text: post("Connection: content-length\r\nContent-Length: 4\r\n", "GPOS"),
    want: accepted("GPOS"),
  },
  {
    name: "a coding named by Connection",
    why: "the same for chunks",
    text: post(`Connection: transfer-encoding\r\n${TE}`, "1\r\na\r\n0\r\n\r\n"),
    want: accepted("a"),
  },
  { name: "Content_Length", why: "CGI knows no difference: it does not go on", text: post("Content_Length: 5\r\n"), want: accepted("") },
];

/** Lines and octets of the head. */
const LINES: readonly KnownCase[] = [
  { name: "a folded line", why: "one joins the lines, the other sees two fields", text: post("X: a\r\n Content-Length: 5\r\n", "abcde"), want: 400 },
  { name: "a folded coding", why: "hides chunked from who reads lines", text: post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), want: 400 },
  { name: "a bare LF between fields", why: "ends a line for most", text: post("X: a\nContent-Length: 5\r\n", "abcde"), want: 400 },
  { name: "a bare LF as the empty line", why: "ends the head for most", text: `GET / HTTP/1.1\r\n${H}X: a\r\n\nGET /smuggled HTTP/1.1\r\n\r\n`, want: 400 },
  { name: "a bare CR between fields", why: "ends a line for some", text: post("X: a\rContent-Length: 5\r\n", "abcde"), want: 400 },
  { name: "a NUL in a value", why: "ends the text for C", text: post("X: a\0b\r\n"), want: 400 },
  { name: "a NUL in a name", why: "ends the text for C", text: post("Content-Length\0: 5\r\n", "abcde"), want: 400 },
  { name: "a space before the colon", why: "some trim names, others see an unknown field", text: post("Content-Length : 5\r\n", "abcde"), want: 400 },
  { name: "a tab before the colon", why: "the same", text: post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), want: 400 },
  {
    name: "white space before the first field",
    why: "belongs to the request line for some, ignored by others",
    text: `GET / HTTP/1.1\r\n Host: app.test\r\n${H}\r\n`,
    want: 400,
  },
  { name: "a line without a colon", why: "ignored by some with what follows", text: post("nonsense\r\n"), want: 400 },
  { name: "an empty name", why: "ends the head for some", text: post(": x\r\n"), want: 400 },
  {
    name: "a control character in a value",
    why: "shown as white space, trimmed by some",
    text: post("Transfer-Encoding: chunked\x7f\r\n", "0\r\n\r\n"),
    want: 400,
  },
  { name: "two spaces in the request line", why: "an empty target for some", text: `GET  / HTTP/1.1\r\n${H}\r\n`, want: 400 },
  { name: "a tab in the request line", why: "white space for some, part of the target for others", text: `GET\t/ HTTP/1.1\r\n${H}\r\n`, want: 400 },
  { name: "a target with a space", why: "the version is found in another place", text: `GET /a HTTP/1.1 HTTP/1.1\r\n${H}\r\n`, want: 400 },
  { name: "a target with a fragment", why: "cut off by some", text: `GET /a#/b HTTP/1.1\r\n${H}\r\n`, want: 400 },
  { name: "no version", why: "HTTP/0.9 has neither head nor framing", text: "GET /\r\n\r\n", want: 400 },
  { name: "a version with two digits", why: "1.1 for who reads a number", text: `GET / HTTP/1.01\r\n${H}\r\n`, want: 400 },
  { name: "a version in small letters", why: "taken by some", text: `GET / http/1.1\r\n${H}\r\n`, want: 400 },
  { name: "the preface of HTTP/2", why: "the start of another protocol", text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", want: 505 },
  { name: "a method that is no token", why: "some stop at the parenthesis", text: `G(T / HTTP/1.1\r\n${H}\r\n`, want: 400 },
];

/** Whom the request is for. */
const HOSTS: readonly KnownCase[] = [
  { name: "no Host", why: "the default site for some", text: "GET / HTTP/1.1\r\n\r\n", want: 400 },
  { name: "two Hosts", why: "the check sees the one, the route the other", text: `GET / HTTP/1.1\r\n${H}Host: other.test\r\n\r\n`, want: 400 },
  { name: "two equal Hosts", why: "joined to a list by some", text: `GET / HTTP/1.1\r\n${H}${H}\r\n`, want: 400 },
  { name: "a Host with a user", why: "user and host are exchanged by some", text: "GET / HTTP/1.1\r\nHost: app.test@other.test\r\n\r\n", want: 400 },
  { name: "a Host with a path", why: "becomes part of the URL", text: "GET / HTTP/1.1\r\nHost: app.test/other\r\n\r\n", want: 400 },
  { name: "a Host with a space", why: "some stop there", text: "GET / HTTP/1.1\r\nHost: app.test other.test\r\n\r\n", want: 400 },
  { name: "a port that is no number", why: "dropped by some", text: "GET / HTTP/1.1\r\nHost: app.test:80x\r\n\r\n", want: 400 },
  {
    name: "an absolute target with another Host",
    why: "the target's host wins (RFC 9112 3.2.2), and goes on alone",
    text: "GET http://app.test/x HTTP/1.1\r\nHost: other.test\r\n\r\n",
    want: accepted("", "/x"),
  },
  {
    name: "an absolute target with a user",
    why: "user and host are exchanged by some",
    text: `GET http://app.test@other.test/ HTTP/1.1\r\n${H}\r\n`,
    want: 400,
  },
  { name: "an absolute target without a host", why: "the Host field for some", text: `GET http:///x HTTP/1.1\r\n${H}\r\n`, want: 400 },
  { name: "an absolute target of another scheme", why: "no target that we could serve", text: `GET ftp://app.test/ HTTP/1.1\r\n${H}\r\n`, want: 400 },
  { name: "a target that is no path", why: "some put a slash before it", text: `GET x HTTP/1.1\r\n${H}\r\n`, want: 400 },
  { name: "an asterisk for another method", why: "a path for some", text: `GET * HTTP/1.1\r\n${H}\r\n`, want: 400 },
  { name: "CONNECT", why: "what follows is no HTTP for who takes it", text: "CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n", want: 405 },
  { name: "TRACE", why: "shows the client what proxies added", text: `TRACE / HTTP/1.1\r\n${H}\r\n`, want: 405 },
  { name: "an unknown expectation", why: "who waits for what nobody answers hangs", text: post("Expect: 200-ok\r\nContent-Length: 1\r\n", "a"), want: 417 },
];

/** Bodies in chunks. */
const CHUNKS: readonly KnownCase[] = [
  { name: "a chunk extension", why: "allowed, and to be ignored by all", text: chunks('1;a="b;";c=d\r\na\r\n0\r\n\r\n'), want: accepted("a") },
  { name: "a bare LF in an extension", why: "ends the size line for some (TERM.EXT)", text: chunks("1;\nxx\r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "a bare LF behind an extension", why: "ends the size line for some (EXT.TERM)", text: chunks("1;a\nxx\r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "a bare CR in an extension", why: "ends the size line for some", text: chunks("1;a\rb\r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "an extension without a name", why: "part of the size for some", text: chunks("1;\r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "white space behind the size", why: "part of the size for some", text: chunks("1 \r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "white space before the size", why: "nought for some", text: chunks(" 1\r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "a size with 0x", why: "nought for who stops at the x: the end", text: chunks("0x1\r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "a signed size", why: "most number parsers take a sign", text: chunks("+1\r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "a negative size", why: "huge, or moves backwards", text: chunks("-1\r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "a size with an underscore", why: "Python's int takes 1_0 for sixteen", text: chunks("1_0\r\n0123456789abcdef\r\n0\r\n\r\n"), want: 400 },
  { name: "a size beyond 64 bits", why: "wraps around to a small one", text: chunks("10000000000000001\r\na\r\n0\r\n\r\n"), want: 400 },
  {
    name: "a size with many leading zeros",
    why: "wraps or is cut where the digits are counted",
    text: chunks(`${"0".repeat(40)}1\r\na\r\n0\r\n\r\n`),
    want: 400,
  },
  { name: "no size", why: "nought for some", text: chunks("\r\na\r\n0\r\n\r\n"), want: 400 },
  { name: "a size line that ends in a bare LF", why: "one octet less for some", text: chunks("1\na\r\n0\r\n\r\n"), want: 400 },
  { name: "a size line that ends in a bare CR", why: "one octet less for some", text: chunks("1\ra\r\n0\r\n\r\n"), want: 400 },
  { name: "data that end in other octets", why: "some skip two octets unseen (Funky chunks)", text: chunks("1\r\naXX0\r\n\r\n"), want: 400 },
  { name: "data that end in a bare LF", why: "some skip two octets unseen", text: chunks("1\r\na\n0\r\n\r\n"), want: 400 },
  { name: "no empty line behind the trailers", why: "some stop at the last chunk", text: chunks("0\r\nGET /smuggled HTTP/1.1\r\n\r\n"), want: 400 },
  { name: "a trailer", why: "allowed, and goes on", text: chunks("1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"), want: accepted("a") },
  { name: "a length as trailer", why: "who merges trailers frames the next hop by it", text: chunks("0\r\nContent-Length: 5\r\n\r\n"), want: 400 },
  { name: "a coding as trailer", why: "the same", text: chunks("0\r\nTransfer-Encoding: chunked\r\n\r\n"), want: 400 },
  { name: "a Host as trailer", why: "who merges trailers routes by it", text: chunks("0\r\nHost: other.test\r\n\r\n"), want: 400 },
  { name: "X_Forwarded_For as trailer", why: "who merges trailers believes it", text: chunks("0\r\nX_Forwarded_For: 127.0.0.1\r\n\r\n"), want: 400 },
  { name: "a folded trailer", why: "one joins the lines, the other sees the end", text: chunks("0\r\nX: a\r\n b\r\n\r\n"), want: 400 },
];

export const KNOWN_REQUESTS: readonly KnownCase[] = [...LENGTHS, ...LINES, ...HOSTS, ...CHUNKS];

export interface KnownResponse {
  readonly name: string;
  readonly why: string;
  /** What a pod sends to one GET, and what it adds unasked. */
  readonly text: string;
  /** Undefined: refused. */
  readonly body: string | undefined;
}

const ok = (fields: string, body: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;

export const KNOWN_RESPONSES: readonly KnownResponse[] = [
  {
    name: "two lengths that differ",
    why: "the client's cache takes the rest for the next answer",
    text: ok("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"),
    body: undefined,
  },
  { name: "two equal lengths", why: "joined to a list by some", text: ok("Content-Length: 1\r\nContent-Length: 1\r\n", "a"), body: undefined },
  { name: "a list of lengths", why: "some stop at the comma", text: ok("Content-Length: 1, 1\r\n", "a"), body: undefined },
  { name: "a signed length", why: "most number parsers take a sign", text: ok("Content-Length: +1\r\n", "a"), body: undefined },
  {
    name: "two lengths of a response without a body",
    why: "a client that goes by them waits, or reads the next answer",
    text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    body: undefined,
  },
  {
    name: "length and chunks",
    why: "chunks win; the length goes, and so does the connection",
    text: ok(`Content-Length: 3\r\n${TE}`, "1\r\na\r\n0\r\n\r\n"),
    body: "a",
  },
  {
    name: "chunked before a tab",
    why: "llhttp reads until the connection ends (found by fuzzing)",
    text: ok("Transfer-Encoding: chunked\t\r\n", "1\r\na\r\n0\r\n\r\n"),
    body: undefined,
  },
  {
    name: "an informational response in HTTP/1.0",
    why: "the final one for who does not know them (found by fuzzing)",
    text: `HTTP/1.0 103 Early Hints\r\n\r\n${ok("Content-Length: 1\r\n", "a")}`,
    body: undefined,
  },
  { name: "a coding in HTTP/1.0", why: "the old protocol has none", text: `HTTP/1.0 200 OK\r\n${TE}\r\n1\r\na\r\n0\r\n\r\n`, body: undefined },
  { name: "another coding", why: "the client cannot know the end", text: ok("Transfer-Encoding: gzip\r\n", "a"), body: undefined },
  {
    name: "chunked with an empty member",
    why: "no chunks for who compares the whole value",
    text: ok("Transfer-Encoding: chunked,\r\n", "1\r\na\r\n0\r\n\r\n"),
    body: undefined,
  },
  {
    name: "a coding named by Connection",
    why: "who takes named fields away takes the framing away",
    text: ok(`Connection: transfer-encoding\r\n${TE}`, "1\r\na\r\n0\r\n\r\n"),
    body: "a",
  },
  { name: "a length named by Connection", why: "the same", text: ok("Connection: content-length\r\nContent-Length: 1\r\n", "a"), body: "a" },
  {
    name: "octets behind the response",
    why: "the answer to a request that is yet to come (response queue poisoning)",
    text: `${ok("Content-Length: 1\r\n", "a")}${ok("Content-Length: 6\r\n", "poison")}`,
    body: "a",
  },
  { name: "a body behind 204", why: "the same", text: `HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison`, body: "" },
  { name: "a folded line", why: "one joins the lines, the other sees two fields", text: ok("X: a\r\n b\r\nContent-Length: 1\r\n", "a"), body: undefined },
  { name: "a bare LF between fields", why: "splits the response for some", text: ok("X: a\nContent-Length: 5\r\nContent-Length: 1\r\n", "a"), body: undefined },
  { name: "a space before the colon", why: "some trim names", text: ok("Content-Length : 1\r\n", "a"), body: undefined },
  { name: "a length as trailer", why: "who merges trailers keeps it", text: ok(TE, "1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n"), body: undefined },
  { name: "no version", why: "HTTP/0.9 is all body", text: "hello\r\n\r\n", body: undefined },
];
