// Writes of a turn: together at its end, in order, never held back from a socket that is behind.
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { Outbox, Sender, type Writes } from "./outbox.ts";

/** A socket that takes note of what is written; `behind` bytes of it are not sent yet. */
function fakeSocket(log: string[], name = ""): Writes & { behind: number; gone: boolean } {
  const socket = {
    behind: 0,
    gone: false,
    get writableLength() {
      return socket.behind;
    },
    get destroyed() {
      return socket.gone;
    },
    write(data: string | Buffer, encodingOrWritten?: unknown, written?: () => void): boolean {
      log.push(`${name}${typeof data === "string" ? "text" : "bytes"} ${data.toString()}`);
      (typeof encodingOrWritten === "function" ? (encodingOrWritten as () => void) : written)?.();
      return socket.behind === 0;
    },
  };
  return socket as unknown as Writes & { behind: number; gone: boolean };
}

test("texts of a turn go out at its end, those of one connection as one", async () => {
  const log: string[] = [];
  const outbox = new Outbox();
  const first = new Sender(fakeSocket(log, "1 "), outbox);
  const second = new Sender(fakeSocket(log, "2 "), outbox);
  assert.equal(first.write("a"), true);
  second.write("b");
  first.write("c");
  assert.deepEqual(log, []);
  await turn();
  assert.deepEqual(log, ["1 text ac", "2 text b"]);
  first.write("d");
  await turn();
  assert.deepEqual(log.slice(2), ["1 text d"]);
});

test("bytes do not overtake the text before them", () => {
  const log: string[] = [];
  const sender = new Sender(fakeSocket(log), new Outbox());
  sender.write("head");
  let written = 0;
  sender.write(Buffer.from("body"), () => written++);
  assert.deepEqual(log, ["text head", "bytes body"]);
  assert.equal(written, 1);
});

test("a socket that is behind gets its text at once, and says that it is", () => {
  const log: string[] = [];
  const socket = fakeSocket(log);
  const sender = new Sender(socket, new Outbox());
  sender.write(Buffer.from("a"));
  socket.behind = 100_000;
  assert.equal(sender.write("b"), false);
  assert.deepEqual(log, ["bytes a", "text b"]);
  socket.behind = 0;
  assert.equal(sender.write("c"), true);
  assert.equal(log.length, 2, "once it is not behind any more its text waits again");
});

test("little waits: a long text goes out at once, and so does what would make the text that waits long", () => {
  const log: string[] = [];
  const sender = new Sender(fakeSocket(log), new Outbox());
  sender.write("x".repeat(20_000));
  assert.equal(log.length, 1);
  sender.write("y".repeat(10_000));
  assert.equal(log.length, 1);
  sender.write("z".repeat(10_000));
  assert.equal(log.length, 3);
});

test("nobody waits for more than 64 others", () => {
  const log: string[] = [];
  const outbox = new Outbox();
  for (let index = 0; index < 65; index++) new Sender(fakeSocket(log), outbox).write(String(index));
  assert.equal(log.length, 64);
});

test("what waits for a connection that has gone is thrown away", async () => {
  const log: string[] = [];
  const socket = fakeSocket(log);
  new Sender(socket, new Outbox()).write("a");
  socket.gone = true;
  await turn();
  assert.deepEqual(log, []);
});
