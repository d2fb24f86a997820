// Networks of pods: a namespace each, a pair of virtual devices, a bridge for all. Made with `ip` and `unshare`, so root only.
//
//   sandbox/net/<pod uid>/{net,ipc}   the namespaces, bound to files so that they live as long as the pod does
//   sandbox/net/<pod uid>/ip          its address
//   sandbox/net/spare-<n>/            made ahead, from the first pod on, so that a pod that starts does not wait for its network
// Devices are called `ei<mark><n>`: the mark is the data folder's, so that two platforms on a machine leave each other alone.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "#core";
import { openEgress } from "./egress.ts";

export interface PodNetwork {
  readonly ip: string;
  /** The platform, as pods reach it. */
  readonly gateway: string;
  readonly netFile: string;
  readonly ipcFile: string;
}

export interface PodNetworksOptions {
  /** The data folder's own. */
  readonly dir: string;
  readonly mark: string;
  readonly ip: string;
  /** Undefined when the machine has none: pods do not get out. */
  readonly nft: string | undefined;
  readonly unshare: string;
  readonly umount: string;
  readonly sh: string;
  readonly logger: Logger;
}

/** Of the range for providers' own networks (RFC 6598): not in use on a laptop or in an office. */
const FIRST_NET = 64;
const NETS = 64;
const PODS_MAX = 1_000;
const SPARES = 2;
const COMMAND_MS = 10_000;

export class PodNetworks {
  readonly #options: PodNetworksOptions;
  readonly #bridge: string;
  #net = "";
  /** Addresses in use, the spares' included: `ip` is `<net>.<n / 256>.<n % 256>`. */
  readonly #taken = new Set<number>();
  readonly #spares: string[] = [];
  /** The one that is being made ahead. */
  #making: Promise<unknown> = Promise.resolve();
  #refilling = false;
  #bridging: Promise<void> | undefined;
  #spareCount = 0;

  constructor(options: PodNetworksOptions) {
    this.#options = options;
    this.#bridge = `ei${options.mark}`;
  }

  get bridgeIp(): string {
    return `${this.#net}.0.1`;
  }

  /**
   * Tries whether networks can be made, in a namespace that goes with the trial, and finds those of an earlier platform. The machine is left as it
   * is until a pod wants one. Throws when the machine does not let us.
   */
  async prepare(): Promise<void> {
    const { dir, unshare, sh, ip } = this.#options;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    await run(unshare, ["--net", "--ipc", "--", sh, "-c", `exec "$0" -batch -`, ip], lines(["link add trial type bridge", "link add eth0 type veth"]));
    for (const name of readdirSync(dir)) {
      // What is bound to files is gone with a restart of the machine.
      if (name.startsWith("spare-") || !isMounted(join(dir, name, "net"))) await this.#unmake(name);
      else this.#taken.add(numberOf(readIp(join(dir, name))));
    }
    if (this.#taken.size === 0) return;
    await this.#bridged();
    void this.refill(async () => undefined);
  }

  /** The pod's own, made when it has none. */
  async take(podUid: string): Promise<PodNetwork> {
    const { dir } = this.#options;
    const own = join(dir, podUid);
    await this.#bridged();
    if (!existsSync(join(own, "ip"))) {
      const spare = this.#spares.shift() ?? (await this.#spareNow());
      renameSync(join(dir, spare), own);
    }
    return this.#networkAt(own);
  }

  find(podUid: string): PodNetwork | undefined {
    const own = join(this.#options.dir, podUid);
    return existsSync(join(own, "ip")) ? this.#networkAt(own) : undefined;
  }

  async release(podUid: string): Promise<void> {
    if (existsSync(join(this.#options.dir, podUid))) await this.#unmake(podUid);
  }

  /** Pods that are no more. */
  async sweep(podUids: ReadonlySet<string>): Promise<void> {
    for (const name of readdirSync(this.#options.dir)) if (!name.startsWith("spare-") && !podUids.has(name)) await this.#unmake(name);
  }

  /** There from the first pod on. */
  #bridged(): Promise<void> {
    this.#bridging ??= this.#makeBridge().catch((error: unknown) => {
      this.#bridging = undefined;
      throw error;
    });
    return this.#bridging;
  }

  /** Or finds the one of an earlier platform. */
  async #makeBridge(): Promise<void> {
    this.#net = await this.#ownNet();
    const first = Number.parseInt(this.#options.mark, 16) % NETS;
    for (let tries = 0; this.#net === "" && tries < NETS; tries++) {
      const net = `100.${FIRST_NET + ((first + tries) % NETS)}`;
      if (!(await this.#isTaken(net))) this.#net = net;
    }
    if (this.#net === "") throw new Error("no free range of addresses below 100.64.0.0/10");
    if (!existsSync(`/sys/class/net/${this.#bridge}`)) await this.#ip([`link add ${this.#bridge} type bridge`]);
    // Of itself a bridge has its lowest port's address, and another one once that port goes: pods would send to the old one for up to a minute.
    const address = readFileSync(`/sys/class/net/${this.#bridge}/address`, "utf8").trim();
    await this.#ip([`link set ${this.#bridge} address ${address}`, `addr replace ${this.bridgeIp}/16 dev ${this.#bridge}`, `link set ${this.#bridge} up`]);
    await openEgress({ bridge: this.#bridge, range: `${this.#net}.0.0/16`, nft: this.#options.nft }).catch((err: unknown) =>
      this.#options.logger.warn("pods in sandboxes reach this machine only, and nothing beyond it", { err }),
    );
  }

  #networkAt(folder: string): PodNetwork {
    return { ip: readIp(folder), gateway: this.bridgeIp, netFile: join(folder, "net"), ipcFile: join(folder, "ipc") };
  }

  /** Makes ahead what is missing, each when `mayBegin` says so; to be asked for after each start. Ends, without a word, when that rejects. */
  async refill(mayBegin: () => Promise<void>): Promise<void> {
    if (this.#refilling) return;
    this.#refilling = true;
    const isWanted = async (): Promise<boolean> =>
      this.#spares.length < SPARES &&
      mayBegin().then(
        () => this.#spares.length < SPARES,
        () => false,
      );
    try {
      await mayBegin().then(
        () => this.#tidy(),
        () => undefined,
      );
      while (await isWanted()) {
        const making = this.#makeSpare().then((name) => this.#spares.push(name));
        this.#making = making.catch(() => undefined);
        await making;
      }
    } catch (error) {
      this.#options.logger.warn("no network was made ahead", { err: error });
    }
    this.#refilling = false;
  }

  /** What another platform was making when it was killed. */
  async #tidy(): Promise<void> {
    const others = readdirSync(this.#options.dir).filter((name) => name.startsWith("spare-") && !name.startsWith(`spare-${process.pid}-`));
    for (const name of others) await this.#unmake(name);
  }

  async #spareNow(): Promise<string> {
    await this.#making;
    return this.#spares.shift() ?? this.#makeSpare();
  }

  async #makeSpare(): Promise<string> {
    const { dir, unshare, sh, ip, mark } = this.#options;
    const number = this.#freeNumber();
    const name = `spare-${process.pid}-${++this.#spareCount}`;
    const folder = join(dir, name);
    this.#taken.add(number);
    try {
      mkdirSync(folder, { mode: 0o700 });
      for (const file of ["net", "ipc"]) writeFileSync(join(folder, file), "");
      const address = `${this.#net}.${number >> 8}.${number & 255}`;
      writeFileSync(join(folder, "ip.new"), address);
      const device = `ei${mark}${number}`;
      const inside = [
        "link set lo up",
        `link add eth0 address ${hardwareAddressOf(address)} type veth peer name ${device} netns ${process.pid}`,
        `addr add ${address}/16 dev eth0`,
        "link set eth0 up",
        `route add default via ${this.bridgeIp}`,
      ];
      await run(unshare, [`--net=${join(folder, "net")}`, `--ipc=${join(folder, "ipc")}`, "--", sh, "-c", `exec "$0" -batch -`, ip], lines(inside));
      await this.#ip([`link set ${device} master ${this.#bridge}`, `link set ${device} up`]);
      renameSync(join(folder, "ip.new"), join(folder, "ip"));
      return name;
    } catch (error) {
      await this.#unmake(name);
      throw error;
    }
  }

  #freeNumber(): number {
    for (let number = 2; number < PODS_MAX + SPARES + 2; number++) if (!this.#taken.has(number)) return number;
    throw new Error(`there are ${PODS_MAX} pods with a network already`);
  }

  /** The kernel takes the devices away with the namespace. */
  async #unmake(name: string): Promise<void> {
    const folder = join(this.#options.dir, name);
    const number = numberOf(readIp(folder));
    for (const file of ["net", "ipc"]) if (isMounted(join(folder, file))) await run(this.#options.umount, ["--lazy", join(folder, file)]);
    // The host's side goes at once, so that its name and address may be used again.
    if (number > 0) await this.#ip([`link del ei${this.#options.mark}${number}`]).catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
    this.#taken.delete(number);
  }

  /** Of a bridge that is there. */
  async #ownNet(): Promise<string> {
    if (!existsSync(`/sys/class/net/${this.#bridge}`)) return "";
    const text = await run(this.#options.ip, ["-4", "-o", "addr", "show", "dev", this.#bridge]);
    return /inet (100\.\d+)\./.exec(text)?.[1] ?? "";
  }

  async #isTaken(net: string): Promise<boolean> {
    return (await run(this.#options.ip, ["-4", "route", "show", "root", `${net}.0.0/16`])) !== "";
  }

  async #ip(commands: readonly string[]): Promise<void> {
    await run(this.#options.ip, ["-batch", "-"], lines(commands));
  }
}

/** Six hexadecimal digits of a data folder's path. */
export function markOf(dataDir: string): string {
  return createHash("sha256").update(dataDir).digest("hex").slice(0, 6);
}

/** Whether something is mounted there, as far as this process sees. */
export function isMounted(path: string): boolean {
  return mountsBelow(path).includes(path);
}

/** Mount points at and below a folder, the latest first. */
export function mountsBelow(folder: string): string[] {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4]?.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))) ?? []);
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`)).toReversed();
}

function readIp(folder: string): string {
  for (const name of ["ip", "ip.new"]) if (existsSync(join(folder, name))) return readFileSync(join(folder, name), "utf8").trim();
  return "";
}

/** The same for each pod that gets the address: whoever remembers it from the one before, the machine above all, is right. Locally administered. */
function hardwareAddressOf(ip: string): string {
  return ["02", "65", ...ip.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
}

function numberOf(ip: string): number {
  const [, , high = "0", low = "0"] = ip.split(".");
  return Number(high) * 256 + Number(low);
}

function lines(commands: readonly string[]): string {
  return `${commands.join("\n")}\n`;
}

function run(program: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { timeout: COMMAND_MS, env: {} }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(`${program} ${args.join(" ")} failed: ${stderr.trim() || error.message}`, { cause: error }));
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
