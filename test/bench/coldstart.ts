// `bench coldstart`: a request at zero to its first answer on each runtime of this machine, beside the bare start of the same image in the same run.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { RUNTIME_NAMES, type RuntimeName } from "#runtimes";
import { coldStarts, freePort, spawnToAnswer, type App, type BareStart, type ColdRounds } from "./cold.ts";
import { medianOf, versionsOf, type Figure, type Report } from "./figures.ts";
import { packedBuild, root } from "./packed.ts";
import { BenchPlatform } from "./platform.ts";
import { programPath } from "./programs.ts";

export const RUNTIMES = RUNTIME_NAMES;

export interface ColdstartOptions {
  readonly starts: number;
  /** Services at rest beside the one that starts, in the second half. */
  readonly services: number;
  readonly runtimes: readonly RuntimeName[];
  readonly note: (line: string) => void;
}

const OVER_BARE_GOAL_MS = 8;
const MANY_GOAL = 1.2;
const RECEIPT = ["queue", "decide", "create", "boot", "probe", "first-byte"];
const CREATE_BATCH = 25;
/** A network for the next pod is made in that time. */
const REST_MS: Partial<Record<RuntimeName, number>> = { sandbox: 400, container: 600 };
const PODMAN_SOCKET = "/run/podman/podman.sock";
const REST = { "autoscaling.knative.dev/initial-scale": "0" };

/** Why a runtime is not measured here; undefined when it is. */
function missing(runtime: RuntimeName): string | undefined {
  if (runtime === "sandbox" && programPath("bwrap") === undefined) return "bwrap is not here to compare with";
  if (runtime === "container" && (programPath("podman") === undefined || !existsSync(PODMAN_SOCKET))) return "podman and its socket are not here";
  return undefined;
}

/** The bare start of `image`; undefined where the pod's own spawn is repeated. */
async function bareStartOf(runtime: RuntimeName, image: string, platform: BenchPlatform, signal: AbortSignal): Promise<BareStart | undefined> {
  if (runtime === "process") return undefined;
  return runtime === "sandbox" ? bwrapStart(image, platform, signal) : podmanStart(image);
}

const spawned = (argv: readonly string[], port: number, signal: AbortSignal): Promise<number> =>
  spawnToAnswer({ argv, env: { PATH: process.env["PATH"] ?? "" }, cwd: "/", uid: 0, gid: 0 }, port, signal);

/** The image's files as the store unpacks them for a process: the only image that this platform has. */
async function bwrapStart(image: string, platform: BenchPlatform, signal: AbortSignal): Promise<BareStart> {
  await platform.createReady(["unpacked"], { image, runtimeClassName: "process" }, signal);
  await platform.delete(["unpacked"], signal);
  const unpacked = join(platform.data, "images/unpacked");
  const [boot = ""] = readdirSync(unpacked);
  const [digest = ""] = readdirSync(join(unpacked, boot));
  const files = join(unpacked, boot, digest);
  const place = [
    "--unshare-all",
    "--die-with-parent",
    "--share-net",
    "--ro-bind",
    join(files, "workspace"),
    "/workspace",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--chdir",
    "/workspace",
  ];
  return async (ending) => {
    const port = await freePort();
    return spawned([programPath("bwrap") ?? "bwrap", ...place, "--setenv", "PORT", String(port), "./app"], port, ending);
  };
}

function podmanStart(image: string): BareStart {
  const podman = programPath("podman") ?? "podman";
  execFileSync(podman, ["pull", "--quiet", "--tls-verify=false", image], { stdio: "ignore" });
  const name = `eider-bench-${process.pid}`;
  return async (ending) => {
    const port = await freePort();
    try {
      return await spawned([podman, "run", "--name", name, "--network", "host", "--env", `PORT=${port}`, image], port, ending);
    } finally {
      execFileSync(podman, ["rm", "--force", "--time", "0", name], { stdio: "ignore" });
    }
  };
}

function figuresOf({ app, bareMs, coldMs, statuses, receipts }: ColdRounds): Figure[] {
  const p99 = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(0.99 * values.length)] ?? Number.NaN;
  return [
    { name: `${app}: bare start`, unit: "ms", rounds: bareMs },
    { name: `${app}: request at zero`, unit: "ms", rounds: coldMs },
    { name: `${app}: request at zero, p99`, unit: "ms", rounds: [p99(coldMs)] },
    { name: `${app}: p50 over the bare start`, unit: "ms", rounds: [medianOf(coldMs) - medianOf(bareMs)], goal: { is: "<=", value: OVER_BARE_GOAL_MS } },
    ...RECEIPT.map((part) => ({ name: `${app}: receipt, ${part}`, unit: "ms", rounds: receipts.map((receipt) => receipt[part] ?? 0) })),
    { name: `${app}: answers that are no 200`, unit: "", rounds: [statuses.filter((status) => status !== 200).length], goal: { is: "==", value: 0 } },
  ];
}

/** One cold start with few and with many Services beside it. */
async function amongMany(platform: BenchPlatform, { starts, services, note }: ColdstartOptions, image: string, signal: AbortSignal): Promise<Figure[]> {
  const cold = async (name: string): Promise<number[]> =>
    (await coldStarts(platform, { apps: [{ name, image }], starts }, signal)).flatMap(({ coldMs }) => coldMs);
  const few = await cold("few");
  note(`${services} Services at rest`);
  for (let first = 0; first < services; first += CREATE_BATCH) {
    const names = Array.from({ length: Math.min(CREATE_BATCH, services - first) }, (_, index) => `rest-${first + index}`);
    await platform.createReady(names, { image, annotations: REST }, signal);
  }
  const many = await cold("many");
  return [
    { name: `process: request at zero, ${starts} Services`, unit: "ms", rounds: few },
    { name: `process: request at zero, ${services} more`, unit: "ms", rounds: many },
    { name: "process: p50 among many over among few", unit: "x", rounds: [medianOf(many) / medianOf(few)], goal: { is: "<=", value: MANY_GOAL } },
  ];
}

export async function benchColdstart(options: ColdstartOptions, signal: AbortSignal): Promise<Report> {
  const { note, runtimes, starts, services } = options;
  const notes = runtimes.flatMap((runtime) => missing(runtime)?.replace(/^/, `${runtime} is left out: `) ?? []);
  note("building");
  const build = packedBuild();
  try {
    const platform = await BenchPlatform.start(build.command);
    try {
      await platform.configure("config-autoscaler", { "allow-zero-initial-scale": "true" });
      await platform.configure("config-features", { "kubernetes.podspec-runtimeclassname": "enabled" });
      const image = `${platform.state.registry}/hello-go:latest`;
      await platform.build(join(root, "samples/hello-go"), image);
      const figures: Figure[] = [];
      for (const runtime of runtimes.filter((each) => missing(each) === undefined)) {
        note(`${starts} cold starts on ${runtime}`);
        const bareStart = await bareStartOf(runtime, image, platform, signal);
        const app: App = {
          name: runtime,
          image,
          runtimeClassName: runtime,
          ...(bareStart === undefined ? {} : { bareStart }),
          ...(REST_MS[runtime] === undefined ? {} : { restMs: REST_MS[runtime] }),
        };
        for (const rounds of await coldStarts(platform, { apps: [app], starts }, signal)) figures.push(...figuresOf(rounds));
      }
      if (services > 0 && runtimes.includes("process")) figures.push(...(await amongMany(platform, options, image, signal)));
      return { bench: "coldstart", measured: "packed build", versions: versionsOf(root), figures, notes };
    } finally {
      await platform.stop();
    }
  } finally {
    build.remove();
  }
}
