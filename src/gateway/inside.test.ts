// The inner listener: cluster-local names are served there and nowhere else, and revisions by their names, as Knative's activator serves them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { answering, backendEntry, hostEntry, ok, startClient, startGateway, startPod } from "./testing.ts";

const hosts = [
  hostEntry({ host: "public.test" }),
  hostEntry({ host: "local.test", visibility: "ClusterLocal" }),
  hostEntry({ host: "secure.test", redirectToHttps: true }),
];

const rows = [
  { name: "a cluster-local host from outside", from: "port", host: "local.test", want: /^HTTP\/1\.1 404 / },
  { name: "a cluster-local host from inside", from: "internalPort", host: "local.test", want: /^HTTP\/1\.1 200 / },
  { name: "a public host from inside", from: "internalPort", host: "public.test", want: /^HTTP\/1\.1 200 / },
  { name: "a host that is https only for those outside", from: "internalPort", host: "secure.test", want: /^HTTP\/1\.1 200 / },
  { name: "an unknown host from inside", from: "internalPort", host: "no.test", want: /^HTTP\/1\.1 404 / },
] as const;

for (const { name, from, host, want } of rows) {
  test(`inside: ${name}`, async () => {
    await using gateway = await startGateway();
    await using pod = await startPod(answering(() => ok("rev")));
    gateway.routes({ hosts, backends: [backendEntry({ pods: [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" }] })] });
    using client = await startClient(gateway.gateway[from]);
    client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(await client.closed(), want);
  });
}

const REVISION = ["Knative-Serving-Namespace: ns", "Knative-Serving-Revision: rev"];
const NOT_FOUND = /^HTTP\/1\.1 404 [^]*\r\n\r\nError getting active endpoint: revisions\.serving\.knative\.dev "gone" not found\n$/;

const named: readonly { name: string; from: "port" | "internalPort"; lines: readonly string[]; want: RegExp }[] = [
  { name: "a revision by its headers", from: "internalPort", lines: ["Host: any.test", ...REVISION], want: /200 OK[^]*host=any\.test revision=no$/ },
  {
    name: "a revision by its headers, with the Host that a hop before kept",
    from: "internalPort",
    lines: ["Host: 10.0.0.1", ...REVISION, "K-Original-Host: app.example.com"],
    want: /200 OK[^]*host=app\.example\.com revision=no$/,
  },
  { name: "a revision by its Service's name", from: "internalPort", lines: ["Host: rev.ns.svc.cluster.local:80"], want: /200 OK[^]*host=rev\.ns\.svc/ },
  { name: "a revision by its Service's short name", from: "internalPort", lines: ["Host: rev.ns.svc"], want: /200 OK/ },
  {
    name: "a revision that is not there",
    from: "internalPort",
    lines: ["Host: any.test", "Knative-Serving-Namespace: ns", "Knative-Serving-Revision: gone"],
    want: NOT_FOUND,
  },
  { name: "a name of a revision that is not there", from: "internalPort", lines: ["Host: gone.ns.svc.cluster.local"], want: NOT_FOUND },
  {
    name: "a Service is no revision",
    from: "internalPort",
    lines: ["Host: any.test", "Knative-Serving-Namespace: ns", "Knative-Serving-Revision: web:80"],
    want: /404 [^]*"web:80" not found\n$/,
  },
  {
    name: "a network probe of another ingress is answered without the revision",
    from: "internalPort",
    lines: ["Host: any.test", "Knative-Serving-Namespace: ns", "Knative-Serving-Revision: gone", "K-Network-Probe: probe", "K-Network-Hash: f00"],
    want: /200 OK\r\nK-Network-Hash: f00/,
  },
  { name: "headers of somebody outside are not believed", from: "port", lines: ["Host: any.test", ...REVISION], want: /404 [^]*no service answers/ },
  { name: "nor are names", from: "port", lines: ["Host: rev.ns.svc.cluster.local"], want: /404 [^]*no service answers/ },
];

for (const { name, from, lines, want } of named) {
  test(`by name: ${name}`, async () => {
    await using gateway = await startGateway();
    await using pod = await startPod(
      answering((head) => ok(`host=${/^host: (.*)\r$/im.exec(head)?.[1] ?? ""} revision=${/knative-serving-revision/i.test(head) ? "yes" : "no"}`)),
    );
    const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
    gateway.routes({ backends: [backendEntry({ pods }), backendEntry({ key: "ns/web:80", kind: "service", pods })] });
    using client = await startClient(gateway.gateway[from]);
    client.send(["GET / HTTP/1.1", ...lines, "Connection: close", "", ""].join("\r\n"));
    assert.match(await client.closed(), want);
  });
}
