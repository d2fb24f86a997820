// Knative's rules of a request, situation by situation (serving.md 4.2 to 4.12): what the client gets, and what the application saw.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { BackendPod, RoutePath } from "#protocol";
import { answering, backendEntry, eventually, hostEntry, ok, request, startClient, startGateway, startPod, type TestClient, type TestPod } from "./testing.ts";

function podEntry(pod: TestPod): BackendPod {
  return { id: "pod", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" };
}

/** The client's first answer, whatever it is. */
function answer(client: TestClient): Promise<string> {
  return client.until((text) => {
    const end = text.indexOf("\r\n\r\n");
    return end >= 0 && text.length >= end + 4 + Number(/Content-Length: (\d+)/.exec(text)?.[1] ?? 0);
  });
}

const KUBELET = ["User-Agent: kube-probe/1.34"];
const probes: readonly { name: string; lines: readonly string[]; host?: string; want: RegExp }[] = [
  { name: "a kubelet's at zero", lines: KUBELET, want: /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 0\r\n\r\n$/ },
  { name: "a kubelet's by header at zero", lines: ["K-Kubelet-Probe: true"], want: /^HTTP\/1\.1 200 OK\r\n/ },
  { name: "a kubelet's of the gateway itself, by address", lines: KUBELET, host: "10.0.0.7:8080", want: /^HTTP\/1\.1 200 OK\r\n/ },
  { name: "somebody else's by address", lines: ["User-Agent: curl/8"], host: "10.0.0.7:8080", want: /^HTTP\/1\.1 404 Not Found\r\n/ },
  { name: "the autoscaler's of the activator", lines: ["K-Network-Probe: activator"], want: /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nactivator$/ },
  {
    name: "one of a value that means something to HTML",
    lines: ['K-Network-Probe: <b>"it\'s"&'],
    want: /^HTTP\/1\.1 400 [^]*unexpected probe header value: "&lt;b&gt;&#34;it&#39;s&#34;&amp;"\n$/,
  },
  { name: "a kubelet's that asks for queue-proxy", lines: [...KUBELET, "K-Network-Probe: queue"], want: /unexpected probe header value: "queue"\n$/ },
];
for (const { name, lines, host = "app.test", want } of probes) {
  test(`probes wake nobody: ${name}`, async () => {
    await using gateway = await startGateway();
    gateway.routes({ hosts: [hostEntry()], backends: [backendEntry()] });
    using client = await startClient(gateway.gateway.port);
    client.send(request("/healthz", lines).replace("app.test", host));
    assert.match(await answer(client), want);
    assert.ok(!gateway.sent.some((message) => message.type === "wake" || message.type === "load"));
  });
}

test("a gateway that drains tells the kubelet so", async () => {
  await using gateway = await startGateway();
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry()] });
  using client = await startClient(gateway.gateway.port);
  client.send("GET / HTTP/1.1\r\nUser-Agent: kube-probe/1\r\n");
  await eventually(() => gateway.counter("eider_gateway_connections_total") === 1);
  gateway.gateway.receive({ type: "drain", graceMs: 1_000 });
  client.send("Host: app.test\r\n\r\n");
  assert.match(await client.closed(), /^HTTP\/1\.1 500 Internal Server Error\r\n[^]*\r\n\r\nreceived SIGTERM from kubelet\n$/);
});

test("with a pod there a kubelet's probe is a request like any other", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering(() => ok("the application")));
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods: [podEntry(pod)] })] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/", KUBELET));
  assert.match(await answer(client), /the application$/);
});

const seen: readonly { name: string; lines?: readonly string[]; path?: Partial<RoutePath>; sees: readonly RegExp[]; not?: readonly RegExp[] }[] = [
  {
    name: "neither routing headers nor those of other hops",
    lines: ["Knative-Serving-Revision: r", "Knative-Serving-Namespace: n", "K-Network-Hash: h", "K-Original-Host: evil.test", "K-Proxy-Request: activator"],
    sees: [/\r\nHost: app\.test\r\n/],
    not: [/knative-serving/i, /k-network/i, /k-original/i, /k-proxy/i, /evil/],
  },
  { name: "a tag of its own making", lines: ["Knative-Serving-Tag: blue"], sees: [/\r\nKnative-Serving-Tag: blue\r\n/] },
  {
    name: "the route's tag before the client's",
    lines: ["knative-serving-tag: mine"],
    path: { appendHeaders: [["Knative-Serving-Tag", "blue"]] },
    sees: [/\r\nKnative-Serving-Tag: blue\r\n/],
    not: [/mine/],
  },
  {
    name: "that the default route was taken",
    path: { appendHeaders: [["Knative-Serving-Default-Route", "true"]] },
    sees: [/\r\nKnative-Serving-Default-Route: true\r\n/],
  },
  { name: "another Host when the path says so", path: { rewriteHost: "inner.test" }, sees: [/^GET \/ HTTP\/1\.1\r\nHost: inner\.test\r\n/] },
  {
    name: "the mapped domain that was rewritten for routing",
    path: { rewriteHost: "inner.test", appendHeaders: [["K-Original-Host", "app.test"]] },
    sees: [/\r\nHost: app\.test\r\n/],
    not: [/inner/, /K-Original/],
  },
  {
    name: "traces and other headers as they came",
    lines: ["Traceparent: 00-1-2-01", "X-Any: a,  b"],
    sees: [/\r\nTraceparent: 00-1-2-01\r\n/, /\r\nX-Any: a, {2}b\r\n/],
  },
  {
    name: "who the client is",
    sees: [/\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/, /\r\nX-Forwarded-Proto: http\r\n/, /\r\nForwarded: for=127\.0\.0\.1;proto=http\r\n/],
  },
];
for (const { name, lines = [], path = {}, sees, not = [] } of seen) {
  test(`the application sees: ${name}`, async () => {
    await using gateway = await startGateway();
    let head = "";
    await using pod = await startPod(answering((text) => ((head = text), ok(""))));
    const splits = [{ backend: "ns/rev", percent: 100, appendHeaders: [] }];
    const paths = [{ prefix: "", headers: [], appendHeaders: [], splits, ...path }];
    gateway.routes({ hosts: [hostEntry({ paths })], backends: [backendEntry({ pods: [podEntry(pod)] })] });
    using client = await startClient(gateway.gateway.port);
    client.send(request("/", lines));
    await answer(client);
    for (const pattern of sees) assert.match(head, pattern);
    for (const pattern of not) assert.doesNotMatch(head, pattern);
  });
}

test("a redirect keeps host, path and query, and drops a port that is not that of https", async () => {
  await using gateway = await startGateway();
  gateway.routes({ hosts: [hostEntry({ redirectToHttps: true })] });
  for (const [method, host] of [
    ["GET", "app.test"],
    ["POST", "APP.test:8080"],
  ] as const) {
    using client = await startClient(gateway.gateway.port);
    client.send(`${method} /a/b?c=d HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
    assert.match(await answer(client), /^HTTP\/1\.1 301 Moved Permanently\r\nLocation: https:\/\/app\.test\/a\/b\?c=d\r\n[^]*\r\n\r\n$/);
  }
});

test("ten seconds before the head and before the body are nothing without a limit that says so", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  const steps: (() => void)[] = [];
  await using pod = await startPod((socket) =>
    socket.on("data", () =>
      steps.push(
        () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"),
        () => socket.write("late"),
      ),
    ),
  );
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods: [podEntry(pod)] })] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await eventually(() => steps.length === 2);
  await clock.advance(10_000);
  steps[0]?.();
  await client.until((text) => text.includes("200 OK"));
  await clock.advance(10_000);
  steps[1]?.();
  await client.until((text) => text.endsWith("\r\n\r\nlate"));
});

test("one deadline: what was waited for a pod is not given again", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  let asked = false;
  await using pod = await startPod((socket) => socket.on("data", () => (asked = true)));
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ timeoutMs: 300_000 })] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await gateway.message("wake");
  await clock.advance(290_000);
  gateway.routes({ backends: [backendEntry({ timeoutMs: 300_000, pods: [podEntry(pod)] })] });
  await eventually(() => asked);
  await clock.advance(9_900);
  assert.equal(client.text(), "");
  await clock.advance(200);
  assert.match(await answer(client), /^HTTP\/1\.1 504 [^]*\r\n\r\nrequest timeout$/);
});

for (const [name, limits, want] of [
  ["the start of the response is told of by a 1xx", { responseStartTimeoutMs: 2_000 }, /^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 504 /],
  ["and a 1xx puts off the idle limit", { idleTimeoutMs: 3_000 }, /^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 504 /],
] as const) {
  test(`timeouts: ${name}`, async () => {
    const clock = new SimClock();
    await using gateway = await startGateway(clock);
    let hint: (() => void) | undefined;
    await using pod = await startPod((socket) => socket.on("data", () => (hint = () => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n"))));
    gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ timeoutMs: 10_000, ...limits, pods: [podEntry(pod)] })] });
    using client = await startClient(gateway.gateway.port);
    client.send(request("/"));
    await eventually(() => hint !== undefined);
    await clock.advance(1_900);
    hint?.();
    await client.until((text) => text.includes("103"));
    await clock.advance(2_900);
    assert.ok(!client.text().includes("504"), "put off");
    await clock.advance(6_000);
    await client.until((text) => want.test(text));
  });
}

test("a response may begin and go on while the request's body still comes (full duplex)", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod((socket) => {
    let body = false;
    socket.on("data", (bytes: Buffer) => {
      const text = bytes.toString("latin1");
      if (!body) socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      body = true;
      if (text.includes("ping-")) socket.write(`6\r\n${/ping-\d/.exec(text)?.[0] ?? ""}\r\n`);
      if (text.includes("0\r\n\r\n")) socket.write("0\r\n\r\n");
    });
  });
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods: [podEntry(pod)] })] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/", ["Transfer-Encoding: chunked"], "POST"));
  for (let turn = 1; turn <= 3; turn++) {
    client.send(`6\r\nping-${turn}\r\n`);
    await client.until((text) => text.endsWith(`6\r\nping-${turn}\r\n`));
  }
  client.send("0\r\n\r\n");
  await client.until((text) => text.endsWith("0\r\n\r\n"));
});
