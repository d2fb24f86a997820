// What is mounted for a container, as lines for `mount --all --fstab`: one program makes them all. Pure.
import type { Mount } from "../engine.ts";
import type { GroupView } from "./control-groups.ts";

export interface MountLine {
  readonly source: string;
  /** On the host, below the new root, without links. */
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Devices of the host that every container has. */
export const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"] as const;

/** Files and folders of /proc that mean the whole machine. */
const READ_ONLY = ["bus", "fs", "irq", "sys", "sysrq-trigger"] as const;
const HIDDEN_FILES = ["kcore", "keys", "timer_list"] as const;
const HIDDEN_FOLDERS = ["acpi", "scsi"] as const;

export function fstabText(lines: readonly MountLine[]): string {
  return lines.map(({ source, target, type, options }) => `${[source, target, type, options.join(",")].map(escaped).join(" ")} 0 0\n`).join("");
}

/** As getmntent reads it. */
function escaped(word: string): string {
  return word.replace(/[\s\\#]/g, (octet) => `\\${octet.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

export interface RootMount {
  readonly root: string;
  readonly upper: string;
  readonly work: string;
  /** Names in the folder in which `mount` runs, the topmost first. */
  readonly layers: readonly string[];
  readonly readOnly: boolean;
  readonly options: readonly string[];
}

export function rootLine({ root, upper, work, layers, readOnly, options }: RootMount): MountLine {
  const all = [readOnly ? "ro" : "rw", "nodev", `lowerdir=${layers.join(":")}`, `upperdir=${overlayPath(upper)}`, `workdir=${overlayPath(work)}`, ...options];
  return { source: "eider", target: root, type: "overlay", options: all };
}

/** overlayfs splits its options at commas and layers at colons. */
function overlayPath(path: string): string {
  return path.replace(/[\\:,]/g, (char) => `\\${char}`);
}

export interface SystemMounts {
  readonly root: string;
  readonly deviceFolder: string;
  readonly toolsFolder: string;
  /** With a place for each controller. */
  readonly groupsFolder: string;
  readonly groups: readonly GroupView[];
  readonly shmBytesMax: number;
  /** Without one, and as somebody else than root, no new /sys can be mounted. */
  readonly ownNetwork: boolean;
  readonly asRoot: boolean;
  /** The machine's /proc and /sys are kept as they are. */
  readonly privileged: boolean;
  /** Whether a path of the host is there: kernels differ. */
  readonly exists: (path: string) => boolean;
}

export function systemLines({
  root,
  deviceFolder,
  toolsFolder,
  groupsFolder,
  groups,
  shmBytesMax,
  ownNetwork,
  asRoot,
  privileged,
  exists,
}: SystemMounts): MountLine[] {
  const bind = (source: string, target: string, ...options: string[]): MountLine => ({
    source,
    target: `${root}${target}`,
    type: "none",
    options: ["bind", ...options],
  });
  const memory = (target: string, ...options: string[]): MountLine => ({ source: "tmpfs", target: `${root}${target}`, type: "tmpfs", options });
  const masks = privileged
    ? []
    : [
        ...READ_ONLY.filter((name) => exists(`/proc/${name}`)).map((name) => bind(`${root}/proc/${name}`, `/proc/${name}`, "ro", "nosuid", "nodev", "noexec")),
        ...HIDDEN_FILES.filter((name) => exists(`/proc/${name}`)).map((name) => bind("/dev/null", `/proc/${name}`)),
        ...HIDDEN_FOLDERS.filter((name) => exists(`/proc/${name}`)).map((name) => memory(`/proc/${name}`, "ro", "size=0")),
      ];
  const ownSys = asRoot || ownNetwork;
  return [
    { source: "proc", target: `${root}/proc`, type: "proc", options: ["nosuid", "nodev", "noexec"] },
    ...masks,
    ownSys
      ? { source: "sysfs", target: `${root}/sys`, type: "sysfs", options: ["ro", "nosuid", "nodev", "noexec"] }
      : { source: "/sys", target: `${root}/sys`, type: "none", options: ["rbind", "ro"] },
    ...(privileged || !exists("/sys/firmware") ? [] : [memory("/sys/firmware", "ro", "size=0")]),
    ...(ownSys ? groupLines(root, groupsFolder, groups) : []),
    bind(deviceFolder, "/dev", "ro", "nosuid"),
    bind(toolsFolder, "/dev/.eider", "ro", "nodev"),
    ...DEVICES.map((name) => bind(`/dev/${name}`, `/dev/${name}`)),
    { source: "devpts", target: `${root}/dev/pts`, type: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620", "nosuid", "noexec"] },
    memory("/dev/shm", "nosuid", "nodev", "noexec", "mode=1777", `size=${shmBytesMax}`),
  ];
}

/** The container's own groups, to read: what programs size themselves by. */
function groupLines(root: string, groupsFolder: string, groups: readonly GroupView[]): MountLine[] {
  const bind = (source: string, target: string): MountLine => ({
    source,
    target: `${root}/sys/fs/cgroup${target}`,
    type: "none",
    options: ["bind", "ro", "nosuid", "nodev", "noexec"],
  });
  const views = groups.map(({ controller, folder }) => bind(folder, controller === undefined ? "" : `/${controller}`));
  return groups.some(({ controller }) => controller !== undefined) ? [bind(groupsFolder, ""), ...views] : views;
}

/** `target` has been looked up; the longest paths come last, since one may lie in another. */
export function volumeLines(root: string, mounts: readonly Mount[]): MountLine[] {
  return [...mounts]
    .sort((a, b) => a.target.length - b.target.length)
    .map(({ source, target, readOnly }): MountLine => {
      const options = [readOnly ? "ro" : "rw", "nosuid", "nodev"];
      if ("path" in source) return { source: source.path, target: `${root}${target}`, type: "none", options: ["rbind", ...options] };
      const size = source.memoryBytesMax === undefined ? [] : [`size=${source.memoryBytesMax}`];
      return { source: "tmpfs", target: `${root}${target}`, type: "tmpfs", options: [...options, "mode=1777", ...size] };
    });
}
