// The inner listener: cluster-local names are served there and nowhere else.
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
