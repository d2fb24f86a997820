// `bench idle`: memory, CPU and start of a platform whose sample is at zero, and what each further Service at zero costs.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "#host";
import { versionsOf, type Figure, type Report } from "./figures.ts";
import { packedBuild, root } from "./packed.ts";
import { ask, BenchPlatform } from "./platform.ts";
import { cpuMs, familyOf, pssBytes } from "./proc.ts";

const IMAGE = "dev.local/sample";
/** The sample has been at zero for a while by then: its window is the shortest. */
const SETTLE_MS = 60_000;
const CPU_MS = 30_000;
const SERVICES = 1_000;
/** Creations under way at once. */
const BATCH = 50;

const AT_ZERO = { "autoscaling.knative.dev/initial-scale": "0", "autoscaling.knative.dev/window": "6s" };
const MB = 1e6;

interface Round {
  readonly readyMs: number;
  readonly pssMb: number;
  readonly cpuPercent: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const pss = (platform: BenchPlatform): number => sum(familyOf(platform.state.keeperPid).map(pssBytes));
const cpu = (platform: BenchPlatform): number => sum(familyOf(platform.state.keeperPid).map(cpuMs));

async function startWithSample(command: string): Promise<BenchPlatform> {
  const platform = await BenchPlatform.start(command);
  try {
    await platform.configure("config-autoscaler", { "allow-zero-initial-scale": "true" });
    await platform.build(join(root, "samples/autoscale"), IMAGE);
    return platform;
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

/** The sample is woken once and goes back to zero, so that every part of the platform has been at work. */
async function measure(platform: BenchPlatform, signal: AbortSignal): Promise<Round> {
  await platform.createReady(["sample"], { image: IMAGE, annotations: AT_ZERO }, signal);
  const { status } = await ask(platform.httpPort, platform.hostOf("sample"));
  if (status !== 200) throw new Error(`the sample answered ${status}`);
  await systemClock.sleep(SETTLE_MS, signal);
  if (platform.pods().length > 0) throw new Error("the sample is not at zero");
  const pssMb = pss(platform) / MB;
  const before = cpu(platform);
  await systemClock.sleep(CPU_MS, signal);
  return { readyMs: platform.state.readyMs, pssMb, cpuPercent: ((cpu(platform) - before) / CPU_MS) * 100 };
}

const storeBytes = (platform: BenchPlatform): number => {
  const folder = join(platform.data, "store");
  return sum(readdirSync(folder).map((name) => statSync(join(folder, name)).size));
};

/** Bytes of memory and of the store's files for each Service at zero. */
async function perService(platform: BenchPlatform, signal: AbortSignal): Promise<{ readonly pssBytes: number; readonly storeBytes: number }> {
  const before = { pss: pss(platform), store: storeBytes(platform) };
  for (let first = 0; first < SERVICES; first += BATCH) {
    const names = Array.from({ length: BATCH }, (_, index) => `idle-${first + index}`);
    await platform.createReady(names, { image: IMAGE, annotations: AT_ZERO }, signal);
  }
  await systemClock.sleep(SETTLE_MS, signal);
  return { pssBytes: (pss(platform) - before.pss) / SERVICES, storeBytes: (storeBytes(platform) - before.store) / SERVICES };
}

export async function benchIdle(options: { readonly rounds: number; readonly note: (line: string) => void }, signal: AbortSignal): Promise<Report> {
  const build = packedBuild();
  const rounds: Round[] = [];
  let each: Awaited<ReturnType<typeof perService>> | undefined;
  try {
    for (let round = 1; round <= options.rounds; round++) {
      options.note(`round ${round} of ${options.rounds}: ${(SETTLE_MS + CPU_MS) / 1000} s`);
      const platform = await startWithSample(build.command);
      try {
        rounds.push(await measure(platform, signal));
        if (round < options.rounds) continue;
        options.note(`${SERVICES} Services at zero`);
        each = await perService(platform, signal);
      } finally {
        await platform.stop();
      }
    }
  } finally {
    build.remove();
  }
  const figures: Figure[] = [
    { name: "ready", unit: "ms", rounds: rounds.map((round) => round.readyMs), goal: { is: "<=", value: 1_500 } },
    {
      name: "memory, keeper and platform (PSS)",
      unit: "MB",
      rounds: rounds.map((round) => round.pssMb),
      goal: { is: "<=", value: 150 },
      beside: "Knative's control plane 771 MiB",
    },
    {
      name: "CPU, of one core",
      unit: "%",
      rounds: rounds.map((round) => round.cpuPercent),
      goal: { is: "<=", value: 0.3 },
      beside: "Knative's control plane 4 %",
    },
  ];
  if (each !== undefined) {
    figures.push({
      name: `memory a Service at zero, of ${SERVICES}`,
      unit: "kB",
      rounds: [each.pssBytes / 1000],
      goal: { is: "<=", value: 10 },
      beside: "Knative about 2 MiB",
    });
    figures.push({ name: `store's files a Service at zero, of ${SERVICES}`, unit: "kB", rounds: [each.storeBytes / 1000] });
  }
  const notes = [
    "sample at zero for about a minute after one request; memory as summed PSS, Node's binary shared with nobody else",
    "CPU has a resolution of 0.03 %: the kernel counts in 10 ms",
  ];
  return { bench: "idle", measured: "packed build", versions: versionsOf(root), figures, notes };
}
