// Pods of the runtime `sandbox` or `container` come and go while faults happen; then the machine is as it was before.
//
//   data folder on a small disk of its own (a file on a loop device)
//   batches of pods: created, running, a fault, deleted
//   faults: the platform is killed, their image is removed, the disk is full; and the daemon is killed and started again, where pods need one
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openImageStore } from "#images";
import { compileProbe, storeLayered } from "../e2e/layered-image.ts";
import { eventually, findProgram, Platform, type State } from "../e2e/platform.ts";
import { descriptorsOf, differences, machineLists, missing, POD_DEVICE, type MachineLists } from "./machine-lists.ts";
import { OwnDaemon, type DaemonLists } from "./own-daemon.ts";

const run = promisify(execFile);

export interface LeakReport {
  readonly pods: number;
  readonly faults: readonly string[];
  readonly left: readonly string[];
  /** How much there was of what, before and after. */
  readonly counts: readonly string[];
}

export type LeakRuntime = "sandbox" | "container";

const IMAGE = "dev.local/leaks:v1";
const BATCH = 20;
const DISK_BYTES = 400 << 20;

/** What is missing for it; false when nothing is. */
export function whyNoLeaks(runtime: LeakRuntime = "sandbox"): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs Linux and root";
  const program = ["go", "kubectl", "ip", "unshare", "mkfs.ext4", ...(runtime === "container" ? ["podman", "nsenter"] : [])].find(
    (name) => findProgram(name) === undefined,
  );
  if (program !== undefined) return `${program} is not on the PATH`;
  return spawnSync("unshare", ["--mount", "--net", "true"]).status === 0 ? false : "namespaces cannot be made here";
}

interface LeakOptions {
  readonly pods: number;
  readonly runtime?: LeakRuntime;
  readonly tell: (line: string) => void;
}

export async function runLeaks({ pods, runtime = "sandbox", tell }: LeakOptions): Promise<LeakReport> {
  const disk = await mountDisk();
  const daemon = runtime === "container" ? await OwnDaemon.start() : undefined;
  let world: LeakWorld | undefined;
  try {
    world = await LeakWorld.start(join(disk.folder, "data"), daemon, tell);
    const left = await world.run(pods);
    return { pods, faults: world.faults, left, counts: world.counts };
  } catch (error) {
    for (const log of world?.platform.logs().split(/^== /m) ?? []) tell(log.slice(-3_000));
    throw error;
  } finally {
    await world?.platform.stop();
    await daemon?.stop();
    await disk.unmount();
  }
}

async function mountDisk(): Promise<{ readonly folder: string; unmount(): Promise<void> }> {
  const base = mkdtempSync(join(tmpdir(), "eider-leaks-"));
  const file = `${base}.disk`;
  writeFileSync(file, "");
  truncateSync(file, DISK_BYTES);
  await run("mkfs.ext4", ["-q", "-m", "0", file]);
  await run("mount", ["-o", "loop", file, base]);
  return {
    folder: base,
    async unmount() {
      await run("umount", ["--lazy", base]);
      rmSync(base, { recursive: true, force: true });
      rmSync(file, { force: true });
    },
  };
}

/** Of what pods have there are only the networks that nobody has taken. */
function isAtRest({ things, mounts }: DaemonLists): boolean {
  const containers = things.filter((each) => each.startsWith("container "));
  return (
    containers.length === 2 && containers.every((each) => each.includes("eider__spare_")) && mounts.filter((at) => at.startsWith("/run/netns/")).length === 2
  );
}

class LeakWorld {
  readonly platform: Platform;
  readonly faults: string[] = [];
  readonly counts: string[] = [];
  readonly #daemon: OwnDaemon | undefined;
  readonly #program: Buffer;
  readonly #tell: (line: string) => void;
  #count = 0;

  private constructor(
    platform: Platform,
    { program, daemon, tell }: { readonly program: Buffer; readonly daemon: OwnDaemon | undefined; readonly tell: (line: string) => void },
  ) {
    this.platform = platform;
    this.#daemon = daemon;
    this.#program = program;
    this.#tell = tell;
  }

  static async start(data: string, daemon: OwnDaemon | undefined, tell: (line: string) => void): Promise<LeakWorld> {
    const program = await compileProbe();
    const args = ["--container-host", daemon?.address ?? "off"];
    return new LeakWorld(await Platform.start({ data, args }), { program, daemon, tell });
  }

  /** Lines of what is left; empty when all is as before. */
  async run(pods: number): Promise<string[]> {
    await this.#storeImage();
    // What is made once and kept is made now; and the platform that is looked at is not one that was just started.
    await this.#batch(1, async () => this.#kill());
    await this.#batch(1, async () => undefined);
    await this.#removeImage();
    await this.#prune();
    const before = await this.#settled();
    const daemon = this.#daemon;
    const restart = daemon === undefined ? [] : [() => this.#restartDaemon(daemon)];
    const faults = [() => this.#kill(), ...restart, () => this.#removeImage(), () => this.#fillDisk(), async () => undefined];
    for (let done = 0, turn = 0; done < pods; turn++) {
      const size = Math.min(BATCH, pods - done, Math.ceil(pods / faults.length));
      await this.#storeImage();
      await this.#batch(size, faults[turn % faults.length] as () => Promise<void>);
      done += size;
      this.#tell(`${done} of ${pods} pods`);
    }
    await this.#kill();
    await this.#storeImage();
    await this.#batch(1, async () => undefined);
    await this.#removeImage();
    return this.#compared(before);
  }

  async #lists(): Promise<MachineLists> {
    const lists = machineLists(this.platform.data);
    const theirs = await this.#daemon?.lists();
    if (theirs === undefined) return lists;
    const { things, processes, mounts, devices } = theirs;
    return {
      ...lists,
      things,
      processes: [...lists.processes, ...processes],
      mounts: [...lists.mounts, ...mounts],
      devices: [...lists.devices, ...devices],
    };
  }

  async #settled(): Promise<Settled> {
    const daemon = this.#daemon;
    const podsDevices = (): number => machineLists(this.platform.data).devices.filter((each) => each === POD_DEVICE).length;
    if (daemon === undefined) await eventually("two networks are made ahead", async () => podsDevices() === 2);
    else await eventually("two networks are made ahead, and the first pods' are gone", async () => isAtRest(await daemon.lists()));
    const lists = await this.#lists();
    return { lists, keeper: descriptorsOf(this.platform.state.keeperPid), platform: descriptorsOf(this.#state().pid) };
  }

  async #compared(before: Settled): Promise<string[]> {
    let left: string[] = [];
    let lists = before.lists;
    await this.#prune();
    const equal = async (): Promise<boolean> => {
      const { pid } = this.#state();
      lists = await this.#lists();
      left = [
        ...differences(before.lists, lists),
        ...missing(descriptorsOf(this.platform.state.keeperPid), before.keeper).map((each) => `descriptors of the keeper: ${each}`),
        ...missing(descriptorsOf(pid), before.platform).map((each) => `descriptors of the platform: ${each}`),
      ];
      return left.length === 0;
    };
    await eventually("nothing is left", equal, 60_000).catch(() => undefined);
    this.counts.push(...countsOf(before.lists, lists));
    const { pid } = this.#state();
    this.counts.push(`descriptors of the platform: ${before.platform.length} before, ${descriptorsOf(pid).length} after`);
    this.counts.push(`descriptors of the keeper: ${before.keeper.length} before, ${descriptorsOf(this.platform.state.keeperPid).length} after`);
    return left;
  }

  /** Layers of an image that is gone go when a pod ends: one that cannot start is enough. */
  async #prune(): Promise<void> {
    await this.#batch(1, async () => undefined, "ErrImagePull");
  }

  #state(): State {
    return JSON.parse(readFileSync(join(this.platform.data, "run", "state.json"), "utf8")) as State;
  }

  async #storeImage(): Promise<void> {
    await storeLayered(this.platform.data, this.#program, { name: IMAGE });
  }

  async #batch(size: number, fault: () => Promise<void>, waiting?: string): Promise<void> {
    const names = Array.from({ length: size }, () => `leaks-${++this.#count}`);
    const half = Math.ceil(size / 2);
    for (const [index, name] of names.entries()) {
      await this.platform.apply(this.#podNamed(name));
      if (index + 1 === half) await this.#phases(names.slice(0, half), waiting);
      // The rest is on its way while it happens.
    }
    await fault();
    if (size > 0) await this.platform.kubectl("delete", "pod", ...names, "--ignore-not-found", "--wait=true", "--timeout=120s");
  }

  async #phases(names: readonly string[], waiting?: string): Promise<void> {
    const path = waiting === undefined ? "{.status.phase}" : "{.status.containerStatuses[0].state.waiting.reason}";
    for (const name of names)
      await eventually(`${name} is ${waiting ?? "Running"}`, async () => {
        const said = (await this.platform.kubectl("get", "pod", name, "-o", `jsonpath=${path}`)).trim();
        return waiting === undefined ? said === "Running" : said === waiting || said === "ImagePullBackOff";
      });
  }

  async #kill(): Promise<void> {
    this.#fault("kill -9 of the platform");
    const { pid } = this.#state();
    process.kill(pid, "SIGKILL");
    await eventually("the next platform is ready", async () => this.#state().pid !== pid);
    await this.#answers();
  }

  /** Writes, too: a platform whose disk was full may be on its way to the next. */
  async #answers(): Promise<void> {
    await eventually("the API answers", () =>
      this.platform.kubectl("annotate", "--overwrite", "namespace", "default", `leaks=${++this.#count}`).then(
        () => true,
        () => false,
      ),
    );
  }

  async #removeImage(): Promise<void> {
    this.#fault("image removed");
    await (await openImageStore(join(this.platform.data, "images"))).remove(IMAGE);
  }

  /** Until not one pod more can start, and they are there all the same. */
  async #fillDisk(): Promise<void> {
    this.#fault("disk full");
    const file = join(this.platform.data, "..", "filler");
    const { bavail, bsize } = statfsSync(join(this.platform.data, ".."));
    await run("fallocate", ["-l", String(bavail * bsize), file]).catch(() => undefined);
    const name = `leaks-${++this.#count}`;
    const manifest = join(tmpdir(), `${name}-${process.pid}.json`);
    writeFileSync(manifest, JSON.stringify(this.#podNamed(name)));
    // One request that gives up: while the disk is full no platform may come up, and a keeper without one ends after its grace.
    await this.platform.kubectl("create", "--raw", "/api/v1/namespaces/default/pods", "-f", manifest, "--request-timeout=3s").catch(() => undefined);
    rmSync(manifest);
    rmSync(file, { force: true });
    await this.#answers();
    await this.platform.kubectl("delete", "pod", name, "--ignore-not-found", "--wait=true", "--timeout=120s");
  }

  /** While it is down, pods are created and deleted all the same. */
  async #restartDaemon(daemon: OwnDaemon): Promise<void> {
    this.#fault("daemon restarted");
    await daemon.kill();
    await this.platform.kubectl("delete", "pod", `leaks-${this.#count}`, "--wait=true", "--timeout=120s");
    await daemon.restart();
  }

  #podNamed(name: string): object {
    return podNamed(name, this.#daemon === undefined ? "sandbox" : "container");
  }

  #fault(name: string): void {
    if (!this.faults.includes(name)) this.faults.push(name);
  }
}

interface Settled {
  readonly lists: ReturnType<typeof machineLists>;
  readonly keeper: readonly string[];
  readonly platform: readonly string[];
}

function countsOf(before: MachineLists, after: MachineLists): string[] {
  const names = ["processes", "mounts", "networks", "devices", "groups", "files", "things"] as const;
  return [
    ...names.map((name) => `${name}: ${before[name]?.length ?? 0} before, ${after[name]?.length ?? 0} after`),
    `blocks held by nothing: ${before.heldBlocks} before, ${after.heldBlocks} after`,
  ];
}

function podNamed(name: string, runtime: LeakRuntime): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      runtimeClassName: runtime,
      terminationGracePeriodSeconds: 2,
      containers: [{ name: "app", image: IMAGE, imagePullPolicy: "IfNotPresent", ports: [{ containerPort: 8080 }] }],
    },
  };
}
