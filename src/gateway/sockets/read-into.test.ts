// Sockets read into our buffers on this Node, and into their own where Node is built in another way.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { readInto } from "./read-into.ts";

test("an accepted socket reads into the buffer that it is given, and into the next one after that", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  const buffers: Buffer[] = [Buffer.alloc(8), Buffer.alloc(8)];
  const reads: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const [first = Buffer.alloc(0), second = first] = buffers;
  const reader = { buffer: first, nextBuffer: (): Buffer | undefined => (reads.length === 1 ? (reader.buffer = second) : undefined), read };
  function read(count: number, buffer: Buffer): void {
    reads.push(`${buffers.indexOf(buffer)}: ${buffer.toString("latin1", 0, count)}`);
    if (reads.length === 3) resolve();
  }
  // Should one of these fail with a new Node: requests got dearer, not wrong.
  assert.equal(readInto(socket, reader), true);
  const told = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "kBufferCb") ?? Symbol("none");
  assert.ok(told in socket);
  Object.assign(socket, { [told]: () => assert.fail("the stream was told of a read") });
  client.write("12345678abcdefghABCD");
  await promise;
  assert.deepEqual(reads, ["0: 12345678", "1: abcdefgh", "1: ABCD"]);
  const ended = once(socket, "end");
  client.end();
  await ended;
  socket.destroy();
  server.close();
});

test("a socket that connects reads into the buffer that it is given; its stream tells of a reset", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const accepted = once(server, "connection");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<string>();
  const reader = {
    buffer: Buffer.alloc(8),
    nextBuffer: () => undefined,
    read: (count: number, buffer: Buffer): void => resolve(`${buffer === reader.buffer} ${buffer.toString("latin1", 0, count)}`),
  };
  assert.equal(readInto(socket, reader), true);
  const [peer] = (await accepted) as [Socket];
  peer.write("hello");
  assert.equal(await promise, "true hello");
  const failed = once(socket, "error");
  peer.resetAndDestroy();
  const [error] = (await failed) as [NodeJS.ErrnoException];
  assert.deepEqual([error.code, error.syscall], ["ECONNRESET", "read"]);
});

test("a socket of another make is read as streams are", async () => {
  const stream = new PassThrough();
  const { promise, resolve } = Promise.withResolvers<string>();
  const ours = Buffer.alloc(8);
  const read = (count: number, buffer: Buffer): void => resolve(`${buffer === ours} ${buffer.toString("latin1", 0, count)}`);
  assert.equal(readInto(stream as unknown as Socket, { buffer: ours, nextBuffer: () => undefined, read }), false);
  stream.write("hello");
  assert.equal(await promise, "false hello");
});
