// Connections that wait are accepted in one turn on this Node; where it is built in another way, one by one.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { allWaiting } from "../testing.ts";
import { acceptBursts } from "./accept-bursts.ts";

const CLIENTS = 20;

/** Connections that `server` tells of in the turn in which it tells of the first of `CLIENTS` that wait. */
async function inOneTurn(server: Server, prepare: (server: Server) => void, seen: (socket: Socket) => void = () => undefined): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  prepare(server);
  let count = 0;
  const turn = new Promise<number>((resolve) => {
    server.on("connection", (socket) => {
      socket.on("error", () => socket.destroy());
      if (count++ === 0) setImmediate(() => resolve(count));
      seen(socket);
    });
  });
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: CLIENTS }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  try {
    await allWaiting(port, CLIENTS);
    return await turn;
  } finally {
    for (const client of clients) client.destroy();
    server.close();
  }
}

test("what waits is accepted in the turn of the first", async () => {
  // Should this fail with a new Node: connections come one by one again, and nothing else is wrong.
  const prepare = (server: Server): void => assert.equal(acceptBursts(server), true);
  assert.equal(await inOneTurn(createServer(), prepare), CLIENTS);
});

test("without it the event loop accepts one a turn; a Node where this fails does not need it", async () => {
  assert.equal(await inOneTurn(createServer(), () => undefined), 1);
});

test("one burst is so large and no larger", async () => {
  assert.equal(await inOneTurn(createServer(), (server) => void acceptBursts(server, 8)), 8);
});

test("a server that closes accepts nothing more", async () => {
  const server = createServer();
  const close = (): void => void server.close();
  assert.equal(await inOneTurn(server, (listening) => void acceptBursts(listening), close), 1);
});

test("connections of a burst are as those that the event loop accepts", async () => {
  const server = createServer({ noDelay: true });
  const addresses = new Set<string>();
  const answers: Promise<unknown>[] = [];
  const seen = (socket: Socket): void => {
    addresses.add(`${socket.remoteAddress}:${socket.remotePort}`);
    answers.push(once(socket, "close"));
  };
  assert.equal(await inOneTurn(server, (listening) => void acceptBursts(listening), seen), CLIENTS);
  assert.equal(addresses.size, CLIENTS);
  // Their ends are seen, and their descriptors given back.
  await Promise.all(answers);
});

test("what cannot be told of is closed, and leaves nothing", async (t) => {
  const opened: unknown[] = [];
  const closed = new Set<unknown>();
  const prepare = (server: Server): void => {
    acceptBursts(server);
    const handles = Object.getPrototypeOf((server as unknown as Readonly<Record<"_handle", object>>)["_handle"]) as { open(fd: number): number; close(): void };
    const { close } = handles;
    t.mock.method(handles, "open", function (this: unknown) {
      opened.push(this);
      return -1;
    });
    t.mock.method(handles, "close", function (this: unknown, ...args: []) {
      closed.add(this);
      close.apply(this as typeof handles, args);
    });
  };
  assert.equal(await inOneTurn(createServer(), prepare), 1);
  assert.ok(opened.length > 0);
  assert.deepEqual(
    opened.filter((handle) => !closed.has(handle)),
    [],
  );
});

test("a server that does not listen is left as it is", () => {
  assert.equal(acceptBursts(createServer()), false);
});
