// Forwarded ports over SPDY, bare and inside of a websocket: pairs of streams, errors, many at once, refusals.
import assert from "node:assert/strict";
import { duplexPair, PassThrough, type Duplex } from "node:stream";
import { test, type TestContext } from "node:test";
import { SimClock } from "#core";
import type { ApiRequest } from "../index.ts";
import { acceptForward } from "./port-forward.ts";
import { SpdyClient } from "./spdy-client.test-suite.ts";
import { encodeFrame, OPCODES } from "./websocket-frames.ts";

const REFUSED = "dial tcp4 127.0.0.1:81: connect: connection refused";
const SPDY = { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": "portforward.k8s.io" };
const TUNNEL = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io",
};

/** Port 80 sends back what comes, port 81 refuses, port 82 is what the test makes of it. */
function connect(port: number, other: Duplex): Promise<Duplex> {
  if (port === 81) return Promise.reject(new Error(REFUSED));
  return Promise.resolve(port === 82 ? other : new PassThrough());
}

/** The client's frames go into websocket messages, and the server's come out of them. Messages of these tests are cut at will. */
function tunnelled(socket: Duplex): Duplex {
  const [near, far] = duplexPair();
  far.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += 1_000)
      socket.write(encodeFrame(OPCODES.binary, chunk.subarray(at, at + 1_000), { mask: Uint8Array.of(5, 6, 7, 8) }));
  });
  let have = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    have = Buffer.concat([have, chunk]);
    for (;;) {
      const short = (have[1] ?? 0) & 0x7f;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (have.length < head) return;
      const length = short === 126 ? have.readUInt16BE(2) : short === 127 ? Number(have.readBigUInt64BE(2)) : short;
      if (have.length < head + length) return;
      if (((have[0] ?? 0) & 15) === OPCODES.binary) far.write(have.subarray(head, head + length));
      else far.end();
      have = have.subarray(head + length);
    }
  });
  return near;
}

function world(t: TestContext, headers: Record<string, string>) {
  const clock = new SimClock();
  const [port82, behind82] = duplexPair();
  const request: ApiRequest = { method: "upgrade" in headers && headers["upgrade"] === "websocket" ? "GET" : "POST", target: "/", headers };
  const answer = acceptForward(request, { clock, where: "to pod p, uid u", connect: (port) => connect(port, port82) });
  assert.equal(answer.status, 101);
  const [ours, theirs] = duplexPair();
  const over = answer.takeOver?.(ours);
  const client = new SpdyClient(headers === TUNNEL ? tunnelled(theirs) : theirs);
  t.after(async () => {
    theirs.destroy();
    ours.destroy();
    await over;
    await clock.advance(60_000);
    assert.equal(clock.waiting, 0, "something still waits");
  });
  const open = (id: number, port: number, requestid: string): void => {
    client.open(id, { streamtype: "error", port: String(port), requestid }, true);
    client.open(id + 2, { streamtype: "data", port: String(port), requestid });
  };
  return { client, clock, open, behind82, port82, answer };
}

for (const [name, headers] of [
  ["SPDY", SPDY],
  ["SPDY in a websocket", TUNNEL],
] as const) {
  test(`${name}: connections at once, each with its own data, its end, and no error`, async (t) => {
    const { client, open } = world(t, headers);
    for (let index = 0; index < 20; index++) open(index * 4 + 1, 80, String(index));
    for (let index = 0; index < 20; index++) client.write(index * 4 + 3, `number ${index} `.repeat(500), true);
    for (let index = 0; index < 20; index++) {
      assert.equal(await client.all(index * 4 + 3), `number ${index} `.repeat(500));
      assert.equal(await client.all(index * 4 + 1), "");
    }
    assert.deepEqual([...client.reset], []);
  });

  test(`${name}: a refused port is told on the error stream; the next connection is not affected`, async (t) => {
    const { client, open } = world(t, headers);
    open(1, 81, "0");
    assert.equal(await client.all(1), `error forwarding port 81 to pod p, uid u: ${REFUSED}`);
    await client.until(() => client.reset.has(3));
    open(5, 80, "1");
    client.write(7, "fine", true);
    assert.equal(await client.all(7), "fine");
  });
}

test("a connection has no end of connections, as long as they end: each gives back its two streams", async (t) => {
  const { client, open } = world(t, SPDY);
  for (let index = 0; index < 1_001; index++) {
    const data = index * 4 + 3;
    open(data - 2, 80, String(index));
    client.write(data, "x", true);
    await client.until(() => client.reset.size > 0 || (client.finished.has(data) && client.finished.has(data - 2)));
    assert.deepEqual([client.data.get(data), [...client.reset.keys()]], ["x", []], `the ${index + 1}th`);
  }
});

test("a client that resets its data once it has its answer is told no error", async (t) => {
  const { client, open, behind82 } = world(t, SPDY);
  open(1, 82, "0");
  behind82.write("the answer");
  await client.until(() => client.data.get(3) === "the answer");
  client.send({ type: "rstStream", stream: 3, status: 5 });
  assert.equal(await client.all(1), "");
});

test("the pod ends first: the client sees the end and may go on", async (t) => {
  const { client, open, behind82 } = world(t, SPDY);
  open(1, 82, "0");
  behind82.end("greeting");
  assert.equal(await client.all(3), "greeting");
  client.write(3, "late", true);
  let text = "";
  for await (const chunk of behind82) text += String(chunk);
  assert.equal(text, "late");
});

test(
  "the pod ends first: the error stream ends, too, for a client that gives back its connection only then, as kubectl before 1.32",
  { timeout: 10_000 },
  async (t) => {
    const { client, open, behind82 } = world(t, SPDY);
    open(1, 82, "0");
    behind82.end("answer");
    assert.deepEqual([await client.all(3), await client.all(1)], ["answer", ""]);
    // Only now does it close, and says so.
    client.write(3, "", true);
    await new Promise((resolve) => behind82.once("end", resolve).resume());
    assert.deepEqual([...client.reset], []);
  },
);

test("what a client still sends to a pod that has ended is no error", { timeout: 10_000 }, async (t) => {
  const { client, open, behind82, port82 } = world(t, SPDY);
  open(1, 82, "0");
  behind82.end("answer");
  assert.equal(await client.all(1), "");
  port82.destroy(new Error("write EPIPE"));
  await client.until(() => client.reset.has(3));
  assert.equal(client.data.get(1), "");
});

test("a pod that breaks off is an error", async (t) => {
  const { client, open, behind82, port82 } = world(t, SPDY);
  open(1, 82, "0");
  client.write(3, "x");
  await new Promise((resolve) => behind82.once("data", resolve));
  port82.destroy(new Error("read ECONNRESET"));
  assert.match(await client.all(1), /^error forwarding port 82 to pod p, uid u: /);
});

test("old clients without request numbers: the data stream follows its error stream", async (t) => {
  const { client } = world(t, SPDY);
  client.open(1, { streamtype: "error", port: "80" }, true);
  client.open(3, { streamtype: "data", port: "80" });
  client.write(3, "old", true);
  assert.equal(await client.all(3), "old");
});

test("half a pair is told so after a while", async (t) => {
  const { client, clock } = world(t, SPDY);
  client.open(1, { streamtype: "error", port: "80", requestid: "9" }, true);
  await client.until(() => client.frames.length === 1);
  await clock.advance(30_000);
  assert.equal(await client.all(1), "request 9: timed out waiting for streams");
});

test("streams that say nothing sensible are reset: no port, no number, no type, twice the same", async (t) => {
  const { client } = world(t, SPDY);
  const good = { streamtype: "error", port: "80", requestid: "0" };
  const streams = [
    { streamtype: "error" },
    { ...good, port: "70000" },
    { ...good, port: "0" },
    { ...good, port: "http" },
    { ...good, streamtype: "stdin" },
    good,
    good,
  ];
  streams.forEach((headers, index) => client.open(index * 2 + 1, headers));
  await client.until(() => client.reset.size === 6);
  assert.deepEqual([...client.reset.keys()], [1, 3, 5, 7, 9, 13]);
});

test("refusals", () => {
  const options = { clock: new SimClock(), where: "", connect: () => Promise.reject(new Error("never")) };
  const refused = (headers: Record<string, string>, method = "POST") => {
    try {
      acceptForward({ method, target: "/", headers }, options);
      return assert.fail("it was accepted");
    } catch (error) {
      const { code, message } = error as { code: number; message: string };
      return [code, message];
    }
  };
  assert.deepEqual(refused({}), [400, "Upgrade request required"]);
  assert.deepEqual(refused({ connection: "Upgrade", upgrade: "SPDY/3.1" }), [400, "unable to upgrade: X-Stream-Protocol-Version is required"]);
  assert.deepEqual(refused({ ...SPDY, "x-stream-protocol-version": "v4.channel.k8s.io" }), [
    403,
    "unable to upgrade: unable to negotiate protocol: client supports [v4.channel.k8s.io], server accepts [portforward.k8s.io]",
  ]);
  assert.equal(refused({ ...TUNNEL, "sec-websocket-protocol": "v4.channel.k8s.io" }, "GET")[0], 403);
});
