// What images that were built from a folder get of the host (decision 11): its programs and libraries, read-only, and Node.
import { existsSync, lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { MountLine } from "./fstab.ts";
import type { UpperFolder } from "./upper-folder.ts";

/** Programs and libraries, and what the latter read. */
const FOLDERS = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ssl", "/etc/pki", "/etc/alternatives", "/etc/ca-certificates"];
const FILES = ["/etc/ld.so.cache", "/etc/localtime"];
const NODE_FOLDER = "/opt/eider/bin";

/** Where the host is looked into for programs. */
export const HOST_LAYER = "/";

export function hostPathOf(base: string): string | undefined {
  return /^node\d+$/.test(base) ? NODE_FOLDER : undefined;
}

/** What is there in the image, too, is the image's. */
export function hostLines(
  root: string,
  {
    base,
    nodePath,
    upper,
    user,
  }: {
    readonly base: string;
    readonly nodePath: string;
    readonly upper: UpperFolder;
    readonly user: { readonly uid: number; readonly gid: number; readonly home: string } | undefined;
  },
): MountLine[] {
  const bind = (source: string, target: string): MountLine => ({
    source,
    target: `${root}${target}`,
    type: "none",
    options: ["rbind", "ro", "nosuid", "nodev"],
  });
  const lines: MountLine[] = [];
  for (const folder of FOLDERS) {
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() === true) upper.link(folder, readlinkSync(folder));
    else if (stat?.isDirectory() === true) lines.push(bind(folder, upper.folder(folder)));
  }
  for (const file of FILES) if (existsSync(file)) lines.push(bind(file, upper.file(file)));
  if (hostPathOf(base) !== undefined) lines.push(bind(nodePath, upper.file(join(NODE_FOLDER, "node"))));
  upper.folder("/tmp", { mode: 0o1777 });
  if (user !== undefined) {
    upper.folder(user.home, { mode: 0o700, uid: user.uid, gid: user.gid });
    upper.write("/etc/passwd", `root:x:0:0:root:/root:/bin/sh\napp:x:${user.uid}:${user.gid}:app:${user.home}:/bin/sh\n`);
    upper.write("/etc/group", `root:x:0:\napp:x:${user.gid}:\n`);
  }
  return lines;
}
