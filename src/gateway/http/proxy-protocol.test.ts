// PROXY headers as the specification has them (haproxy's proxy-protocol.txt), and what is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProxyHeader } from "./proxy-protocol.ts";
import { TrustedProxies } from "./trusted-proxies.ts";

const START = "\r\n\r\n\0\r\nQUIT\n";
const four = "\x0a\0\0\x07\x7f\0\0\x01\x30\x39\0\x50";
const six = `\x20\x01\x0d\xb8${"\0".repeat(11)}\x07${"\0".repeat(15)}\x01\x30\x39\0\x50`;
const mapped = `${"\0".repeat(10)}\xff\xff\x0a\0\0\x07${"\0".repeat(15)}\x01\x30\x39\0\x50`;
const two = (command: string, family: string, rest: string): string =>
  `${START}${command}${family}${String.fromCharCode(rest.length >> 8, rest.length & 255)}${rest}`;

const rows: readonly { readonly name: string; readonly text: string; readonly want: string | undefined }[] = [
  { name: "version 1, IPv4", text: "PROXY TCP4 10.0.0.7 127.0.0.1 12345 80\r\n", want: "10.0.0.7" },
  { name: "version 1, IPv6", text: "PROXY TCP6 2001:db8::7 ::1 12345 80\r\n", want: "2001:db8::7" },
  { name: "version 1, unknown", text: "PROXY UNKNOWN\r\n", want: undefined },
  { name: "version 1, unknown with addresses, which do not count", text: "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", want: undefined },
  { name: "version 1, IPv6 that calls itself IPv4", text: "PROXY TCP4 ::1 ::1 1 2\r\n", want: "malformed" },
  { name: "version 1, an address with a zone", text: "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", want: "malformed" },
  { name: "version 1, a port too large", text: "PROXY TCP4 10.0.0.7 127.0.0.1 65536 80\r\n", want: "malformed" },
  { name: "version 1, no ports", text: "PROXY TCP4 10.0.0.7 127.0.0.1\r\n", want: "malformed" },
  { name: "version 1, two spaces", text: "PROXY  TCP4 10.0.0.7 127.0.0.1 1 2\r\n", want: "malformed" },
  { name: "version 1, a bare LF", text: `PROXY TCP4 10.0.0.7 127.0.0.1 1 2\n${"x".repeat(107)}`, want: "malformed" },
  { name: "version 1 without end", text: "PROXY TCP4 10.0.0.7 127.0.0.1 1", want: "incomplete" },
  { name: "version 1 that does not end in 107 octets", text: `PROXY UNKNOWN ${"x".repeat(100)}`, want: "malformed" },
  { name: "version 1, a line of 108 octets", text: `PROXY UNKNOWN ${"x".repeat(92)}\r\n`, want: "malformed" },
  { name: "version 2, IPv4", text: two("\x21", "\x11", four), want: "10.0.0.7" },
  { name: "version 2, IPv6", text: two("\x21", "\x21", six), want: "2001:db8::7" },
  { name: "version 2, IPv4 in IPv6 form", text: two("\x21", "\x21", mapped), want: "10.0.0.7" },
  { name: "version 2 with extra fields, which are skipped", text: two("\x21", "\x11", `${four}\x01\0\x02h2`), want: "10.0.0.7" },
  { name: "version 2, local: a health check of the balancer", text: two("\x20", "\0", ""), want: undefined },
  { name: "version 2, a Unix socket", text: two("\x21", "\x31", "\0".repeat(216)), want: undefined },
  { name: "version 2, addresses cut short", text: two("\x21", "\x11", "\0\0"), want: "malformed" },
  { name: "version 2, an unknown command", text: two("\x22", "\x11", four), want: "malformed" },
  { name: "version 3", text: two("\x31", "\x11", four), want: "malformed" },
  { name: "version 2, too long", text: `${START}\x21\x11\x20\0`, want: "malformed" },
  { name: "nothing yet", text: "", want: "incomplete" },
  { name: "a request instead", text: "GET / HTTP/1.1\r\n\r\n", want: "malformed" },
  { name: "the beginning of a request", text: "P", want: "incomplete" },
  { name: "a POST", text: "PO", want: "malformed" },
];
for (const { name, text, want } of rows) {
  test(`PROXY headers: ${name}`, () => {
    const header = parseProxyHeader(Buffer.from(text, "latin1"));
    if (want === "incomplete" || want === "malformed") return assert.equal(header, want);
    assert.deepEqual(header, { end: text.length, address: want });
    // What comes behind is the client's; and whatever part has come, it is not malformed.
    assert.deepEqual(parseProxyHeader(Buffer.from(`${text}GET`, "latin1")), { end: text.length, address: want });
    for (let cut = 0; cut < text.length; cut++) assert.equal(parseProxyHeader(Buffer.from(text.slice(0, cut), "latin1")), "incomplete");
  });
}

test("trusted proxies are named by address or range; IPv4 in IPv6 form is IPv4", () => {
  const some = new TrustedProxies(["10.0.0.0/8", "192.168.1.1", "fd00::/8"]);
  const trusted = ["10.1.2.3", "192.168.1.1", "fd12::1", "::ffff:10.0.0.1"];
  const others = ["11.0.0.1", "192.168.1.2", "fe80::1", "", "10.0.0.1 ", "unknown"];
  assert.deepEqual(
    [...trusted, ...others].filter((address) => some.trusts(address)),
    trusted,
  );
  assert.equal(new TrustedProxies([]).trusts("127.0.0.1"), false);
  assert.equal(new TrustedProxies(["0.0.0.0/0", "::/0"]).trusts("2001:db8::1"), true);
});
