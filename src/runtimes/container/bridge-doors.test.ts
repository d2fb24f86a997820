import assert from "node:assert/strict";
import { createServer, connect, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { silentLogger } from "#core";
import { bridgeDoors } from "./bridge-doors.ts";

/** Another of this machine's addresses stands for the one on the bridge. */
const BRIDGE = "127.0.0.2";

async function echo(t: TestContext): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

test("a door leads from the bridge to the loopback, and half a connection may end before the other", { skip: process.platform !== "linux" }, async (t) => {
  const port = await echo(t);
  const doors = bridgeDoors(BRIDGE, [{ port, to: port }], silentLogger);
  t.after(() => doors.close());
  await Promise.all([doors.open(), doors.open()]);
  const socket = connect({ host: BRIDGE, port, allowHalfOpen: true });
  socket.end("hello");
  assert.equal(await text(socket), "hello");
});

test("a port that somebody has, or an address that is not there, closes no other door", { skip: process.platform !== "linux" }, async (t) => {
  const port = await echo(t);
  const other = await echo(t);
  const blocker = createServer();
  t.after(() => blocker.close());
  await new Promise<void>((resolve) => blocker.listen(port, BRIDGE, resolve));
  const doors = bridgeDoors(
    BRIDGE,
    [
      { port, to: port },
      { port: other, to: other },
    ],
    silentLogger,
  );
  t.after(() => doors.close());
  await doors.open();
  const socket = connect({ host: BRIDGE, port: other, allowHalfOpen: true });
  socket.end("through");
  assert.equal(await text(socket), "through");
  // Of no machine: TEST-NET-3.
  const elsewhere = bridgeDoors("203.0.113.1", [{ port: other, to: other }], silentLogger);
  t.after(() => elsewhere.close());
  await elsewhere.open();
});
