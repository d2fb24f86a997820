// Upgraded connections whose pod, time or gateway comes to its end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { Backend } from "#protocol";
import {
  backendEntry,
  eventually,
  hostEntry,
  request,
  startClient,
  startGateway,
  startPod,
  type TestClient,
  type TestGateway,
  type TestPod,
} from "../testing.ts";

const HELLO = "\x81\x05hello";
/** Close 1001 with a reason, as a server sends it. */
const close = (reason: string): string => `\x88${String.fromCharCode(2 + reason.length)}\x03\xe9${reason}`;
/** A client's answer: masked, with a mask of zeros. */
const CLOSE_ANSWER = "\x88\x82\0\0\0\0\x03\xe9";

interface World {
  readonly clock: SimClock;
  readonly gateway: TestGateway;
  readonly pod: TestPod;
  readonly client: TestClient;
  /** What came to the application behind the head. */
  readonly got: () => string;
  /** The application sends. */
  readonly say: (text: string) => void;
  readonly takeOut: () => void;
}

async function upgraded(protocol: string, over: Partial<Backend>, run: (world: World) => Promise<void>): Promise<void> {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  let got = "";
  await using pod = await startPod((socket) =>
    socket.on("data", (bytes: Buffer) => {
      const text = bytes.toString("latin1");
      if (text.startsWith("GET ")) socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
      else got += text;
      if (got.endsWith(CLOSE_ANSWER)) socket.end("\x88\x02\x03\xe9", "latin1");
    }),
  );
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ ...over, pods })] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/", ["Connection: Upgrade", `Upgrade: ${protocol}`]));
  await client.until((text) => text.endsWith("\r\n\r\n"));
  const [socket] = pod.sockets;
  const say = (text: string): void => void socket?.write(text, "latin1");
  await run({ clock, gateway, pod, client, got: () => got, say, takeOut: () => gateway.routes({ backends: [backendEntry({ ...over, pods: [] })] }) });
}

test("a websocket lives a minute with a pod that was taken out, and is closed in order then, on both sides", () =>
  upgraded("websocket", {}, async ({ clock, gateway, client, got, say, takeOut }) => {
    takeOut();
    say(HELLO);
    await client.until((text) => text.endsWith(HELLO));
    await clock.advance(59_900);
    assert.ok(client.text().endsWith(HELLO), "not yet");
    assert.ok(!gateway.sent.some((message) => message.type === "podDrained"));
    await clock.advance(200);
    await client.until((text) => text.endsWith(close("scaled down")));
    client.send(CLOSE_ANSWER);
    const whole = await client.closed();
    assert.ok(whole.endsWith(HELLO + close("scaled down")), "the application's own Close does not follow that of the gateway");
    assert.equal(got(), CLOSE_ANSWER);
    await gateway.message("podDrained");
  }));

test("a websocket whose time is up is told so, and given up when its client does not answer", () =>
  upgraded("WebSocket", { timeoutMs: 10_000 }, async ({ clock, client }) => {
    await clock.advance(10_050);
    await client.until((text) => text.endsWith(close("request timeout")));
    await clock.advance(4_800);
    assert.ok(!client.socket.closed);
    await clock.advance(300);
    await client.closed();
  }));

test("a Close does not come in the middle of a frame", () =>
  upgraded("websocket", { timeoutMs: 10_000 }, async ({ clock, client, say }) => {
    say(HELLO.slice(0, 4));
    await client.until((text) => text.endsWith("he"));
    await clock.advance(10_050);
    assert.ok(client.text().endsWith("he"));
    say(HELLO.slice(4));
    await client.until((text) => text.endsWith(HELLO + close("request timeout")));
    say("\x81\x04late");
    client.send(CLOSE_ANSWER);
    assert.ok((await client.closed()).endsWith(close("request timeout")));
  }));

test("a tunnel that is no websocket just ends", () =>
  upgraded("other", { timeoutMs: 10_000 }, async ({ clock, client, say }) => {
    say("octets");
    await client.until((text) => text.endsWith("octets"));
    await clock.advance(10_050);
    assert.ok((await client.closed()).endsWith("\r\n\r\noctets"));
  }));

test("idle and start limits do not break a live websocket; silence does", () =>
  upgraded("websocket", { idleTimeoutMs: 3_000, responseStartTimeoutMs: 1_000 }, async ({ clock, client, got, say }) => {
    for (let turn = 1; turn <= 4; turn++) {
      await clock.advance(2_000);
      if (turn % 2 === 0) client.send("\x81\x80\0\0\0\0");
      else say(HELLO);
      await eventually(() => got().length === 6 * Math.floor(turn / 2) && client.text().split(HELLO).length - 1 === Math.ceil(turn / 2));
    }
    await clock.advance(3_050);
    await client.until((text) => text.endsWith(close("request timeout")));
  }));

test("a gateway that drains closes websockets in order before it ends", () =>
  upgraded("websocket", {}, async ({ clock, gateway, client }) => {
    gateway.gateway.receive({ type: "drain", graceMs: 30_000 });
    await clock.advance(24_900);
    assert.ok(client.text().endsWith("\r\n\r\n"));
    await clock.advance(200);
    await client.until((text) => text.endsWith(close("gateway restarts")));
    client.send(CLOSE_ANSWER);
    await client.closed();
  }));
