// What this machine allows sandboxes to have: found once, by really starting one.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Logger } from "#core";
import { CONTROLLERS_V1, ControlGroups } from "./control-groups.ts";
import { becomes, enters } from "./enter.ts";
import { DEVICES, fstabText, rootLine, systemLines } from "./fstab.ts";
import { removeFolder } from "./remove-folder.ts";
import { copyTools, findHostPrograms, makeDeviceFolder, type HostPrograms } from "./host-programs.ts";
import { markOf, PodNetworks } from "./pod-networks.ts";

const run = promisify(execFile);

export interface SandboxHost {
  readonly programs: HostPrograms;
  /** Everything of ours is below it. */
  readonly dir: string;
  readonly toolsFolder: string;
  readonly deviceFolder: string;
  /** Where containers see their control groups. */
  readonly groupsFolder: string;
  readonly groups: ControlGroups;
  /** Undefined where pods share the machine's network. */
  readonly networks: PodNetworks | undefined;
  /** Not root: one user, that of a user namespace. */
  readonly asRoot: boolean;
  readonly overlayOptions: readonly string[];
  /** For `eider status`. */
  readonly text: string;
}

export interface SandboxHostOptions {
  readonly dataDir: string;
  readonly path: string;
  readonly asRoot: boolean;
  readonly logger: Logger;
}

const PROBE_MS = 10_000;

/** Or why there can be no sandboxes, in words. */
export async function findSandboxHost({ dataDir, path, asRoot, logger }: SandboxHostOptions): Promise<SandboxHost | string> {
  if (process.platform !== "linux") return "sandboxes need Linux";
  const programs = findHostPrograms(path);
  if (typeof programs === "string") return programs;
  const dir = join(dataDir, "sandbox");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  try {
    const base = { programs, dir, asRoot, ...(await makeTools(programs, dir)) };
    const overlayOptions = await probe(base);
    const groups = new ControlGroups(markOf(dataDir));
    const networks = await makeNetworks(base, markOf(dataDir), logger);
    const text = `unshare${asRoot ? "" : " in a user namespace"}, overlayfs, ${networks === undefined ? "the machine's network" : "a network for each pod"}, ${groups.text}`;
    return { ...base, overlayOptions, groups, networks, text };
  } catch (error) {
    return `a trial sandbox did not start: ${(error as Error).message.trim()}`;
  }
}

type Base = Pick<SandboxHost, "programs" | "dir" | "toolsFolder" | "deviceFolder" | "groupsFolder" | "asRoot">;

/** Named by what they are made of: containers of an earlier platform still have theirs. */
async function makeTools(programs: HostPrograms, dir: string): Promise<Pick<SandboxHost, "toolsFolder" | "deviceFolder" | "groupsFolder">> {
  const facts = (["setpriv", "umount", "env", "sh"] as const).map((name) => {
    const { mtimeMs, size, ino } = statSync(programs.path(name));
    return [programs.path(name), mtimeMs, size, ino];
  });
  const key = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 12);
  const made: string[] = [];
  for (const [name, fill] of [
    [`tools-${key}`, (folder: string) => copyTools(programs, folder)],
    ["dev", (folder: string) => makeDeviceFolder(folder, DEVICES)],
    ["cgroup", (folder: string) => makeGroupsFolder(folder)],
  ] as const) {
    const folder = join(dir, name);
    made.push(folder);
    if (statSync(folder, { throwIfNoEntry: false }) !== undefined) continue;
    const partial = `${folder}.new`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { mode: 0o755 });
    await fill(partial);
    await rename(partial, folder);
  }
  const [toolsFolder = "", deviceFolder = "", groupsFolder = ""] = made;
  return { toolsFolder, deviceFolder, groupsFolder };
}

async function makeGroupsFolder(folder: string): Promise<void> {
  for (const name of CONTROLLERS_V1) await mkdir(join(folder, name), { mode: 0o755 });
}

/** Starts `true` in a sandbox like any other; answers the options of overlayfs that worked. */
async function probe(base: Base): Promise<readonly string[]> {
  let last: unknown;
  for (const options of base.asRoot ? [["volatile"], []] : [["userxattr", "volatile"], ["userxattr"]]) {
    const folder = join(base.dir, `probe-${process.pid}`);
    try {
      await probeOnce(base, folder, options);
      return options;
    } catch (error) {
      last = error;
    } finally {
      removeFolder(folder);
    }
  }
  throw last;
}

async function probeOnce(base: Base, folder: string, options: readonly string[]): Promise<void> {
  const { programs, deviceFolder, toolsFolder, groupsFolder } = base;
  const [root, upper, work, layers, fstab] = ["root", "upper", "work", "layers", "fstab"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  for (const each of [root, upper, work, join(layers, "one", "proc"), join(layers, "one", "sys"), join(layers, "one", "dev")])
    await mkdir(each, { recursive: true });
  const lines = [
    rootLine({ root, upper, work, layers: ["one"], readOnly: false, options }),
    ...systemLines({
      root,
      deviceFolder,
      toolsFolder,
      groupsFolder,
      groups: [],
      shmBytesMax: 1 << 20,
      privileged: false,
      ownNetwork: base.asRoot,
      asRoot: base.asRoot,
      exists: existsOnHost,
    }),
  ];
  await writeFile(fstab, fstabText(lines));
  const script = [
    enters({
      groupFiles: [],
      hostname: "probe",
      hostnameProgram: base.asRoot ? undefined : (programs.hostname ?? "hostname"),
      layersDir: layers,
      fstab,
      root,
      mount: programs.path("mount"),
      pivotRoot: programs.path("pivot_root"),
    }),
    becomes({
      argv: ["/dev/.eider/ld.so", "--library-path", "/dev/.eider/lib", "/dev/.eider/env"],
      cwd: "/",
      identity: { user: undefined, capabilities: [], noNewPrivileges: true },
      variables: 0,
    }),
  ].join("\n");
  const [unshare, ...args] = unsharing(base);
  await run(unshare, [...args, programs.path("sh"), "-c", script], { timeout: PROBE_MS, env: {} });
}

export function existsOnHost(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Stays as the parent: SIGTERM to the group is for the container alone, and its death is that of all of them. */
export function unsharing({ programs, asRoot }: Pick<SandboxHost, "programs" | "asRoot">): [string, ...string[]] {
  return [programs.path("unshare"), ...(asRoot ? [] : ["--user", "--map-root-user"]), "--mount", "--pid", "--uts", "--fork", "--kill-child", "--"];
}

async function makeNetworks({ programs, dir, asRoot }: Base, mark: string, logger: Logger): Promise<PodNetworks | undefined> {
  if (!asRoot || programs.ip === undefined) return undefined;
  const paths = { unshare: programs.path("unshare"), umount: programs.path("umount"), sh: programs.path("sh") };
  const networks = new PodNetworks({ dir: join(dir, "net"), mark, ip: programs.ip, nft: programs.nft, ...paths, logger });
  try {
    await networks.prepare();
    return networks;
  } catch (error) {
    logger.warn("pods share the machine's network: none of their own can be made", { err: error });
    return undefined;
  }
}

/** Folders of pods that are there. */
export function podFolders(dir: string): string[] {
  try {
    return readdirSync(join(dir, "pods"));
  } catch {
    return [];
  }
}
