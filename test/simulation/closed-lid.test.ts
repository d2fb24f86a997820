// A closed lid and a clock that is set: the whole control plane on a simulated clock neither scales down at once nor writes in a storm,
// and goes to zero as ever afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bootHarness, type SimulatedHarness } from "../golden/scenarios/platform.ts";

const NAMESPACE = "lid";
const HOURS_MS = 8 * 3_600_000;
const SECOND_MS = 1_000;
/** Changes a Service that nothing happens to may have in a minute. */
const CHANGES_MAX = 6;
/** One whose pods come up, or are given up. */
const STARTING_CHANGES_MAX = 60;

interface Planned {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly concurrency: number;
  /** Replicas once it has settled. */
  readonly replicas: number;
}
const SERVICES: readonly Planned[] = [
  { name: "busy-a", annotations: { target: "10" }, concurrency: 25, replicas: 4 },
  { name: "busy-b", annotations: { target: "10" }, concurrency: 20, replicas: 3 },
  { name: "kept", annotations: { "min-scale": "2" }, concurrency: 0, replicas: 2 },
  { name: "idle", annotations: {}, concurrency: 0, replicas: 0 },
];

class Laptop {
  readonly harness: SimulatedHarness;
  loaded = true;

  constructor(harness: SimulatedHarness) {
    this.harness = harness;
  }

  async deploy(): Promise<void> {
    for (const { name, annotations } of SERVICES) {
      const all = Object.entries(annotations).map(([key, value]) => [`autoscaling.knative.dev/${key}`, value]);
      const template = { metadata: { annotations: Object.fromEntries(all) as object }, spec: { containers: [{ image: "dev.local/hello" }] } };
      const body = JSON.stringify({ apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name }, spec: { template } });
      const target = `/apis/serving.knative.dev/v1/namespaces/${NAMESPACE}/services`;
      const { status } = await this.harness.server.handle({ method: "POST", target, headers: { "content-type": "application/json" }, body });
      assert.equal(status, 201);
    }
  }

  replicas(name: string): number {
    const found = this.harness.ledger.objects().find((object) => object.kind === "Deployment" && object.metadata.name === `${name}-00001-deployment`);
    return (found?.["spec"] as { readonly replicas?: number } | undefined)?.replicas ?? 0;
  }

  get all(): Record<string, number> {
    return Object.fromEntries(SERVICES.map(({ name }) => [name, this.replicas(name)]));
  }

  /** Seconds under load; `each` after every one of them. */
  async seconds(count: number, each: () => void = () => {}): Promise<void> {
    for (let second = 0; second < count; second++) {
      await this.harness.advance(SECOND_MS);
      const backends = SERVICES.filter(({ concurrency }) => this.loaded && concurrency > 0).map(({ name, concurrency }) => {
        return { backend: `${NAMESPACE}/${name}-00001`, averageConcurrency: concurrency, requestCount: concurrency, waiting: 0 };
      });
      this.harness.deciders.receive({ type: "load", thread: 0, epoch: 0, atMs: this.harness.clock.monotonicMs(), periodMs: SECOND_MS, backends });
      each();
    }
  }

  /** The last report of the requests that ran. */
  rest(): void {
    this.loaded = false;
    const backends = SERVICES.map(({ name }) => ({ backend: `${NAMESPACE}/${name}-00001`, averageConcurrency: 0, requestCount: 0, waiting: 0 }));
    this.harness.deciders.receive({ type: "load", thread: 0, epoch: 0, atMs: this.harness.clock.monotonicMs(), periodMs: SECOND_MS, backends });
  }
}

const WANTED = Object.fromEntries(SERVICES.map(({ name, replicas }) => [name, replicas]));
const suspended = (laptop: Laptop): Promise<void> => laptop.harness.clock.suspend(HOURS_MS);
const stepped = (ms: number) => async (laptop: Laptop) => laptop.harness.clock.stepWall(ms);

/** With CLOCK_MONOTONIC, which stops while the lid is closed, only the wall clock jumps; other clocks go on. */
const events: readonly (readonly [what: string, happens: (laptop: Laptop) => Promise<void>])[] = [
  ["the lid is closed for eight hours, and the monotonic clock goes on", suspended],
  ["the lid is closed for eight hours, and the monotonic clock stops", stepped(HOURS_MS)],
  ["the wall clock is set back by eight hours", stepped(-HOURS_MS)],
];

for (const [what, happens] of events) {
  test(`${what}: nothing shrinks under load, and hardly anything is written`, async () => {
    const laptop = new Laptop(await bootHarness(NAMESPACE));
    try {
      await laptop.deploy();
      await laptop.seconds(200);
      assert.deepEqual(laptop.all, WANTED);
      await happens(laptop);
      const before = laptop.harness.ledger.changes;
      const least = { ...WANTED };
      await laptop.seconds(60, () => {
        for (const { name } of SERVICES) least[name] = Math.min(least[name] ?? 0, laptop.replicas(name));
      });
      assert.deepEqual(least, WANTED);
      assert.deepEqual(laptop.all, WANTED);
      const changes = laptop.harness.ledger.changes - before;
      assert.ok(changes <= CHANGES_MAX * SERVICES.length, `${changes} changes in a minute`);
    } finally {
      await laptop.harness.close();
    }
  });

  test(`${what}, without load since: pods go in the usual time, neither at once nor hours later`, async () => {
    const laptop = new Laptop(await bootHarness(NAMESPACE));
    try {
      await laptop.deploy();
      await laptop.seconds(200);
      laptop.rest();
      await happens(laptop);
      await laptop.seconds(20, () => assert.ok(laptop.replicas("busy-a") >= 2 && laptop.replicas("busy-b") >= 2, JSON.stringify(laptop.all)));
      await laptop.seconds(200);
      assert.deepEqual(laptop.all, { "busy-a": 0, "busy-b": 0, kept: 2, idle: 0 });
    } finally {
      await laptop.harness.close();
    }
  });

  test(`${what}, while pods come up: the activation goes on`, async () => {
    const laptop = new Laptop(await bootHarness(NAMESPACE));
    try {
      await laptop.harness.simulate(NAMESPACE, { pods: "unready" });
      await laptop.deploy();
      await laptop.seconds(5);
      await happens(laptop);
      const before = laptop.harness.ledger.changes;
      await laptop.seconds(60, () => assert.ok(laptop.replicas("busy-a") >= 1, JSON.stringify(laptop.all)));
      const changes = laptop.harness.ledger.changes - before;
      // Some activations may have timed out, which is told once up to the Service.
      assert.ok(changes <= STARTING_CHANGES_MAX * SERVICES.length, `${changes} changes in a minute`);
    } finally {
      await laptop.harness.close();
    }
  });
}
