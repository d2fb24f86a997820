// The resolver over its sockets: answers, what is asked elsewhere, what is too long, and what is no query.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver as Client } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { test, type TestContext } from "node:test";
import packets, { type Answer } from "dns-packet";
import { silentLogger, SimClock } from "#core";
import type { CoreService, EndpointSlice } from "#kinds";
import { Forwarder } from "./forwarder.ts";
import { startResolver } from "./resolver.ts";
import { ServiceBook } from "./service-book.ts";

const LOOPBACK = "127.0.0.1";

async function started(t: TestContext, { servers = [LOOPBACK], port = 1, enters = true } = {}) {
  const book = new ServiceBook();
  const set = (name: string, spec: object): void =>
    book.setService(`default/${name}`, { metadata: { name, namespace: "default" }, spec } as unknown as CoreService);
  set("plain", { clusterIP: "10.97.0.20", ports: [{ port: 80 }] });
  set("outside", { type: "ExternalName", externalName: "example.com" });
  set("many", { clusterIP: "None" });
  const endpoints = Array.from({ length: 90 }, (_, index) => ({ addresses: [`100.64.0.${index + 2}`] }));
  const labels = { "kubernetes.io/service-name": "many" };
  book.setSlice("default/many", { metadata: { name: "many", namespace: "default", labels }, endpoints, ports: [] } as unknown as EndpointSlice);
  const named: string[] = [];
  const resolver = await startResolver({
    address: LOOPBACK,
    port: 0,
    book,
    domain: "cluster.local",
    forwarder: new Forwarder({ servers: () => servers, clock: new SimClock(), port }),
    mayEnter: () => enters,
    onNamed: async (key) => void named.push(key),
    logger: silentLogger,
  });
  t.after(() => resolver.close());
  const client = new Client({ tries: 1 });
  client.setServers([`${LOOPBACK}:${resolver.port}`]);
  return { client, named, port: resolver.port };
}

/** A resolver of the machine: one that answers whatever it is asked. */
async function machine(t: TestContext, answers: readonly Answer[], before: readonly Buffer[] = []): Promise<{ readonly port: number }> {
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  socket.on("message", (query, from) => {
    const { id = 0, questions = [] } = packets.decode(query);
    for (const each of before) socket.send(each, from.port, from.address);
    socket.send(packets.encode({ type: "response", id, flags: 0x180, questions, answers: [...answers] }), from.port, from.address);
  });
  socket.bind(0, LOOPBACK);
  await once(socket, "listening");
  return { port: socket.address().port };
}

test("a Service's address is given away once its door is open, whatever the letters; what is not there is not", async (t) => {
  const { client, named } = await started(t);
  assert.deepEqual(await client.resolve4("Plain.Default.svc.cluster.local"), ["10.97.0.20"]);
  assert.deepEqual(named, ["default/plain"]);
  await assert.rejects(client.resolve4("nosuch.default.svc.cluster.local"), { code: "ENOTFOUND" });
  await assert.rejects(client.resolve6("plain.default.svc.cluster.local"), { code: "ENODATA" });
});

test("an answer that is too long for a datagram comes by a connection", async (t) => {
  const { client } = await started(t);
  assert.equal((await client.resolve4("many.default.svc.cluster.local")).length, 90);
});

test("other names are the machine's resolvers' to tell, also those that a Service stands for; a wrong id is not heard", async (t) => {
  const forged = packets.encode({ type: "response", id: 0, flags: 0x180, questions: [], answers: [{ type: "A", name: "example.com", data: "192.0.2.66" }] });
  const { port } = await machine(t, [{ type: "A", name: "example.com", ttl: 1, data: "192.0.2.1" }], [forged]);
  const { client } = await started(t, { port });
  assert.deepEqual(await client.resolve4("example.com"), ["192.0.2.1"]);
  assert.deepEqual(await client.resolve4("outside.default.svc.cluster.local"), ["192.0.2.1"]);
});

test("without a resolver of the machine the answer is that there is none now, not that there is no such name", async (t) => {
  const { client } = await started(t, { servers: [] });
  await assert.rejects(client.resolve4("example.com"), { code: "ESERVFAIL" });
});

test("who may not enter hears nothing; what is no query ends its connection and nothing else", async (t) => {
  const closed = await started(t, { enters: false });
  const refused = connect(closed.port, LOOPBACK);
  await once(refused, "close");
  const { client, port } = await started(t);
  const socket = connect(port, LOOPBACK);
  socket.write(Buffer.from([0, 4, 1, 2, 3, 4]));
  await once(socket, "close");
  assert.deepEqual(await client.resolve4("plain.default.svc.cluster.local"), ["10.97.0.20"]);
});
