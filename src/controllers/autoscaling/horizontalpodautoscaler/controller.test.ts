// The controller on an API in memory with a clock of its own: scales out under load and back, and rests without autoscalers.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { createClient, createInformerSet, FakeApi } from "#client";
import { SeededRng, silentLogger, SimClock } from "#core";
import { Deployment, Event, HorizontalPodAutoscaler, Pod, PodMetrics } from "#kinds";
import { createEventRecorder, runController, type PassReport } from "#reconcile";
import type { Kind } from "#schema";
import { horizontal, pod, usage } from "./fixture.test-suite.ts";
import { horizontalPodAutoscalerController } from "./index.ts";

const SELECTOR = { matchLabels: { app: "web" } };
const WEB = { namespace: "default", name: "web" };
const MERGE = "application/merge-patch+json";

function setUp() {
  const clock = new SimClock();
  const api = new FakeApi(clock);
  const client = createClient(api);
  const rng = new SeededRng(7);
  const logger = silentLogger;
  const stop = new AbortController();
  const { signal } = stop;
  const informers = createInformerSet({ client, clock, rng, logger });
  const events = createEventRecorder({ client, kind: Event, clock, rng, logger });
  const passes: PassReport[] = [];
  const controller = horizontalPodAutoscalerController({ scalable: () => [Deployment as unknown as Kind] });
  const parts = { controller, informers, client, events, clock, rng, logger, signal, onPass: (pass: PassReport) => passes.push(pass) };
  const running = [informers.run(signal), events.run(signal), runController(parts).done];

  /** What Deployment, runtime and meter would do: as many pods as are wanted, sharing the load, in cores. */
  const live = async (cores: number): Promise<number> => {
    const { spec } = await client.get(Deployment, "default", "web");
    const { replicas = 1 } = spec ?? {};
    const there = (await client.list(Pod)).items;
    for (const { metadata } of there.slice(replicas)) {
      await client.delete(Pod, { namespace: "default", name: metadata.name });
      await client.delete(PodMetrics, { namespace: "default", name: metadata.name });
    }
    for (let at = 0; at < replicas; at++) {
      const name = `p${at}`;
      const { metadata, status, spec: podSpec } = pod(name);
      if ((await client.find(Pod, "default", name)) === undefined) {
        const { resourceVersion: _version, uid: _uid, ...meta } = metadata;
        const created = await client.create(Pod, { apiVersion: "v1", kind: "Pod", metadata: meta, spec: podSpec });
        // Started long ago, so that its CPU counts.
        await client.updateStatus(Pod, { ...created, ...(status === undefined ? {} : { status: { ...status, startTime: "1960-01-01T00:00:00Z" } }) });
      }
      const measured = usage(name, `${Math.round((cores * 1000) / replicas)}m`, "10Mi", clock.wallMs());
      const known = await client.find(PodMetrics, "default", name);
      if (known === undefined) await client.create(PodMetrics, measured);
      else await client.update(PodMetrics, { ...measured, metadata: known.metadata });
    }
    return replicas;
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await clock.advance(0);
    await Promise.all(running);
    equal(clock.waiting, 0, "something still sleeps");
  };
  const deploy = (replicas: number) =>
    client.create(Deployment, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: WEB,
      spec: { replicas, selector: SELECTOR, template: {} },
    } as unknown as Deployment);
  const autoscale = (spec: Parameters<typeof horizontal>[0] = {}) =>
    client.create(HorizontalPodAutoscaler, { ...horizontal(spec), metadata: WEB } as unknown as HorizontalPodAutoscaler);
  return { api, client, clock, deploy, autoscale, live, end, passes };
}

type World = ReturnType<typeof setUp>;

/** The number of pods after each fifteen seconds under the load. */
async function replicasUnder(w: World, cores: number, looks: number): Promise<readonly number[]> {
  const counts: number[] = [];
  for (let look = 0; look < looks; look++) {
    await w.live(cores);
    await w.clock.advance(15_000);
    counts.push(await w.live(cores));
  }
  return counts;
}

test("under load it doubles at most each time, at rest it waits five minutes, and then one pod is left", async () => {
  const w = setUp();
  await w.deploy(1);
  await w.live(0.8);
  await w.autoscale();
  await w.clock.advance(0);
  deepEqual(await replicasUnder(w, 0.8, 2), [1, 1]);
  // Six cores at 80 % of one a pod: eight pods, of which the first step may make four.
  deepEqual(await replicasUnder(w, 6, 4), [4, 8, 8, 8]);
  const falling = await replicasUnder(w, 0.08, 22);
  deepEqual([falling[0], falling[18], falling.at(-1)], [8, 8, 1]);
  const { status } = await w.client.get(HorizontalPodAutoscaler, "default", "web");
  deepEqual([status?.currentReplicas, status?.desiredReplicas], [1, 1]);
  const events = (await w.client.list(Event)).items.map((event) => (event as unknown as { message: string }).message);
  deepEqual(
    events.filter((message) => message.startsWith("New size")),
    [
      "New size: 4; reason: cpu resource utilization (percentage of request) above target",
      "New size: 8; reason: cpu resource utilization (percentage of request) above target",
      "New size: 1; reason: All metrics below target",
    ],
  );
  await w.end();
});

test("another spec is decided about at once, its own writes are not, and without an autoscaler nothing wakes it", async () => {
  const w = setUp();
  await w.deploy(2);
  await w.live(1.6);
  await w.autoscale();
  await w.clock.advance(1_000);
  await w.client.patch(HorizontalPodAutoscaler, WEB, { type: MERGE, body: { spec: { minReplicas: 3 } } });
  await w.clock.advance(0);
  equal((await w.client.get(Deployment, "default", "web")).spec?.replicas, 3);
  const decided = w.passes.length;
  await w.clock.advance(14_000);
  equal(w.passes.filter(({ writes }, index) => index >= decided && writes > 0).length, 0);
  await w.client.delete(HorizontalPodAutoscaler, WEB);
  await w.clock.advance(0);
  const passes = w.passes.length;
  await w.clock.advance(3_600_000);
  equal(w.passes.length, passes);
  await w.end();
});

test("a second look at the same load writes nothing", async () => {
  const w = setUp();
  await w.deploy(2);
  await w.live(1.6);
  await w.autoscale();
  await w.clock.advance(0);
  const { length } = w.api.writes;
  for (let look = 0; look < 10; look++) await w.clock.advance(15_000);
  deepEqual(w.api.writes.slice(length), []);
  await w.end();
});

test("two autoscalers of the same pods: both say so, and neither scales", async () => {
  const w = setUp();
  await w.deploy(2);
  await w.live(4);
  await w.client.create(HorizontalPodAutoscaler, { ...horizontal(), metadata: { namespace: "default", name: "other" } } as unknown as HorizontalPodAutoscaler);
  await w.autoscale();
  await w.clock.advance(0);
  await w.live(20);
  const before = (await w.client.get(Deployment, "default", "web")).spec?.replicas;
  await w.clock.advance(30_000);
  equal((await w.client.get(Deployment, "default", "web")).spec?.replicas, before);
  for (const name of ["web", "other"]) {
    const { status } = await w.client.get(HorizontalPodAutoscaler, "default", name);
    equal(status?.conditions?.find(({ type }) => type === "ScalingActive")?.reason, "AmbiguousSelector");
  }
  await w.end();
});
