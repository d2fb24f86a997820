// Buffers that are used again: what several clients send at once reaches the pods unmixed, whatever the pace.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { SeededRng } from "#core";
import { ReadBuffers, ReadSpace, READ_BYTES } from "./read-buffers.ts";
import { backendEntry, hostEntry, ok, request, startClient, startGateway, startPod } from "../testing.ts";

/** More than the system's own buffers take for a pod that does not read. */
const SIZE = 6 << 20;
const CLIENTS = 4;
const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Takes a head and `SIZE` octets, all but the first when it is told to, and answers with their digest. */
function hashing(socket: Socket, { goOn, answer }: { readonly goOn: Promise<unknown>; readonly answer: (digest: string) => string }): void {
  const parts: Buffer[] = [];
  let head = "";
  let size = 0;
  socket.on("data", (bytes: Buffer) => {
    const isHead = !head.includes("\r\n\r\n");
    if (isHead) head += bytes.toString("latin1");
    const body = isHead ? bytes.subarray(Math.max(0, bytes.indexOf("\r\n\r\n") + 4)) : bytes;
    if (isHead && head.includes("Upgrade:")) socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: octets\r\n\r\n");
    parts.push(body);
    size += body.length;
    if (size > 0) {
      socket.pause();
      void goOn.then(() => socket.resume());
    }
    if (size === SIZE) socket.write(answer(digest(Buffer.concat(parts))));
  });
}

for (const way of ["upload", "tunnel"] as const) {
  test(`what four clients send at once by ${way} is what the pod gets from each`, async () => {
    const stuck = Array.from({ length: CLIENTS }, () => Promise.withResolvers<void>());
    await using gateway = await startGateway();
    await using pod = await startPod((socket) =>
      hashing(socket, { goOn: Promise.all(stuck.map(({ promise }) => promise)), answer: (hash) => (way === "upload" ? ok(hash) : hash) }),
    );
    gateway.routes({
      hosts: [hostEntry()],
      backends: [backendEntry({ pods: [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" }] })],
    });
    const rng = new SeededRng(3);
    const send = async (_: unknown, index: number): Promise<void> => {
      using client = await startClient(gateway.gateway.port);
      const { socket } = client;
      const bytes = Buffer.from(Uint32Array.from({ length: SIZE / 4 }, () => rng.uint32()).buffer);
      client.send(way === "upload" ? request("/", [`Content-Length: ${SIZE}`], "POST") : request("/", ["Connection: Upgrade", "Upgrade: octets"]));
      if (way === "tunnel") await client.until((text) => text.endsWith("\r\n\r\n"));
      socket.write(bytes, () => stuck[index]?.resolve());
      await whenStuck(socket);
      stuck[index]?.resolve();
      const answer = await client.until((text) => /[0-9a-f]{64}$/.test(text));
      assert.ok(answer.endsWith(digest(bytes)), "octets were mixed up");
    };
    await Promise.all(Array.from({ length: CLIENTS }, send));
  });
}

/** Resolves when nothing more of what a socket has to send goes out. */
async function whenStuck(socket: Socket): Promise<void> {
  for (let sent = -1, same = 0; same < 100; same = socket.bytesWritten - socket.writableLength === sent ? same + 1 : 0) {
    sent = socket.bytesWritten - socket.writableLength;
    await turn();
  }
}

test("a large read takes its buffer along until it is released; a small one is copied", () => {
  const buffers = new ReadBuffers();
  const space = new ReadSpace(buffers);
  assert.equal(space.next(), undefined);
  const first = space.lasting(READ_BYTES, buffers.shared);
  assert.notEqual(first.buffer, buffers.shared.buffer);
  const own = space.next();
  assert.ok(own !== undefined);
  const small = space.lasting(3, own);
  assert.notEqual(small.buffer, own.buffer);
  assert.equal(space.release, undefined);
  assert.equal(space.next(), undefined, "the buffer of a small read serves again");
  const large = space.lasting(READ_BYTES, own);
  assert.equal(large.buffer, own.buffer);
  assert.notEqual(space.next(), own, "a buffer that was given away is not read into");
  (space as ReadSpace).release?.();
  assert.equal(buffers.take(), own);
  space.streams = false;
  assert.equal(space.next(), buffers.shared);
});
