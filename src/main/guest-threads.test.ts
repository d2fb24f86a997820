// A platform that drains and the one that follows, over a real socket: routes one way, words of threads the other.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger } from "#core";
import { Doorbell, doorbellBytes, inFlightBytes, InFlightTable } from "#gateway";
import { systemClock } from "#host";
import type { Backend, ControlToGateway, GatewaySettings, GatewayToControl, RouteDelta } from "#protocol";
import type { ThreadControl } from "./first-gateways.ts";
import { openToGuests } from "./guest-threads.ts";
import { HostLink } from "./host-link.ts";
import { LentPlaces } from "./lent-places.ts";

/** One pod that takes one request at a time. */
const LIMITED = {
  ...{ key: "ns/one", protocol: "http1", containerConcurrency: 1, timeoutMs: 1, responseStartTimeoutMs: 0, idleTimeoutMs: 0, serverTiming: false, queue: 0 },
  pods: [{ id: "pod", slot: 3, address: "127.0.0.1", port: 1, state: "ready" }],
} as const satisfies Backend;
const SLOT = 3;
const ROW = 0;

const batch = (generation: number, reset: boolean, backends: readonly Backend[] = []): RouteDelta => ({
  type: "routes",
  generation,
  reset,
  hosts: [],
  hostsRemoved: [],
  backends,
  backendsRemoved: [],
});

/** Resolves when `ask` is true; looked at after each turn of the loop. */
async function until(ask: () => boolean): Promise<void> {
  while (!ask()) await new Promise((resolve) => setImmediate(resolve));
}

/** The tables of a platform with one gateway thread: that thread's hand, and what the control thread does for others. */
function platform(signal: AbortSignal) {
  const [inFlight, doorbell] = [new SharedArrayBuffer(inFlightBytes(1, 4)), new SharedArrayBuffer(doorbellBytes(1, 4))];
  const handOf = (thread: number) => ({
    inFlight: new InFlightTable(inFlight, { thread, threads: 1 }),
    doorbell: new Doorbell(doorbell, { thread, threads: 1, rows: 4, nowMs: () => systemClock.monotonicMs() }),
  });
  const places = new LentPlaces({ hand: handOf(1), clock: systemClock, rng: new SeededRng(1), signal });
  return { thread: handOf(0), places };
}

/** Whoever is to be found is found, however late a busy machine comes to it. */
const PATIENT_MS = 600_000;

function world(t: TestContext, lostMs = PATIENT_MS) {
  const folder = mkdtempSync(join(tmpdir(), "eider-guests-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "guests.sock");
  const said: GatewayToControl[] = [];
  const gone: number[] = [];
  const told: ControlToGateway[] = [];
  const pids: number[] = [];
  const over = new AbortController();
  t.after(() => over.abort());
  let accepting = 0;
  let lost = false;
  const host = async () => {
    const control: ThreadControl = {
      settings: () => ({ trustedProxies: [] }) as unknown as GatewaySettings,
      firstBatch: () => batch(1, true, [LIMITED]),
      onMessage: (message) => said.push(message),
      onGone: (thread) => gone.push(thread),
    };
    const { thread, places } = platform(over.signal);
    const opened = await openToGuests({ path, control, places, onPlaces: (pid) => pids.push(pid), logger: silentLogger });
    t.after(() => opened.close());
    return { ...opened, thread };
  };
  const link = new HostLink({
    path,
    threads: 2,
    clock: systemClock,
    logger: silentLogger,
    lostMs,
    onTell: (message) => told.push(message),
    onAccepting: () => accepting++,
    onLost: () => (lost = true),
  });
  const { thread, places } = platform(over.signal);
  const borrower = places.borrow((word) => link.word(word), { everything: () => batch(1, true, [LIMITED]), leaving: [] });
  // The test decides what the thread has by then.
  const run = (): Promise<void> => link.run(borrower, over.signal);
  return { host, link, run, thread, over, pids, said, gone, told, accepting: () => accepting, lost: () => lost };
}

test("guests are told settings, the whole table once, and changes; what they say comes under numbers of their own", async (t) => {
  const { host, link, run, said, gone, told, accepting } = world(t);
  void run();
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
  const { host, link, run, said, gone } = world(t);
  void run();
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
  const { run, lost } = world(t, 100);
  await run();
  assert.equal(lost(), true);
});

test("a place is in one platform's hand at a time: what the guest has, gives back, asks for and leaves behind", async (t) => {
  const { host, run, thread: guest, over, pids } = world(t);
  assert.ok(guest.inFlight.tryAcquire(SLOT, 1));
  const running = run();
  const { thread: owner } = await host();
  await until(() => pids.length > 0);
  assert.deepEqual(pids, [process.pid]);
  assert.equal(owner.inFlight.tryAcquire(SLOT, 1), false, "the guest has the only place");
  guest.inFlight.release(SLOT);
  guest.doorbell.ring(ROW, 1);
  await until(() => owner.inFlight.tryAcquire(SLOT, 1));
  assert.equal(guest.inFlight.tryAcquire(SLOT, 1), false, "it has given it back");
  guest.doorbell.publish(ROW, 1);
  guest.doorbell.tell(ROW, 1);
  await until(() => owner.doorbell.othersWait(ROW));
  owner.inFlight.release(SLOT);
  owner.doorbell.ring(ROW, 1);
  await until(() => guest.inFlight.tryAcquire(SLOT, 1));
  assert.equal(owner.inFlight.tryAcquire(SLOT, 1), false, "it is the guest's once more");
  over.abort();
  await running;
  await until(() => owner.inFlight.tryAcquire(SLOT, 1));
});
