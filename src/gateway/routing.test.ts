// Which requests reach which revision, and what the gateway answers itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoutePath } from "#protocol";
import { answering, backendEntry, hostEntry, ok, startClient, startGateway, startPod } from "./testing.ts";

const path = (over: Partial<RoutePath>, backend = "ns/rev"): RoutePath => ({
  prefix: "",
  headers: [],
  appendHeaders: [],
  splits: [{ backend, percent: 100, appendHeaders: [] }],
  ...over,
});

const rows: readonly { name: string; head: string; want: RegExp }[] = [
  { name: "the host with another case, a port and a trailing dot", head: "GET / HTTP/1.1\r\nHost: APP.Test.:8080\r\n", want: /^HTTP\/1\.1 200 OK[^]*rev$/ },
  { name: "an absolute target goes before Host", head: "GET http://app.test/abs HTTP/1.1\r\nHost: other\r\n", want: /^HTTP\/1\.1 200 OK[^]*rev$/ },
  {
    name: "an unknown host",
    head: "GET / HTTP/1.1\r\nHost: no.test\r\n",
    want: /^HTTP\/1\.1 404 Not Found[^]*404 no service answers to the host "no\.test"\n$/,
  },
  { name: "a cluster-local host", head: "GET / HTTP/1.1\r\nHost: local.test\r\n", want: /^HTTP\/1\.1 404 / },
  { name: "the longest prefix", head: "GET /long/er?x HTTP/1.1\r\nHost: app.test\r\n", want: /long$/ },
  { name: "a header match before the plain path", head: "GET /x HTTP/1.1\r\nHost: app.test\r\nknative-serving-TAG: t\r\n", want: /tagged$/ },
  { name: "another header value", head: "GET /x HTTP/1.1\r\nHost: app.test\r\nKnative-Serving-Tag: u\r\n", want: /rev$/ },
  {
    name: "a host that is https only",
    head: "GET /a?b=c HTTP/1.1\r\nHost: secure.test:80\r\n",
    want: /^HTTP\/1\.1 301 Moved Permanently\r\nLocation: https:\/\/secure\.test\/a\?b=c\r\n/,
  },
  {
    name: "a network probe echoes its hash",
    head: "GET /healthz HTTP/1.1\r\nHost: app.test\r\nK-Network-Probe: probe\r\nK-Network-Hash: abc\r\n",
    want: /^HTTP\/1\.1 200 OK\r\nK-Network-Hash: abc\r\n/,
  },
  {
    name: "the hash override asks for the route's",
    head: "GET /healthz HTTP/1.1\r\nHost: app.test\r\nK-Network-Probe: probe\r\nK-Network-Hash: override\r\n",
    want: /K-Network-Hash: f00\r\n/,
  },
  {
    name: "a probe without a hash",
    head: "GET / HTTP/1.1\r\nHost: app.test\r\nK-Network-Probe: probe\r\n",
    want: /^HTTP\/1\.1 400 Bad Request\r\n[^]*a probe request must contain a non-empty "K-Network-Hash" header\n$/,
  },
  {
    name: "a probe of another kind",
    head: "GET / HTTP/1.1\r\nHost: app.test\r\nK-Network-Probe: queue\r\n",
    want: /400 [^]*unexpected probe header value: "queue"\n$/,
  },
  {
    name: "a revision that the gateway does not know",
    head: "GET /gone HTTP/1.1\r\nHost: app.test\r\n",
    want: /^HTTP\/1\.1 503 [^]*no revision "ns\/gone"\n$/,
  },
  {
    name: "HEAD of an error has no body",
    head: "HEAD / HTTP/1.1\r\nHost: no.test\r\n",
    want: /^HTTP\/1\.1 404 Not Found\r\n[^]*Content-Length: [1-9][0-9]\r\n\r\n$/,
  },
];

for (const { name, head, want } of rows) {
  test(`routes: ${name}`, async () => {
    await using gateway = await startGateway();
    const pods: AsyncDisposable[] = [];
    const backends = [];
    for (const [slot, key] of ["ns/rev", "ns/long", "ns/tagged"].entries()) {
      const pod = await startPod(answering(() => ok(key.slice(3))));
      pods.push(pod);
      backends.push(backendEntry({ key, pods: [{ id: key, slot, address: "127.0.0.1", port: pod.port, state: "ready" }] }));
    }
    const paths = [
      path({ headers: [["Knative-Serving-Tag", "t"]] }, "ns/tagged"),
      path({}),
      path({ prefix: "/long" }, "ns/long"),
      path({ prefix: "/gone" }, "ns/gone"),
    ];
    const hosts = [
      hostEntry({ paths, probeHash: "f00" }),
      hostEntry({ host: "local.test", visibility: "ClusterLocal" }),
      hostEntry({ host: "secure.test", redirectToHttps: true }),
    ];
    gateway.routes({ hosts, backends });
    using client = await startClient(gateway.gateway.port);
    client.send(`${head}\r\n`);
    await client.until((text) => want.test(text));
    for (const pod of pods) await pod[Symbol.asyncDispose]();
  });
}

test("a probe of a revision at zero wakes nothing", async () => {
  await using gateway = await startGateway();
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry()] });
  using client = await startClient(gateway.gateway.port);
  client.send("GET / HTTP/1.1\r\nHost: app.test\r\nK-Network-Probe: probe\r\nK-Network-Hash: abc\r\n\r\n");
  await client.until((text) => text.includes("200 OK"));
  assert.deepEqual(
    gateway.sent.map((message) => message.type),
    ["ack", "listening", "ack"],
  );
});

test("a split is exact over any 100 consecutive requests", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering((head) => ok(/X-Share: (\w)/.exec(head)?.[1] ?? "?")));
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  const shares = [
    ["a", 1],
    ["b", 29],
    ["c", 70],
  ] as const;
  const splits = shares.map(([name, percent]) => ({ backend: "ns/rev", percent, appendHeaders: [["X-Share", name]] as const }));
  gateway.routes({ hosts: [hostEntry({ paths: [path({ splits })] })], backends: [backendEntry({ pods })] });
  using client = await startClient(gateway.gateway.port);
  client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n".repeat(250));
  const text = await client.until((received) => received.match(/\r\n\r\n[abc]/g)?.length === 250);
  const order = [...text.matchAll(/\r\n\r\n([abc])/g)].map((match) => match[1]);
  for (let from = 0; from + 100 <= order.length; from++) {
    const window = order.slice(from, from + 100);
    for (const [name, percent] of shares) assert.equal(window.filter((share) => share === name).length, percent, `${name} from ${from}`);
  }
});
