// The programs of the host that make a sandbox: all of util-linux, but for a shell and `env`.
//
//   tools/{setpriv,umount,env,sh}, tools/lib/, tools/ld.so   what runs inside, after the root has changed and before the container's program:
//                                                            with their own libraries, for an image may have others or none
//   tools/old                                                where the host's root is for a moment
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { chmod, copyFile, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const OUTSIDE = ["unshare", "nsenter", "mount", "pivot_root", "umount", "sh"] as const;
const INSIDE = ["setpriv", "umount", "env", "sh"] as const;
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

export type HostProgram = (typeof OUTSIDE)[number] | (typeof INSIDE)[number];

export interface HostPrograms {
  /** Absolute. */
  path(program: HostProgram): string;
  /** Undefined when the host has no iproute2. */
  readonly ip: string | undefined;
  /** Undefined when the host has no nftables. */
  readonly nft: string | undefined;
  /** Sets it where /proc does not let us. */
  readonly hostname: string | undefined;
}

/** Where one looks beyond the platform's PATH: programs of administrators are often not on a user's. */
export function hostSearchPath(path: string): string {
  return [...path.split(delimiter).filter((folder) => folder.startsWith("/")), ...SYSTEM_FOLDERS].join(delimiter);
}

export function findProgram(path: string, name: string): string | undefined {
  return hostSearchPath(path)
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Or what is missing, in words. */
export function findHostPrograms(path: string): HostPrograms | string {
  const found = new Map([...OUTSIDE, ...INSIDE].map((name) => [name as string, findProgram(path, name)]));
  const missing = [...found].filter(([, file]) => file === undefined).map(([name]) => name);
  if (missing.length > 0) return `the host has no ${missing.join(", no ")} (util-linux)`;
  return {
    path: (program) => found.get(program) ?? program,
    ip: findProgram(path, "ip"),
    nft: findProgram(path, "nft"),
    hostname: findProgram(path, "hostname"),
  };
}

/** Copies what runs inside, with its libraries, to `folder`. Throws for programs whose libraries cannot be told. */
export async function copyTools(programs: HostPrograms, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "lib"), { recursive: true, mode: 0o755 });
  await mkdir(join(folder, "old"), { mode: 0o755 });
  const libraries = new Set<string>();
  let loader: string | undefined;
  for (const name of INSIDE) {
    const program = programs.path(name);
    await copyFile(program, join(folder, name));
    await chmod(join(folder, name), 0o755);
    const { libs, interpreter } = await librariesOf(program);
    for (const each of libs) libraries.add(each);
    loader ??= interpreter;
  }
  for (const library of libraries) await copyFile(library, join(folder, "lib", basename(library)));
  if (loader === undefined) throw new Error("the host's programs name no dynamic loader");
  await copyFile(loader, join(folder, "ld.so"));
  await chmod(join(folder, "ld.so"), 0o755);
}

/** What `ldd` says: lines `name => path (address)`, and the loader by its path alone. */
export async function librariesOf(program: string): Promise<{ readonly libs: readonly string[]; readonly interpreter: string | undefined }> {
  const { stdout } = await run("ldd", [program]);
  const lines = stdout.split("\n").map((line) => line.trim());
  const libs = lines.flatMap((line) => /=> (\/\S+) \(/.exec(line)?.[1] ?? []);
  const interpreter = lines.flatMap((line) => /^(\/\S*ld-\S+) \(/.exec(line)?.[1] ?? [])[0];
  return { libs, interpreter };
}

/**
 * `/dev` of every container, read-only: links, empty files that the host's devices are bound to, and the tools.
 * Made anew at each start of a platform into a folder of its own, since containers of an earlier one still have theirs.
 */
export async function makeDeviceFolder(folder: string, devices: readonly string[]): Promise<void> {
  for (const name of ["pts", "shm", "mqueue", ".eider"]) await mkdir(join(folder, name), { recursive: true, mode: 0o755 });
  for (const name of [...devices, "termination-log"]) await writeFile(join(folder, name), "");
  const links = { fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1", stderr: "/proc/self/fd/2", ptmx: "pts/ptmx" };
  for (const [name, target] of Object.entries(links)) if (!existsSync(join(folder, name))) await symlink(target, join(folder, name));
  await chmod(folder, 0o755);
}
