// The server's side of SPDY/3.1 over an in-memory connection: streams, half-close, resets, windows, back-pressure, limits, wrong frames.
import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test, type TestContext } from "node:test";
import { SimClock } from "#core";
import { RST } from "./spdy-frames.ts";
import { SpdyClient } from "./spdy-client.test-suite.ts";
import { SpdyConnection, type SpdyStream } from "./spdy.ts";

function world(t: TestContext, onStream: (stream: SpdyStream) => boolean = () => true) {
  const clock = new SimClock();
  const [ours, theirs] = duplexPair();
  const streams: SpdyStream[] = [];
  const spdy = new SpdyConnection(ours, {
    clock,
    onStream(stream) {
      streams.push(stream);
      return onStream(stream);
    },
  });
  const over = spdy.run();
  const client = new SpdyClient(theirs);
  t.after(async () => {
    theirs.destroy();
    ours.destroy();
    await over;
    await clock.advance(60_000);
    assert.equal(clock.waiting, 0, "something still waits");
    assert.ok(streams.every((stream) => stream.destroyed));
  });
  return { clock, client, spdy, streams, ours, over };
}

/** Sends back what comes, and ends when it ends. */
function echo(stream: SpdyStream): boolean {
  stream.pipe(stream);
  return true;
}

test("streams side by side, each with its reply first, its data and its end", async (t) => {
  const { client } = world(t, echo);
  client.open(1, { streamtype: "a" });
  client.open(3, { streamtype: "b" });
  client.write(3, "three");
  client.write(1, "one ");
  client.write(1, "more", true);
  client.write(3, "", true);
  assert.deepEqual([await client.all(1), await client.all(3)], ["one more", "three"]);
  assert.equal(client.frames[0]?.type, "synReply");
});

test("a stream that ends with its first frame, and headers that end one", async (t) => {
  const { client } = world(t, echo);
  client.open(1, {}, true);
  assert.equal(await client.all(1), "");
});

test("each side may end first: we go on after the client's end, and the other way round", async (t) => {
  const { client, streams } = world(t);
  client.open(1, {});
  await client.until(() => streams.length === 1);
  const [stream] = streams;
  stream?.end("bye");
  assert.equal(await client.all(1), "bye");
  client.write(1, "still here", true);
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  assert.equal(text, "still here");
  assert.deepEqual([...client.reset], []);
});

test("a client's reset destroys the stream alone", async (t) => {
  const { client, streams } = world(t, echo);
  client.open(1, {});
  client.open(3, {});
  client.send({ type: "rstStream", stream: 1, status: RST.cancel });
  client.write(3, "on", true);
  assert.equal(await client.all(3), "on");
  assert.equal(streams[0]?.destroyed, true);
});

test("refused: a stream that nobody wants, an even number, a number used before, data for what was never opened", async (t) => {
  const { client } = world(t, (stream) => stream.headers.get("streamtype") !== "odd");
  client.open(1, { streamtype: "odd" });
  client.open(2, {});
  client.open(5, {});
  client.open(3, {});
  client.write(9, "x");
  await client.until(() => client.reset.size === 4);
  assert.deepEqual(
    [...client.reset].toSorted(([a], [b]) => a - b),
    [
      [1, RST.cancel],
      [2, RST.protocolError],
      [3, RST.protocolError],
      [9, RST.invalidStream],
    ],
  );
});

test("one stream too many is refused", async (t) => {
  const { client } = world(t);
  for (let index = 0; index <= 1_000; index++) client.open(index * 2 + 1, {});
  await client.until(() => client.reset.size > 0);
  assert.deepEqual([...client.reset], [[2_001, RST.refusedStream]]);
});

test("a client's ping is answered, ours are numbered evenly and need no answer", async (t) => {
  const { client, clock } = world(t);
  client.send({ type: "ping", id: 7 });
  await client.until(() => client.frames.length === 1);
  assert.deepEqual(client.frames, [{ type: "ping", id: 7 }]);
  await clock.advance(30_000);
  await client.until(() => client.frames.length === 2);
  assert.deepEqual(client.frames[1], { type: "ping", id: 2 });
  client.send({ type: "ping", id: 2 });
});

test("idle for four hours: the connection ends; data in between keeps it", async (t) => {
  const { client, clock, over, ours } = world(t, echo);
  client.open(1, {});
  await clock.advance(3 * 3_600_000);
  client.write(1, "x");
  await client.until(() => client.data.get(1) === "x");
  await clock.advance(3 * 3_600_000);
  assert.equal(ours.destroyed, false);
  await clock.advance(3_600_000 + 60_000);
  await over;
});

test("a client that keeps account of windows is held to them", async (t) => {
  const { client, streams } = world(t);
  client.send({ type: "settings", windowBytes: 1_000 });
  client.open(1, {});
  await client.until(() => streams.length === 1);
  streams[0]?.end("x".repeat(2_500));
  const have = (): number => client.data.get(1)?.length ?? 0;
  await client.until(() => have() > 0);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(have(), 1_000);
  client.send({ type: "windowUpdate", stream: 1, bytes: 1_200 });
  await client.until(() => have() === 2_200);
  client.send({ type: "windowUpdate", stream: 1, bytes: 1_200 });
  assert.equal((await client.all(1)).length, 2_500);
});

test("the connection's own window holds for all streams together", async (t) => {
  const { client, streams } = world(t);
  client.send({ type: "settings", windowBytes: 1 << 20 });
  client.open(1, {});
  await client.until(() => streams.length === 1);
  streams[0]?.end("x".repeat(100_000));
  const have = (): number => client.data.get(1)?.length ?? 0;
  await client.until(() => have() === 65_536);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(have(), 65_536);
  client.send({ type: "windowUpdate", stream: 0, bytes: 65_536 });
  assert.equal((await client.all(1)).length, 100_000);
});

test("a client that never updates a window gets all the same: Kubernetes' own clients do not", async (t) => {
  const { client, streams } = world(t);
  client.open(1, {});
  await client.until(() => streams.length === 1);
  streams[0]?.end("x".repeat(300_000));
  assert.equal((await client.all(1)).length, 300_000);
});

test("what is read is told to the client in window updates, of the stream and of the connection", async (t) => {
  const { client, streams } = world(t);
  client.open(1, {});
  await client.until(() => streams.length === 1);
  streams[0]?.resume();
  client.write(1, Buffer.alloc(40_000));
  await client.until(() => client.frames.filter((frame) => frame.type === "windowUpdate").length === 2);
  assert.deepEqual(
    client.frames.filter((frame) => frame.type === "windowUpdate"),
    [
      { type: "windowUpdate", stream: 1, bytes: 40_000 },
      { type: "windowUpdate", stream: 0, bytes: 40_000 },
    ],
  );
});

test("what nobody reads is not kept without limit: the client has to wait", async (t) => {
  const { client, streams, clock } = world(t);
  client.open(1, {});
  // Headers are unpacked on another thread: what follows them waits for it.
  await client.until(() => client.frames.length === 1);
  let sent = 0;
  // A moment after each frame the connection has taken it, or takes nothing more.
  while (sent < 100 && (client.write(1, Buffer.alloc(64 << 10)) || (await clock.advance(0), !client.isFull))) sent += 1;
  assert.ok(sent > 1 && sent < 20, `${sent} frames were taken although nobody reads`);
  streams[0]?.resume();
  await client.drained();
});

test("GOAWAY: open streams go on, and with the last one the connection ends", async (t) => {
  const { client, over } = world(t, echo);
  client.open(1, {});
  client.send({ type: "goAway", lastStream: 0, status: 0 });
  client.write(1, "to the end", true);
  assert.equal(await client.all(1), "to the end");
  await client.until(() => client.ended);
  assert.equal(client.frames.at(-1)?.type, "goAway");
  void over;
});

const wrong = [
  { name: "bytes that are no frames", send: (client: SpdyClient) => client.raw(Buffer.from("GET / HTTP/1.1\r\n\r\n").map((byte) => byte | 0x80)) },
  {
    name: "headers that cannot be unpacked",
    send: (client: SpdyClient) => client.send({ type: "synStream", stream: 1, fin: false, block: Buffer.from("junk") }),
  },
  { name: "a reply to nothing", send: (client: SpdyClient) => client.send({ type: "synReply", stream: 2, fin: false, block: Buffer.alloc(0) }) },
];
for (const { name, send } of wrong) {
  test(`${name}: GOAWAY with a protocol error, and the end of all streams`, async (t) => {
    const { client, over, ours } = world(t, echo);
    client.open(3, {});
    await client.until(() => client.frames.length === 1);
    send(client);
    await client.until(() => client.ended);
    assert.deepEqual(client.frames.at(-1), { type: "goAway", lastStream: 3, status: 1 });
    await over;
    assert.equal(ours.writableEnded, true);
  });
}
