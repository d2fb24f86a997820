// Where a pod's port is: recorded, named by its address, of a process that listens, or nowhere.
import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import type { Pod } from "#kinds";
import { ADDRESSES_ANNOTATION } from "../addresses.ts";
import { addressFor, dial } from "./pod-connect.ts";
import { podWith } from "./runtime-world.test-suite.ts";

const LOOPBACK = "127.0.0.1";

function podAt(record: Readonly<Record<string, string>>): Pod {
  const pod = podWith();
  return { ...pod, metadata: { ...pod.metadata, annotations: { [ADDRESSES_ANNOTATION]: JSON.stringify(record) } } };
}

async function listening(t: TestContext): Promise<number> {
  const server = createServer((socket) => socket.end("hello"));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  return (server.address() as AddressInfo).port;
}

test("addresses", async (t) => {
  const open = await listening(t);
  const pod = podAt({ 8080: `${LOOPBACK}:20001` });
  assert.deepEqual(await addressFor(pod, 8080, []), { host: LOOPBACK, port: 20_001 });
  assert.deepEqual(await addressFor(pod, 20_001, []), { host: LOOPBACK, port: 20_001 });
  assert.equal(await addressFor(pod, open, []), undefined, "a port of the machine is not the pod's");
});

test("a port that is open", async (t) => {
  const socket = await dial({ host: LOOPBACK, port: await listening(t) }, 1);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  assert.equal(text, "hello");
});

test("a port that is closed, and one that nobody knows", async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  t.diagnostic(`port ${port}`);
  await assert.rejects(dial({ host: LOOPBACK, port }, 8080), { message: `dial tcp4 127.0.0.1:${port}: connect: connection refused` });
  await assert.rejects(dial(undefined, 9), { message: "dial tcp4 127.0.0.1:9: connect: connection refused" });
});
