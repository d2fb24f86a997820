// The seeds' two load tests and Knative's own performance benchmarks (test/performance at 98e5ef90aa), scaled to two cores: their pass line beside our figure.
import { systemClock } from "#host";
import { load } from "../e2e/load.ts";
import type { Figure } from "./figures.ts";
import { failed, pacedLoad, quantile, type PacedResult } from "./paced-load.ts";
import { ask, type BenchPlatform, type ServiceOptions } from "./platform.ts";

export interface LinesOptions {
  /** Image of `apps/pace`. */
  readonly image: string;
  readonly parallel: number;
  readonly note: (line: string) => void;
}

const RATE = 1_000;
const SLEEP = "/?sleep=100";
const PROBE_MS = 10_000;
const STEP_MS = 6_000;
const ROLLOUT_MS = 15_000;
const WINDOW = { "autoscaling.knative.dev/window": "6s" };
const AT_ZERO = { ...WINDOW, "autoscaling.knative.dev/initial-scale": "0" };
const SCALES_FROM_ZERO = [1, 5, 25] as const;
const SERVICES = 20;
const NEW_SERVICES = 15;

type Scenario = (platform: BenchPlatform, options: LinesOptions, signal: AbortSignal) => Promise<Figure[]>;

const errors = (name: string, results: readonly Pick<PacedResult, "failures">[]): Figure => ({
  name: `${name}, errors`,
  unit: "",
  rounds: [results.reduce((sum, result) => sum + failed(result), 0)],
  goal: { is: "==", value: 0 },
});

function latency(name: string, { latencies }: PacedResult, line: { readonly p95Ms: number; readonly maxMs?: number }): Figure[] {
  const p95: Figure = { name: `${name}, p95`, unit: "ms", rounds: [quantile(latencies, 0.95)], goal: { is: "<=", value: line.p95Ms } };
  if (line.maxMs === undefined) return [p95];
  return [p95, { name: `${name}, longest`, unit: "ms", rounds: [quantile(latencies, 1)], goal: { is: "<=", value: line.maxMs } }];
}

/** Ready with one pod more than a `warm` request needs, so that a scenario does not begin with a cold start. */
async function withService<T>(
  platform: BenchPlatform,
  { name, ...options }: ServiceOptions & { readonly name: string },
  measure: (host: string) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  await platform.createReady([name], options, signal);
  try {
    return await measure(platform.hostOf(name));
  } finally {
    await platform.delete([name], signal);
  }
}

/** A3 and A7: 500 clients, each with its next request when it has its answer. */
const seedLoads: Scenario = async (platform, { image }, signal) => {
  const at = `http://127.0.0.1:${platform.httpPort}`;
  const run = (name: string, options: Omit<ServiceOptions, "image">, path: string) =>
    withService(platform, { name, image, ...options }, (host) => load({ at, host, path, clients: 500, durationMs: 20_000 }), signal);
  const hey = await run("hey", { annotations: { ...WINDOW, "autoscaling.knative.dev/target-utilization-percentage": "100" } }, "/?sleep=1000");
  const capped = { ...WINDOW, "autoscaling.knative.dev/max-scale": "3" };
  const siege = await run("siege", { annotations: capped, containerConcurrency: 100 }, "/?sleep=500");
  return [
    { name: "A3, 500 clients, sleep 1000", unit: "1/s", rounds: [hey.perSecond], beside: "A3: 514" },
    { name: "A3, p99", unit: "ms", rounds: [hey.p99Ms], beside: "A3: 6,810" },
    errors("A3", [hey]),
    {
      name: "A7, 500 clients, at most 3 pods, sleep 500",
      unit: "1/s",
      rounds: [siege.perSecond],
      beside: "A7: 684 without sleep; 600 is the most that 3 pods give",
    },
    { name: "A7, longest", unit: "ms", rounds: [siege.longestMs], beside: "A7: 5,300" },
    errors("A7", [siege]),
  ];
};

/** dataplane-probe: the same requests to a pod and through the gateway. */
const dataPlane: Scenario = (platform, { image }, signal) =>
  withService(
    platform,
    { name: "probe", image, annotations: { "autoscaling.knative.dev/min-scale": "1", "autoscaling.knative.dev/max-scale": "1" } },
    async (host) => {
      const podPort = Number(platform.podOf("probe").program.env["PORT"]);
      const through = (port: number) => pacedLoad({ port, rate: () => RATE, durationMs: PROBE_MS, hostOf: () => host, pathOf: () => SLEEP }, signal);
      const direct = await through(podPort);
      const gateway = await through(platform.httpPort);
      return [
        ...latency("dataplane-probe, the pod alone", direct, { p95Ms: 105 }),
        ...latency("dataplane-probe, through the gateway", gateway, { p95Ms: 110 }),
        {
          name: "dataplane-probe, requests against 1000/s",
          unit: "%",
          rounds: [(gateway.latencies.length / (PROBE_MS / 1000) / RATE) * 100],
          goal: { is: ">=", value: 99.9 },
        },
        errors("dataplane-probe", [direct, gateway]),
      ];
    },
    signal,
  );

/** load-test: from nothing in three steps, with the activator always, only at zero, and until there is room for a burst. */
const loadTest: Scenario = async (platform, { image }, signal) => {
  const figures: Figure[] = [];
  for (const burst of ["-1", "0", "200"]) {
    const name = `load-test, target-burst-capacity ${burst}`;
    const annotations = { ...AT_ZERO, "autoscaling.knative.dev/target-burst-capacity": burst };
    const service = { name: `steps${burst.replace("-", "m")}`, image, annotations };
    const rate = (atMs: number): number => RATE * (1 + Math.floor(atMs / STEP_MS));
    const measure = (host: string) => pacedLoad({ port: platform.httpPort, rate, durationMs: 3 * STEP_MS, hostOf: () => host, pathOf: () => SLEEP }, signal);
    const result = await withService(platform, service, measure, signal);
    figures.push(...latency(name, result, { p95Ms: 115, maxMs: 10_000 }), errors(name, [result]));
  }
  return figures;
};

/** rollout-probe: a new revision takes over under load. */
const rollout: Scenario = async (platform, { image }, signal) => {
  const figures: Figure[] = [];
  for (const containerConcurrency of [0, 50]) {
    const name = `rollout-probe, containerConcurrency ${containerConcurrency}`;
    const options = { image, containerConcurrency, annotations: { ...WINDOW, "autoscaling.knative.dev/min-scale": "3" } };
    const service = `rollout${containerConcurrency}`;
    const measure = async (host: string): Promise<PacedResult> => {
      const running = pacedLoad({ port: platform.httpPort, rate: () => RATE, durationMs: ROLLOUT_MS, hostOf: () => host, pathOf: () => SLEEP }, signal);
      await systemClock.sleep(ROLLOUT_MS / 3, signal);
      await platform.update(service, { ...options, env: { ROUND: "two" } });
      return running;
    };
    const result = await withService(platform, { name: service, ...options }, measure, signal);
    figures.push(
      ...latency(name, result, { p95Ms: 110 }),
      {
        name: `${name}, requests against 1000/s`,
        unit: "%",
        rounds: [(result.latencies.length / (ROLLOUT_MS / 1000) / RATE) * 100],
        goal: { is: ">=", value: 99 },
      },
      errors(name, [result]),
    );
  }
  return figures;
};

/** scale-from-zero: so many Services, each asked once at the same moment. */
const scaleFromZero: Scenario = async (platform, { image, parallel }, signal) => {
  const lines: Readonly<Record<number, { readonly p95Ms: number; readonly maxMs: number }>> = {
    1: { p95Ms: 50, maxMs: 50 },
    5: { p95Ms: 50, maxMs: 50 },
    25: { p95Ms: 2_000, maxMs: 5_000 },
  };
  const figures: Figure[] = [];
  for (const count of [...SCALES_FROM_ZERO, parallel]) {
    const names = Array.from({ length: count }, (_, index) => `zero${count}-${index}`);
    await platform.createReady(names, { image, annotations: AT_ZERO }, signal);
    await systemClock.sleep(2_000, signal);
    const answers = await Promise.all(names.map((name) => ask(platform.httpPort, platform.hostOf(name))));
    const latencies = answers.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const name = `scale-from-zero, ${count} at once`;
    const result = { latencies, failures: { other: answers.filter(({ status }) => status !== 200).length }, sent: count, seconds: 0 };
    // Knative's line for 100 is 25 s; ours is 3 s.
    figures.push(...latency(name, result, lines[count] ?? { p95Ms: 3_000, maxMs: 3_000 }), errors(name, [result]));
    await platform.delete(names, signal);
  }
  return figures;
};

/** reconciliation-delay: a new Service again and again; here every second, there every five. */
const reconciliationDelay: Scenario = async (platform, { image }, signal) => {
  const names = Array.from({ length: NEW_SERVICES }, (_, index) => `delay-${index}`);
  const ready: number[] = [];
  for (const name of names) {
    const [one] = await Promise.all([platform.createReady([name], { image }, signal), systemClock.sleep(1_000, signal)]);
    ready.push(one.get(name) ?? Number.NaN);
  }
  await platform.delete(names, signal);
  const sorted = ready.filter((ms) => !Number.isNaN(ms)).toSorted((a, b) => a - b);
  return [
    { name: "reconciliation-delay, Ready", unit: "%", rounds: [(sorted.length / names.length) * 100], goal: { is: ">=", value: 97 } },
    { name: "reconciliation-delay, p95", unit: "ms", rounds: [quantile(sorted, 0.95)], goal: { is: "<=", value: 25_000 } },
  ];
};

/** real-traffic: many Services, latencies to 5 s, start-ups to 10 s (3 s here), answers of 10 to 50,000 octets. */
const realTraffic: Scenario = async (platform, { image }, signal) => {
  const names = Array.from({ length: SERVICES }, (_, index) => `real-${index}`);
  // A fixed course through the ranges: every run asks the same.
  const spread = (index: number, range: number): number => Math.floor(((index * 7_919) % 1_000) * (range / 1_000));
  await Promise.all(
    names.map((name, index) => platform.createReady([name], { image, annotations: AT_ZERO, env: { STARTUP_MS: String(spread(index + 1, 3_000)) } }, signal)),
  );
  const result = await pacedLoad(
    {
      port: platform.httpPort,
      rate: () => 300,
      durationMs: 20_000,
      hostOf: (index) => platform.hostOf(names[spread(index, SERVICES)] ?? ""),
      pathOf: (index) => `/?sleep=${spread(index * 31, 5_000)}&size=${10 + spread(index * 17, 50_000)}`,
    },
    signal,
  );
  await platform.delete(names, signal);
  const name = `real-traffic, ${SERVICES} services`;
  return [
    { name: `${name}, answered of sent`, unit: "%", rounds: [(result.latencies.length / result.sent) * 100], goal: { is: ">=", value: 100 } },
    { name: `${name}, longest`, unit: "ms", rounds: [quantile(result.latencies, 1)] },
    errors(name, [result]),
  ];
};

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "the seeds' load tests": seedLoads,
  "dataplane-probe": dataPlane,
  "load-test": loadTest,
  "rollout-probe": rollout,
  "scale-from-zero": scaleFromZero,
  "reconciliation-delay": reconciliationDelay,
  "real-traffic": realTraffic,
};

export async function knativeLines(platform: BenchPlatform, options: LinesOptions, signal: AbortSignal): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    options.note(name);
    figures.push(...(await scenario(platform, options, signal)));
  }
  return figures;
}
