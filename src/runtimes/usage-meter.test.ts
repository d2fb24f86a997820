// Rates from counters: windows, starts anew, and that nothing is looked at unless somebody asks.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { UsageMeter, type Measured } from "./usage-meter.ts";
import { nodeMetricsOf, podMetricsOf, type ClusterNode, type Pod } from "#kinds";

const SECOND = 1e9;
const never = new AbortController().signal;

/** A pod with one container, which uses as many cores as it is told. */
class Burner implements Measured {
  readonly id: string;
  readonly #clock: SimClock;
  cores = 0;
  looks = 0;
  restartedAtMs = 0;
  runs = true;
  #used = 0;
  #seenMs = 0;

  constructor(clock: SimClock, id = "a") {
    this.#clock = clock;
    this.id = id;
  }

  use(cores: number): void {
    this.#count();
    this.cores = cores;
  }

  restart(): void {
    this.#count();
    this.#used = 0;
  }

  #count(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#used += ((nowMs - this.#seenMs) / 1000) * this.cores * SECOND;
    this.#seenMs = nowMs;
  }

  read() {
    this.looks++;
    this.#count();
    return Promise.resolve(this.runs ? [{ name: "c", cpuNanos: this.#used, memoryBytes: 7, atMs: this.#clock.monotonicMs() }] : undefined);
  }
}

function world() {
  const clock = new SimClock();
  const meter = new UsageMeter(clock);
  const pod = new Burner(clock);
  const told = async (some: readonly Measured[] = [pod]) => {
    const measuring = meter.measure(some, never);
    await clock.advance(1_000);
    return measuring;
  };
  const coresOf = async (): Promise<string> => {
    const rate = (await told()).get("a");
    return rate === undefined ? "none" : `${(rate.parts[0]?.cpuNanos ?? NaN) / SECOND} over ${rate.windowMs / 1000} s`;
  };
  return { clock, meter, pod, told, coresOf };
}

test("the first who asks waits for a second look, later ones get the mean since earlier looks", async () => {
  const { clock, pod, coresOf } = world();
  pod.use(2);
  equal(await coresOf(), "2 over 1 s");
  equal(pod.looks, 2);
  pod.use(1);
  await clock.advance(4_000);
  equal(await coresOf(), "1.2 over 5 s");
  equal(pod.looks, 3);
});

test("at rest nobody is looked at", async () => {
  const { clock, pod, coresOf } = world();
  await coresOf();
  await clock.advance(3_600_000);
  equal(pod.looks, 2);
});

test("a mean is over the last fifteen seconds, and what is older than half a minute does not count", async () => {
  const { clock, pod, coresOf } = world();
  await coresOf();
  for (let second = 0; second < 20; second++) await coresOf();
  pod.use(1);
  await clock.advance(14_000);
  equal(await coresOf(), `${14 / 15} over 15 s`.replace(String(14 / 15), "0.933333333"));
  await clock.advance(40_000);
  pod.use(3);
  equal(await coresOf(), "3 over 1 s");
});

test("a container that was started anew is measured from there", async () => {
  const { clock, pod, coresOf } = world();
  pod.use(1);
  await coresOf();
  await clock.advance(5_000);
  pod.restart();
  pod.use(0.5);
  equal(await coresOf(), "0.5 over 1 s");
});

test("what does not run has no rate and is not waited for; neither has what cannot be read", async () => {
  const { meter, pod, clock } = world();
  pod.runs = false;
  const broken: Measured = { id: "b", read: () => Promise.reject(new Error("the daemon is away")) };
  const rates = await meter.measure([pod, broken], never);
  equal(rates.size, 0);
  const other = new Burner(clock, "c");
  const both = meter.measure([broken, other], never);
  await clock.advance(1_000);
  deepEqual([...(await both).keys()], ["c"]);
});

test("whoever waits is let go when all ends", async () => {
  const { meter, pod } = world();
  const end = new AbortController();
  const waiting = meter.measure([pod], end.signal);
  end.abort();
  await waiting.then(
    () => ok(false, "it was measured"),
    () => undefined,
  );
});

test("objects of metrics.k8s.io tell nanocores and bytes in Kubernetes' form", () => {
  const rate = {
    parts: [
      { name: "c", cpuNanos: 12_345_678, memoryBytes: 3 << 20 },
      { name: "d", cpuNanos: 2_000_000, memoryBytes: 1_025 },
    ],
    atMs: 1_000,
    windowMs: 15_012.4,
  };
  const metadata = { name: "p", namespace: "default", labels: { app: "web" } };
  deepEqual(podMetricsOf({ metadata } as unknown as Pod, rate, 2_000), {
    apiVersion: "metrics.k8s.io/v1beta1",
    kind: "PodMetrics",
    metadata: { name: "p", namespace: "default", creationTimestamp: "1970-01-01T00:00:02Z", labels: { app: "web" } },
    timestamp: "1970-01-01T00:00:01Z",
    window: "15.012s",
    containers: [
      { name: "c", usage: { cpu: "12345678n", memory: "3Mi" } },
      { name: "d", usage: { cpu: "2m", memory: "1025" } },
    ],
  });
  deepEqual(nodeMetricsOf({ metadata: { name: "n", labels: {} } } as unknown as ClusterNode, rate, 2_000).usage, { cpu: "14345678n", memory: "3146753" });
});
