// Whose word counts: forwarding headers and PROXY headers of trusted peers, and what becomes of those of others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { ClientSettings } from "#protocol";
import { answering, ok, oneReadyPod, request, startClient, startGateway, startPod, type TestGateway } from "./testing.ts";

function settle(gateway: TestGateway, trustedProxies: readonly string[], proxyProtocol: ClientSettings["proxyProtocol"] = "off"): void {
  gateway.gateway.receive({
    type: "settings",
    settings: { trustedProxies, requestLog: undefined, clients: { proxyProtocol, bodyIdleMs: 0, connectionsMax: 100 } },
  });
}

const LINES = ["X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test", "X: y"];
const believed = "X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\nForwarded: for=9.9.9.9;host=evil.test;proto=https, for=127.0.0.1\r\n";
const replaced = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nForwarded: for=127.0.0.1;proto=http\r\n";

const rows: readonly { readonly name: string; readonly trusted: readonly string[]; readonly lines: readonly string[]; readonly want: string }[] = [
  {
    name: "everyone is believed unless told otherwise",
    trusted: ["0.0.0.0/0", "::/0"],
    lines: LINES,
    want: `X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\nX: y\r\n${believed}`,
  },
  {
    name: "a peer of the list is believed",
    trusted: ["127.0.0.0/8"],
    lines: LINES,
    want: `X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\nX: y\r\n${believed}`,
  },
  { name: "what others say is replaced", trusted: ["10.0.0.0/8"], lines: LINES, want: `X: y\r\n${replaced}` },
  { name: "nobody is believed by an empty list", trusted: [], lines: ["Forwarded: for=9.9.9.9", "X_Forwarded_For: 9.9.9.9"], want: replaced },
];
for (const { name, trusted, lines, want } of rows) {
  test(`forwarding headers: ${name}`, async () => {
    await using gateway = await startGateway();
    let seen = "";
    await using pod = await startPod(answering((head) => ((seen = head), ok("x"))));
    oneReadyPod(gateway, pod);
    settle(gateway, trusted);
    using client = await startClient(gateway.gateway.port);
    client.send(request("/", lines));
    await client.until((text) => text.endsWith("x"));
    assert.equal(seen, `GET / HTTP/1.1\r\nHost: app.test\r\n${want}\r\n`);
  });
}

const TEXT = "PROXY TCP4 203.0.113.7 127.0.0.1 12345 80\r\n";
const BINARY = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\x7f\0\0\x01\x30\x39\0\x50";

for (const [name, header] of [
  ["version 1", TEXT],
  ["version 2", BINARY],
] as const) {
  test(`PROXY protocol ${name}: the application sees the client's address, however the header is cut`, async () => {
    await using gateway = await startGateway();
    const seen: string[] = [];
    await using pod = await startPod(answering((head) => (seen.push(head), ok("x"))));
    oneReadyPod(gateway, pod);
    settle(gateway, ["127.0.0.1"], "required");
    using whole = await startClient(gateway.gateway.port);
    whole.send(header + request("/", ["X-Forwarded-For: 9.9.9.9"]));
    await whole.until((text) => text.endsWith("x"));
    using cut = await startClient(gateway.gateway.port);
    for (const octet of header + request("/")) {
      cut.send(octet);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await cut.until((text) => text.endsWith("x"));
    // The client itself is no trusted proxy.
    assert.deepEqual(
      seen.map((head) => /X-Forwarded-For: .*/.exec(head)?.[0]),
      ["X-Forwarded-For: 203.0.113.7", "X-Forwarded-For: 203.0.113.7"],
    );
  });
}

test("PROXY protocol: a health check of the balancer has the balancer's address", async () => {
  await using gateway = await startGateway();
  let seen = "";
  await using pod = await startPod(answering((head) => ((seen = head), ok("x"))));
  oneReadyPod(gateway, pod);
  settle(gateway, ["127.0.0.1"], "required");
  using client = await startClient(gateway.gateway.port);
  client.send(`PROXY UNKNOWN\r\n${request("/")}`);
  await client.until((text) => text.endsWith("x"));
  assert.match(seen, /X-Forwarded-For: 127\.0\.0\.1\r\n/);
});

const refused: readonly { readonly name: string; readonly trusted: string; readonly text: string }[] = [
  { name: "a request without a header", trusted: "127.0.0.1", text: request("/") },
  { name: "a header of a peer that is not trusted", trusted: "10.0.0.1", text: TEXT + request("/") },
  { name: "a malformed header", trusted: "127.0.0.1", text: `PROXY TCP4 nobody 127.0.0.1 1 2\r\n${request("/")}` },
];
for (const { name, trusted, text } of refused) {
  test(`PROXY protocol: ${name} ends the connection without a word`, async () => {
    await using gateway = await startGateway();
    settle(gateway, [trusted], "required");
    using client = await startClient(gateway.gateway.port);
    client.send(text);
    assert.equal(await client.closed(), "");
  });
}

test("PROXY protocol: a header that does not come in a minute ends the connection; requests from inside need none", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  settle(gateway, ["127.0.0.1"], "required");
  using client = await startClient(gateway.gateway.port);
  using inside = await startClient(gateway.gateway.internalPort);
  client.send("PROXY");
  inside.send(request("/"));
  await inside.until((text) => text.includes("404"));
  await clock.advance(62_000);
  assert.equal(await client.closed(), "");
});

test("PROXY protocol: when it is off, a header is no request", async () => {
  await using gateway = await startGateway();
  using client = await startClient(gateway.gateway.port);
  client.send(TEXT + request("/"));
  assert.match(await client.closed(), /^HTTP\/1\.1 400 /);
});
