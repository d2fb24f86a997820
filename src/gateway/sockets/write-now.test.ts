// Writes past the streams on this Node: through, late, in order with the stream's own, and failed.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { test, type TestContext } from "node:test";
import { Outbox, Sender } from "./outbox.ts";
import { handleOf, type Handle } from "./write-now.ts";

const nothing = (): void => undefined;

function handleIn(socket: Socket): Handle {
  const handle = handleOf(socket);
  // Should this fail with a new Node: requests got dearer, not wrong.
  assert.ok(handle !== undefined);
  return handle;
}

async function pair(t: TestContext): Promise<{ readonly ours: Socket; readonly theirs: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const ours = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [theirs] = (await once(server, "connection")) as [Socket];
  if (ours.connecting) await once(ours, "connect");
  t.after(() => {
    ours.destroy();
    theirs.destroy();
    server.close();
  });
  return { ours, theirs };
}

test("a text goes out without the stream", async (t) => {
  const { ours, theirs } = await pair(t);
  assert.equal(handleIn(ours).writeLatin1String(null, "h\u00e9llo"), 0);
  theirs.resume();
  const [bytes] = (await once(theirs, "data")) as [Buffer];
  assert.equal(bytes.toString("latin1"), "h\u00e9llo");
});

test("what a peer does not read waits, the stream keeps count of what comes behind it, and all arrives in order", async (t) => {
  const { ours, theirs } = await pair(t);
  const sender = new Sender(ours, new Outbox());
  let sent = "";
  // At last the system takes no more, and then the stream says so.
  for (let index = 0, room = true; room; index++) {
    const text = `${String(index).padStart(9, "0")};`.repeat(1_000);
    sent += text;
    room = sender.write(text);
    sender.flush();
    assert.ok(index < 10_000, "a peer that reads nothing takes 100 MB");
  }
  assert.ok(ours.writableLength > 0);
  const drained = once(ours, "drain");
  let read = "";
  theirs.on("data", (bytes: Buffer) => (read += bytes.toString("latin1")));
  theirs.resume();
  await drained;
  sender.write("end");
  sender.flush();
  ours.end();
  await once(theirs, "end");
  assert.ok(read === `${sent}end`);
});

test("an error ends the socket as one of its own writes would", async (t) => {
  const { ours, theirs } = await pair(t);
  ours.on("error", nothing);
  ours.end();
  await once(ours, "finish");
  const failed = once(ours, "error");
  const sender = new Sender(ours, new Outbox());
  sender.write("x");
  sender.flush();
  const [error] = (await failed) as [NodeJS.ErrnoException];
  assert.deepEqual([error.code, error.syscall, error.message, error.errno], ["EPIPE", "write", "write EPIPE", -32]);
  theirs.destroy();
});

test("a socket that was destroyed takes no text and no harm, before its handle is closed and after", async (t) => {
  const { ours, theirs } = await pair(t);
  const sender = new Sender(ours, new Outbox());
  sender.write("first");
  sender.flush();
  const [bytes] = (await once(theirs.resume(), "data")) as [Buffer];
  assert.equal(bytes.toString("latin1"), "first");
  ours.on("error", (error) => assert.fail(error));
  ours.destroy();
  sender.write("second");
  sender.flush();
  await once(ours, "close");
  sender.write("third");
  sender.flush();
  theirs.on("data", (more: Buffer) => assert.fail(more.toString("latin1")));
  await once(theirs, "end");
});

test("a socket that connects and one of another make are written to as streams are", async (t) => {
  const { theirs } = await pair(t);
  const connecting = connect(theirs.localPort ?? 0, "127.0.0.1");
  t.after(() => connecting.destroy());
  assert.equal(handleOf(connecting), undefined);
  assert.equal(handleOf(Object.assign(new PassThrough(), { connecting: false }) as unknown as Socket), undefined);
});
