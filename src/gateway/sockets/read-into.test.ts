// Accepted sockets read into our buffers on this Node, and into their own where Node is built in another way.
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
  const nextBuffer = (): Buffer | undefined => (reads.length === 1 ? buffers[1] : undefined);
  const read = (count: number, buffer: Buffer): void => {
    reads.push(`${buffers.indexOf(buffer)}: ${buffer.toString("latin1", 0, count)}`);
    if (reads.length === 3) resolve();
  };
  // Should this fail with a new Node: requests got dearer, not wrong.
  assert.equal(readInto(socket, { nextBuffer, read }, buffers[0] ?? Buffer.alloc(0)), true);
  client.write("12345678abcdefghABCD");
  await promise;
  assert.deepEqual(reads, ["0: 12345678", "1: abcdefgh", "1: ABCD"]);
  const ended = once(socket, "end");
  client.end();
  await ended;
  socket.destroy();
  server.close();
});

test("a socket of another make is read as streams are", async () => {
  const stream = new PassThrough();
  const { promise, resolve } = Promise.withResolvers<string>();
  const ours = Buffer.alloc(8);
  const read = (count: number, buffer: Buffer): void => resolve(`${buffer === ours} ${buffer.toString("latin1", 0, count)}`);
  assert.equal(readInto(stream as unknown as Socket, { nextBuffer: () => undefined, read }, ours), false);
  stream.write("hello");
  assert.equal(await promise, "false hello");
});
