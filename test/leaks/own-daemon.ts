// A Podman of our own, which may be killed and compared: its storage, its network and its mounts are nobody else's.
//
//   a process holds a mount namespace with its own /run/netns, so that it outlives the service
//   the service is started in it, again after each kill
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "../e2e/platform.ts";

const run = promisify(execFile);
const BRIDGE = "eileaks0";
const NSENTER = "nsenter";
const SUBNET = { subnet: "10.213.0.0/16", gateway: "10.213.0.1" };

export interface DaemonLists {
  /** Containers and volumes by name, storage by kind. */
  readonly things: readonly string[];
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  /** Ends of pairs on its bridge. */
  readonly devices: readonly string[];
}

export class OwnDaemon {
  readonly #folder: string;
  readonly #holder: ChildProcess;
  #service: ChildProcess | undefined;

  private constructor(folder: string, holder: ChildProcess) {
    this.#folder = folder;
    this.#holder = holder;
  }

  static async start(): Promise<OwnDaemon> {
    const folder = mkdtempSync(join(tmpdir(), "eider-podman-"));
    mkdirSync(join(folder, "networks"));
    writeFileSync(join(folder, "networks", "podman.json"), JSON.stringify(network()));
    for (const at of ["/run/netns", "/run/libpod"]) mkdirSync(at, { recursive: true });
    // What Podmen of one machine share, whatever their folders: networks, locks, and the mark by which one knows that the machine was not restarted.
    const theirs = 'umount -lR /run/netns; for at in /run/netns/*; do umount -l "$at"; done';
    const shared = ["/run/netns", "/run/libpod", "/dev/shm"].map((at) => `mount -t tmpfs own ${at} &&`);
    const script = `{ ${theirs}; } 2>/dev/null; ${shared.join(" ")} echo held && read line`;
    const holder = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    const daemon = new OwnDaemon(folder, holder);
    await daemon.#serve();
    return daemon;
  }

  /** As DOCKER_HOST names it. */
  get address(): string {
    return `unix://${this.#socket}`;
  }

  get #socket(): string {
    return join(this.#folder, "podman.sock");
  }

  #podman(...args: readonly string[]): string[] {
    const { pid } = this.#holder;
    const places = ["--root", join(this.#folder, "root"), "--runroot", join(this.#folder, "run"), "--network-config-dir", join(this.#folder, "networks")];
    return [`--mount=/proc/${pid}/ns/mnt`, "podman", ...places, ...args];
  }

  async #serve(): Promise<void> {
    rmSync(this.#socket, { force: true });
    const env = { ...process.env, TMPDIR: this.#folder };
    this.#service = spawn(NSENTER, this.#podman("system", "service", "--time=0", this.address), { stdio: "ignore", env });
    await eventually("the daemon answers", () => this.#ask("/version").catch(() => undefined));
  }

  /**
   * As its service manager does it. Not by SIGKILL: Podman that dies while it starts a container leaves its own `conmon` and `runc init` behind and does not know
   * of them afterwards, whoever asked it.
   */
  async kill(): Promise<void> {
    const service = this.#service;
    if (service === undefined) return;
    const ended = once(service, "exit");
    service.kill("SIGTERM");
    await ended;
    this.#service = undefined;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.#serve();
  }

  /** Leaves a container behind, as a fault; answers how it is removed. */
  async plant(): Promise<() => Promise<void>> {
    const files = join(this.#folder, "files");
    mkdirSync(files, { recursive: true });
    await run(NSENTER, this.#podman("create", "--name", "left-behind", "--rootfs", files, "true"));
    return async () => void (await run(NSENTER, this.#podman("rm", "--force", "left-behind")));
  }

  async lists(): Promise<DaemonLists> {
    const containers = await this.#ask<{ readonly Names: readonly string[] }[]>("/containers/json?all=true");
    const { Volumes } = await this.#ask<{ readonly Volumes?: readonly { readonly Name: string }[] | null }>("/volumes");
    const mounts = readFileSync(`/proc/${this.#holder.pid}/mountinfo`, "utf8")
      .split("\n")
      .flatMap((line) => line.split(" ")[4] ?? []);
    const bridge = `/sys/class/net/${BRIDGE}/brif`;
    return {
      things: [
        ...containers.flatMap(({ Names }) => Names.map((name) => `container ${plain(name.replace(/^\//, ""))}`)),
        ...(Volumes ?? []).map(({ Name }) => `volume ${plain(Name)}`),
        ...folders(join(this.#folder, "root", "overlay-containers")).map(() => "storage of a container"),
        ...folders(join(this.#folder, "root", "overlay"))
          .filter((name) => /^[0-9a-f]{64}$/.test(name))
          .map(() => "a layer"),
        ...folders(join(this.#folder, "run", "overlay-containers")).map(() => "state of a container"),
      ].toSorted(),
      processes: this.#processes(),
      mounts: mounts
        .filter((at) => (at.startsWith(this.#folder) && at !== join(this.#folder, "root", "overlay")) || at.startsWith("/run/netns/"))
        .map(plain)
        .toSorted(),
      devices: existsSync(bridge) ? readdirSync(bridge).map(() => "a pod's device") : [],
    };
  }

  /** Those that watch a container, and what they have started. */
  #processes(): readonly string[] {
    const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const line = (pid: string): string => read(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
    const watching = new Set(all.filter((pid) => line(pid).includes("conmon") && line(pid).includes(this.#folder)));
    const parent = (pid: string): string => /^PPid:\t(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? "";
    return all
      .filter((pid) => watching.has(pid) || watching.has(parent(pid)))
      .map((pid) => (watching.has(pid) ? "conmon" : line(pid)))
      .toSorted();
  }

  async stop(): Promise<void> {
    await run(NSENTER, this.#podman("rm", "--all", "--force", "--time", "0")).catch(() => undefined);
    await run(NSENTER, this.#podman("system", "reset", "--force")).catch(() => undefined);
    await this.kill();
    await run(NSENTER, [
      `--mount=/proc/${this.#holder.pid}/ns/mnt`,
      "sh",
      "-c",
      `umount -R -l ${this.#folder}/root/overlay ${this.#folder}/run 2>/dev/null`,
    ]).catch(() => undefined);
    this.#holder.stdin?.end();
    await run("ip", ["link", "del", BRIDGE]).catch(() => undefined);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #ask<T = unknown>(path: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socket, path: `/v1.41${path}`, headers: { Host: "docker" } }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve(JSON.parse(text) as T));
        response.on("error", reject);
      });
      call.once("error", reject);
      call.end();
    });
  }
}

function network(): object {
  return {
    name: "podman",
    id: "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
    driver: "bridge",
    network_interface: BRIDGE,
    created: "2026-11-28T00:00:00Z",
    subnets: [SUBNET],
    ipv6_enabled: false,
    internal: false,
    dns_enabled: false,
    ipam_options: { driver: "host-local" },
  };
}

/** Ids and the names of pods differ from run to run. */
function plain(name: string): string {
  return name
    .replace(/[0-9a-f]{64}/g, "ID")
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "UID")
    .replace(/leaks-\d+/g, "leaks-N");
}

function folders(...path: readonly string[]): readonly string[] {
  try {
    return readdirSync(join(...path), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
