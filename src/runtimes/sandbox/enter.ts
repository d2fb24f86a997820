// The words of the shell that becomes a container, and of the one that becomes a command in it. Pure.
//
//   nsenter (network, ipc of the pod) → unshare (mount, pid, uts …; stays as the keeper's process) → sh: cgroups, mounts, new root → setpriv → env → program
// The program's variables travel as EIDER_ENV_<n>: named as they are they would steer the host's programs on the way, which run as root
// (LD_PRELOAD), and as words they could be read by everybody in `ps`.
import type { ContainerUser } from "./image-user.ts";

export const TOOLS = "/dev/.eider";
const VARIABLE = "EIDER_ENV_";

export interface Identity {
  /** Undefined where there is one user only: that of a user namespace. */
  readonly user: ContainerUser | undefined;
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** Among the tools, what puts its filter of system calls on the program; undefined: all are let through. */
  readonly filter?: string | undefined;
}

export interface Program {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly identity: Identity;
  readonly variables: number;
}

/** As they are given to the keeper. */
export function travelling(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value], index) => [`${VARIABLE}${index}`, `${name}=${value}`]));
}

export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Becomes the program: inside, where only the tools are known to be there. */
export function becomes({ argv, cwd, identity, variables }: Program): string {
  const tool = `${TOOLS}/ld.so --library-path ${TOOLS}/lib ${TOOLS}`;
  const env = Array.from({ length: variables }, (_, index) => `"$${VARIABLE}${index}"`).join(" ");
  const filter = identity.filter === undefined ? [] : [`${TOOLS}/${identity.filter}`];
  return `exec ${[...filter, `${tool}/setpriv`, ...privileges(identity), "--", `${tool}/env`, "-i", "-C", quoted(cwd), env, ...argv.map(quoted)].join(" ")}`;
}

/** The last word on what the program may: whoever starts it may everything. */
function privileges({ user, capabilities, noNewPrivileges }: Identity): string[] {
  const bounds = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  return [
    "--pdeathsig=KILL",
    ...(noNewPrivileges ? ["--no-new-privs"] : []),
    ...(user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`]),
    ...(user === undefined ? [] : [user.groups.length === 0 ? "--clear-groups" : `--groups=${user.groups.join(",")}`]),
    "--inh-caps=-all",
    `--bounding-set=${bounds}`,
  ];
}

export interface Entering {
  /** Files `cgroup.procs` of the groups that it goes into. */
  readonly groupFiles: readonly string[];
  readonly hostname: string;
  /** The program that sets it, where /proc is root's alone. */
  readonly hostnameProgram?: string | undefined;
  /** Where the layers' short names mean something. */
  readonly layersDir: string;
  readonly fstab: string;
  readonly root: string;
  readonly mount: string;
  readonly pivotRoot: string;
}

/**
 * Before the program: each line stops it when it fails, and what the failing program wrote is in the container's output.
 * To change a group takes the kernel some milliseconds, in which it waits: the mounts are made meanwhile. The shell is process 1 of its namespace.
 */
export function enters({ groupFiles, hostname, hostnameProgram, layersDir, fstab, root, mount, pivotRoot }: Entering): string {
  return [
    "set -e",
    ...(groupFiles.length === 0 ? [] : [`(${groupFiles.map((file) => `echo 1 > ${quoted(file)}`).join(" && ")}) &`, "groups=$!"]),
    hostnameProgram === undefined ? `echo ${quoted(hostname)} > /proc/sys/kernel/hostname` : `${hostnameProgram} ${quoted(hostname)}`,
    `cd ${quoted(layersDir)}`,
    `${mount} -a -T ${quoted(fstab)}`,
    // Before the root changes: that is the root of whoever is in this namespace.
    ...(groupFiles.length === 0 ? [] : ['wait "$groups"']),
    `cd ${quoted(root)}`,
    `${pivotRoot} . dev/.eider/old`,
    "cd /",
    `${TOOLS}/ld.so --library-path ${TOOLS}/lib ${TOOLS}/umount -l ${TOOLS}/old`,
  ].join("\n");
}

/** Joins a running container: by the shell of the tools, since its image may have none. */
export function joins(nsenter: string, pid: number, program: Program, asRoot: boolean): string[] {
  const shell = [`${TOOLS}/ld.so`, "--library-path", `${TOOLS}/lib`, `${TOOLS}/sh`];
  return [
    nsenter,
    "--target",
    String(pid),
    ...(asRoot ? [] : ["--user", "--preserve-credentials"]),
    "--mount",
    "--pid",
    "--net",
    "--ipc",
    "--uts",
    "--",
    ...shell,
    "-c",
    becomes(program),
  ];
}

/** A path inside a container as the host sees it. */
export function insideOf(pid: number, path: string): string {
  return `/proc/${pid}/root${path}`;
}

export const TOOLS_MARK = `${TOOLS}/ld.so`;
