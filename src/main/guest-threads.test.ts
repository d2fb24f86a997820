// A platform that drains and the one that follows, over a real socket: routes one way, words of threads the other.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger } from "#core";
import { systemClock } from "#host";
import type { ControlToGateway, GatewaySettings, GatewayToControl, RouteDelta } from "#protocol";
import { openToGuests, type GuestThreads } from "./guest-threads.ts";
import { HostLink } from "./host-link.ts";

const batch = (generation: number, reset: boolean): RouteDelta => ({
  type: "routes",
  generation,
  reset,
  hosts: [],
  hostsRemoved: [],
  backends: [],
  backendsRemoved: [],
});

/** Resolves when `ask` is true; looked at after each turn of the loop. */
async function until(ask: () => boolean): Promise<void> {
  while (!ask()) await new Promise((resolve) => setImmediate(resolve));
}

function world(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "eider-guests-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "guests.sock");
  const said: GatewayToControl[] = [];
  const gone: number[] = [];
  const told: ControlToGateway[] = [];
  const over = new AbortController();
  t.after(() => over.abort());
  let accepting = 0;
  let lost = false;
  const host = async (): Promise<GuestThreads> => {
    const opened = await openToGuests(
      path,
      {
        settings: () => ({ trustedProxies: [] }) as unknown as GatewaySettings,
        firstBatch: () => batch(1, true),
        onMessage: (message) => said.push(message),
        onGone: (thread) => gone.push(thread),
      },
      silentLogger,
    );
    t.after(() => opened.close());
    return opened;
  };
  const link = new HostLink({
    path,
    threads: 2,
    clock: systemClock,
    logger: silentLogger,
    lostMs: 100,
    onTell: (message) => told.push(message),
    onAccepting: () => accepting++,
    onLost: () => (lost = true),
  });
  const running = link.run(over.signal);
  return { host, link, said, gone, told, running, accepting: () => accepting, lost: () => lost };
}

test("guests are told settings, the whole table once, and changes; what they say comes under numbers of their own", async (t) => {
  const { host, link, said, gone, told, accepting } = world(t);
  link.say({ type: "wake", thread: 1, backend: "ns/early" });
  link.say({ type: "ack", thread: 0, generation: 57 });
  const guests = await host();
  await until(() => said.some(({ type }) => type === "wake"));
  assert.deepEqual(said, [
    { type: "listening", thread: 1000, epoch: 0 },
    { type: "listening", thread: 1001, epoch: 0 },
    { type: "wake", thread: 1001, backend: "ns/early" },
  ]);
  guests.broadcast(batch(2, false));
  await until(() => told.length === 3);
  assert.deepEqual(
    told.map((message) => (message.type === "routes" ? [message.generation, message.reset] : message.type)),
    ["settings", [1, true], [2, false]],
  );
  link.say({ type: "ack", thread: 0, generation: 2 });
  link.say({ type: "load", thread: 1, epoch: 7, atMs: 1, periodMs: 1000, backends: [] });
  await until(() => said.length === 5);
  assert.deepEqual(said.slice(3), [
    { type: "ack", thread: 1000, generation: 2 },
    { type: "load", thread: 1001, epoch: 0, atMs: 1, periodMs: 1000, backends: [] },
  ]);
  assert.equal(accepting(), 0, "nobody else accepts yet");
  guests.accepting();
  await until(() => accepting() === 1);
  link.gone(0);
  await until(() => gone.includes(1000));
});

test("a host that dies is followed by another one: the threads are new guests, without those that have ended", async (t) => {
  const { host, link, said, gone } = world(t);
  const first = await host();
  await until(() => said.length === 2);
  link.gone(0);
  await until(() => gone.length > 0);
  first.close();
  await until(() => gone.includes(1001));
  gone.length = 0;
  const second = await host();
  second.accepting();
  await until(() => gone.length > 0);
  assert.deepEqual(gone, [1000]);
});

test("guests whose host does not come back are told so", async (t) => {
  const { running, lost } = world(t);
  await running;
  assert.equal(lost(), true);
});
