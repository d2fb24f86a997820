// Leader election: one at a time whatever happens to networks, clocks and machines, and never nobody for long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRng, silentLogger, SimClock, StatusError } from "#core";
import { createClient, FakeApi, type Client, type Transport } from "#client";
import type { Draft, Kind, KubeObject } from "#schema";
import { fenced, leadOnce, type LeaseObject, type Term } from "./leader-election.ts";

const plain = (group: string, kind: string, plural: string): Kind => ({
  group,
  version: "v1",
  kind,
  plural,
  singular: kind.toLowerCase(),
  shortNames: [],
  categories: [],
  scope: "Namespaced",
  schema: { type: "object" },
  subresources: {},
  columns: [],
  custom: false,
  hasGeneration: false,
});
const Leases = plain("coordination.k8s.io", "Lease", "leases") as Kind<LeaseObject>;
const Maps = plain("", "ConfigMap", "configmaps");
const STEP_MS = 250;
const AT = { namespace: "system", name: "controllers" } as const;

/** A candidate on a machine of its own: its clock, its network, and what it does while it leads. */
class Machine {
  readonly id: string;
  readonly clock = new SimClock();
  readonly stop = new AbortController();
  readonly transport: Transport;
  connected = true;
  /** Milliseconds for which the machine has slept. */
  asleepMs: number | undefined;
  term: Term | undefined;
  readonly outcomes: string[] = [];

  constructor(id: string, api: FakeApi) {
    this.id = id;
    this.transport = {
      send: (call) => (this.connected ? api.send(call) : Promise.reject(new StatusError("ServiceUnavailable", "no network"))),
      watch: (call, signal) => api.watch(call, signal),
    };
  }

  async run(client: Client = createClient(this.transport)): Promise<void> {
    const rng = new SeededRng(this.id.length * 31 + this.id.charCodeAt(0));
    const lead = async (term: Term): Promise<void> => {
      this.term = term;
      await new Promise<void>((resolve) => (term.signal.aborted ? resolve() : term.signal.addEventListener("abort", () => resolve(), { once: true })));
      this.term = undefined;
    };
    while (!this.stop.signal.aborted) {
      const options = { client, kind: Leases, ...AT, identity: this.id, clock: this.clock, rng, logger: silentLogger, lead };
      this.outcomes.push(await leadOnce(options, this.stop.signal));
    }
  }

  get holds(): boolean {
    return this.asleepMs === undefined && this.term?.holds() === true;
  }

  async step(): Promise<void> {
    if (this.asleepMs === undefined) await this.clock.advance(STEP_MS);
    else this.asleepMs += STEP_MS;
  }

  async wake(): Promise<void> {
    const sleptMs = this.asleepMs ?? 0;
    this.asleepMs = undefined;
    await this.clock.suspend(sleptMs);
  }
}

class World {
  readonly api = new FakeApi(new SimClock());
  readonly machines: readonly Machine[];
  readonly #runs: Promise<void>[] = [];
  /** The most that led at the same time, and the longest time without a leader. */
  atOnce = 0;
  longestGapMs = 0;
  #gapMs = 0;

  constructor(ids: readonly string[]) {
    this.machines = ids.map((id) => new Machine(id, this.api));
  }

  start(at: number, client?: Client): Machine {
    const machine = this.machines[at];
    assert.ok(machine !== undefined);
    this.#runs.push(machine.run(client));
    return machine;
  }

  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      for (const machine of this.machines) await machine.step();
      this.look();
    }
  }

  look(): void {
    const leading = this.machines.filter((machine) => machine.holds).length;
    this.atOnce = Math.max(this.atOnce, leading);
    this.#gapMs = leading === 0 ? this.#gapMs + STEP_MS : 0;
    this.longestGapMs = Math.max(this.longestGapMs, this.#gapMs);
  }

  async lease(): Promise<NonNullable<LeaseObject["spec"]>> {
    return (await createClient(this.api).get(Leases, AT.namespace, AT.name)).spec ?? {};
  }

  async end(): Promise<void> {
    for (const machine of this.machines) {
      if (machine.asleepMs !== undefined) await machine.wake();
      machine.connected = true;
      machine.stop.abort();
    }
    await this.pass(STEP_MS * 10);
    await Promise.all(this.#runs);
    for (const machine of this.machines) assert.equal(machine.clock.waiting, 0);
  }
}

test("leader election: the first takes the lease, renews it, and gives it back when it stops", async () => {
  const world = new World(["anna", "bert"]);
  const anna = world.start(0);
  await world.pass(200);
  const first = await world.lease();
  assert.deepEqual([first.holderIdentity, first.leaseDurationSeconds, first.leaseTransitions], ["anna", 15, 0]);
  assert.match(first.renewTime ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const bert = world.start(1);
  await world.pass(30_000);
  const renewed = await world.lease();
  assert.deepEqual([renewed.holderIdentity, renewed.acquireTime, anna.holds, bert.holds], ["anna", first.acquireTime, true, false]);
  assert.notEqual(renewed.renewTime, first.renewTime);
  anna.stop.abort();
  await world.pass(5000);
  const taken = await world.lease();
  assert.deepEqual([anna.outcomes, bert.holds, taken.holderIdentity, taken.leaseTransitions], [["stopped"], true, "bert", 1]);
  assert.equal(world.atOnce, 1);
  await world.end();
  assert.equal((await world.lease()).holderIdentity, "");
});

test("leader election: who cannot renew stops before another takes over, which is once the lease has run out", async () => {
  const world = new World(["anna", "bert"]);
  const anna = world.start(0);
  await world.pass(200);
  const bert = world.start(1);
  await world.pass(4000);
  anna.connected = false;
  await world.pass(9000);
  assert.deepEqual([anna.holds, bert.holds], [true, false], "within the deadline nothing is lost");
  await world.pass(2000);
  assert.deepEqual([anna.term, anna.outcomes, bert.holds], [undefined, ["lost"], false], "the controllers have ended");
  await world.pass(9000);
  assert.deepEqual([anna.holds, bert.holds, world.atOnce], [false, true, 1]);
  anna.connected = true;
  await world.pass(10_000);
  assert.deepEqual([anna.holds, bert.holds], [false, true], "it waits its turn");
  await world.end();
});

test("leader election: wall clocks that are stepped change nothing", async () => {
  const world = new World(["anna", "bert"]);
  const anna = world.start(0);
  await world.pass(200);
  const bert = world.start(1);
  for (const ms of [3_600_000, -7_200_000, 86_400_000]) {
    anna.clock.stepWall(ms);
    bert.clock.stepWall(-ms);
    await world.pass(20_000);
    assert.deepEqual([anna.holds, bert.holds], [true, false]);
  }
  assert.equal(world.longestGapMs, 0);
  await world.end();
});

test("leader election: a leader whose machine slept leads no longer when it wakes, and writes nothing", async () => {
  const world = new World(["anna", "bert"]);
  const anna = world.start(0);
  await world.pass(200);
  const bert = world.start(1);
  await world.pass(4000);
  const { term } = anna;
  assert.ok(term !== undefined);
  const client = createClient(fenced(anna.transport, term.holds));
  const map = (name: string): Draft<KubeObject> => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "system" } });
  await client.create(Maps, map("in-office"));
  anna.asleepMs = 0;
  await world.pass(25_000);
  assert.equal(bert.holds, true);
  const waking = anna.wake();
  assert.equal(term.holds(), false, "at once, before anything of it has run");
  await assert.rejects(client.create(Maps, map("out-of-office")), (error) => error instanceof StatusError && error.reason === "ServiceUnavailable");
  assert.equal((await client.list(Maps)).items.length, 1, "reading is no harm");
  await waking;
  await world.pass(200);
  assert.deepEqual([anna.outcomes, bert.holds, world.atOnce], [["lost"], true, 1]);
  await world.end();
});

test("leader election: a lease that is deleted, or taken by hand", async () => {
  const world = new World(["anna"]);
  const anna = world.start(0);
  await world.pass(200);
  const client = createClient(world.api);
  await client.delete(Leases, AT);
  await world.pass(4000);
  assert.deepEqual([anna.holds, (await world.lease()).holderIdentity], [true, "anna"], "it is made again");
  const lease = await client.get(Leases, AT.namespace, AT.name);
  await client.update(Leases, { ...lease, spec: { ...lease.spec, holderIdentity: "somebody" } });
  await world.pass(4000);
  assert.deepEqual([anna.term, anna.outcomes], [undefined, ["lost"]]);
  await world.pass(20_000);
  assert.equal(anna.holds, true, "nobody renewed it");
  await world.end();
});

test("leader election: what leads by itself to an end, or to an error, gives the lease back", async () => {
  const api = new FakeApi(new SimClock());
  const clock = new SimClock();
  const client = createClient(api);
  const options = { client, kind: Leases, ...AT, identity: "anna", clock, rng: new SeededRng(1), logger: silentLogger };
  assert.equal(await leadOnce({ ...options, lead: () => Promise.resolve() }, new AbortController().signal), "stopped");
  await assert.rejects(leadOnce({ ...options, lead: () => Promise.reject(new Error("broken")) }, new AbortController().signal), /broken/);
  assert.equal((await client.get(Leases, AT.namespace, AT.name)).spec?.holderIdentity, "");
  assert.equal(clock.waiting, 0);
});

/** Networks break and heal, machines sleep and wake, wall clocks jump. */
async function tossed(seed: number, client?: (machine: Machine) => Client): Promise<World> {
  const world = new World(["anna", "bert", "carl"]);
  const rng = new SeededRng(seed);
  world.machines.forEach((machine, at) => world.start(at, client?.(machine)));
  for (let round = 0; round < 25; round++) {
    const machine = world.machines[below(rng, world.machines.length)] as Machine;
    const what = below(rng, 5);
    if (machine.asleepMs !== undefined) await machine.wake();
    else if (what === 0) machine.asleepMs = 0;
    else if (what === 1) machine.clock.stepWall((below(rng, 7200) - 3600) * 1000);
    else machine.connected = !machine.connected;
    world.look();
    await world.pass(below(rng, 12_000));
  }
  return world;
}

for (const seed of [1, 2, 3]) {
  test(`leader election: never two at once in a world that is tossed by seed ${seed}`, async () => {
    const world = await tossed(seed);
    assert.equal(world.atOnce, 1);
    await world.end();
  });
}

test("leader election: the checker notices candidates to whom the lease always looks free", async () => {
  const blind = (machine: Machine): Client => {
    const client = createClient(machine.transport);
    const find = async <O extends KubeObject>(kind: Kind<O>, namespace: string, name: string): Promise<O | undefined> => {
      const found = (await client.find(kind, namespace, name)) as (O & LeaseObject) | undefined;
      return found === undefined ? undefined : { ...found, spec: { ...found.spec, holderIdentity: "" } };
    };
    return { ...client, find };
  };
  const world = await tossed(1, blind);
  assert.ok(world.atOnce > 1, "two led at once, and nobody noticed");
  await world.end();
});
