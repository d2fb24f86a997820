// Splits that lead back to the gateway, and Services of others: what the application gets, without a connection in between.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoutePath } from "#protocol";
import { answering, backendEntry, hostEntry, ok, startClient, startGateway, startPod } from "../testing.ts";

const path = (over: Partial<RoutePath>): RoutePath => ({ prefix: "", headers: [], appendHeaders: [], splits: [], ...over });
const back = (over: Partial<RoutePath>): RoutePath => path({ splits: [{ backend: "", percent: 100, appendHeaders: [], to: "gateway" }], ...over });
const routed = (backend: string, to?: "service"): RoutePath["splits"] => [
  { backend, percent: 100, appendHeaders: [["Knative-Serving-Revision", "rev"]], ...(to === undefined ? {} : { to }) },
];

const hosts = [
  hostEntry({ host: "inner.ns.svc", visibility: "ClusterLocal", paths: [path({ splits: routed("ns/rev"), appendHeaders: [["A", "inner"]] })] }),
  hostEntry({ host: "vanity.test", paths: [back({ rewriteHost: "inner.ns.svc", appendHeaders: [["B", "outer"]] })] }),
  hostEntry({ host: "mapped.test", paths: [back({ rewriteHost: "inner.ns.svc", appendHeaders: [["K-Original-Host", "mapped.test"]] })] }),
  hostEntry({ host: "twice.test", paths: [back({ rewriteHost: "vanity.test", appendHeaders: [["A", "outer"]] })] }),
  hostEntry({ host: "circle.test", paths: [back({})] }),
  hostEntry({ host: "lost.test", paths: [back({ rewriteHost: "nowhere.test" })] }),
  hostEntry({ host: "service.test", paths: [path({ splits: routed("ns/web:80", "service"), appendHeaders: [["K-Original-Host", "o.test"]] })] }),
  hostEntry({ host: "empty.test", paths: [path({ splits: routed("ns/empty:80", "service") })] }),
  hostEntry({
    host: "both.test",
    paths: [path({ prefix: "/local", splits: routed("ns/rev"), isLocal: true }), path({ splits: routed("ns/web:80", "service") })],
  }),
];

const rows: readonly { name: string; host: string; target?: string; want: RegExp }[] = [
  {
    name: "the inner route's application sees the rewritten Host and the headers of both",
    host: "vanity.test",
    want: /200 OK[^]*host=inner\.ns\.svc a=inner b=outer/,
  },
  { name: "a mapped domain's application sees the name that the client used", host: "mapped.test", want: /200 OK[^]*host=mapped\.test a=inner/ },
  { name: "twice; headers of the inner route win", host: "twice.test", want: /200 OK[^]*host=inner\.ns\.svc a=inner b=outer/ },
  { name: "a circle", host: "circle.test", want: /508 Loop Detected[^]*lead back to themselves/ },
  { name: "to a host that nobody serves", host: "lost.test", want: /404 / },
  {
    name: "a Service of somebody else gets Knative's routing headers",
    host: "service.test",
    want: /200 OK[^]*host=service\.test [^]*original=o\.test revision=rev/,
  },
  { name: "a Service without endpoints", host: "empty.test", want: /503 [^]*no endpoint of "ns\/empty:80" is ready\n$/ },
  { name: "a local path of a host that is open", host: "both.test", target: "/local", want: /200 OK[^]*revision=rev/ },
];

for (const { name, host, target = "/", want } of rows) {
  test(`leads back: ${name}`, async () => {
    await using gateway = await startGateway();
    const field = (head: string, key: string): string => new RegExp(`^${key}: (.*)\r$`, "im").exec(head)?.[1] ?? "";
    await using pod = await startPod(
      answering((head) => {
        const names = ["host", "a", "b"].map((key) => `${key}=${field(head, key)}`);
        return ok(`${names.join(" ")} original=${field(head, "k-original-host")} revision=${field(head, "knative-serving-revision")}`);
      }),
    );
    const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
    const backends = [backendEntry({ pods }), backendEntry({ key: "ns/web:80", kind: "service", pods }), backendEntry({ key: "ns/empty:80", kind: "service" })];
    gateway.routes({ hosts, backends });
    using client = await startClient(gateway.gateway.port);
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const text = await client.closed();
    assert.match(text, want);
    assert.equal(
      gateway.sent.some(({ type }) => type === "wake"),
      false,
      "nobody is woken",
    );
  });
}
