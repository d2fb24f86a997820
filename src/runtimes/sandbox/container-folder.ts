// The files of one start of a container, and what is mounted for it.
//
//   sandbox/pods/<pod uid>/<container>/<n>/{upper,work}  what it writes
//   sandbox/pods/<pod uid>/<container>/<n>/root          where its root is put together, in its own mount namespace only
//   sandbox/pods/<pod uid>/<container>/<n>/fstab
//   sandbox/pods/<pod uid>/<container>/stdin             a FIFO, for a container that asks for input
import { existsSync, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LayeredImage } from "#images";
import type { ContainerStart, Mount } from "../engine.ts";
import { hostsText } from "../names/pod-hosts.ts";
import type { GroupView } from "./control-groups.ts";
import { fstabText, rootLine, systemLines, volumeLines } from "./fstab.ts";
import { HOST_LAYER, hostLines } from "./host-base.ts";
import type { ContainerUser } from "./image-user.ts";
import type { Layers } from "./layered-tree.ts";
import { UpperFolder } from "./upper-folder.ts";

export interface FolderInput {
  readonly start: ContainerStart;
  readonly image: LayeredImage;
  readonly layersDir: string;
  readonly user: ContainerUser | undefined;
  readonly cwd: string;
  readonly folder: string;
  readonly deviceFolder: string;
  readonly toolsFolder: string;
  readonly groupsFolder: string;
  readonly groups: readonly GroupView[];
  readonly nodePath: string;
  readonly owners: boolean;
  readonly overlayOptions: readonly string[];
  /** Text of /etc/resolv.conf. */
  readonly resolvConf: string;
}

export interface ContainerFolder {
  readonly root: string;
  readonly fstab: string;
  /** For looking programs up. */
  readonly layers: Layers;
}

const SHM_BYTES_MAX = 64 << 20;

/** Throws for mounts that have no place in the image. */
export function makeContainerFolder(input: FolderInput): ContainerFolder {
  const { start, image, layersDir, user, folder, owners } = input;
  const [root, upper, work, fstab] = ["root", "upper", "work", "fstab"].map((name) => join(folder, name)) as [string, string, string, string];
  for (const each of [root, upper, work]) mkdirSync(each, { recursive: true, mode: 0o755 });
  const layers = image.layers.map((name) => join(layersDir, name));
  const over = new UpperFolder(upper, { layers, owners });
  for (const name of ["/proc", "/sys", "/dev"]) over.folder(name);
  const ofHost = image.base === undefined ? [] : hostLines(root, { base: image.base, nodePath: input.nodePath, upper: over, user });
  giveFiles(over, input);
  over.folder(input.cwd, user === undefined ? {} : { uid: user.uid, gid: user.gid });
  const privileged = start.container.securityContext?.privileged === true;
  const mounts = placed(over, start);
  const lines = [
    rootLine({
      root,
      upper,
      work,
      layers: image.layers,
      readOnly: start.container.securityContext?.readOnlyRootFilesystem === true,
      options: input.overlayOptions,
    }),
    ...ofHost,
    ...systemLines({
      root,
      deviceFolder: input.deviceFolder,
      toolsFolder: input.toolsFolder,
      groupsFolder: input.groupsFolder,
      groups: input.groups,
      shmBytesMax: SHM_BYTES_MAX,
      privileged,
      ownNetwork: !start.place.sharesPorts,
      asRoot: owners,
      exists: existsSync,
    }),
    ...volumeLines(root, mounts),
  ];
  writeFileSync(fstab, fstabText(lines), { mode: 0o600 });
  return { root, fstab, layers: [upper, ...layers, ...(image.base === undefined ? [] : [HOST_LAYER])] };
}

function giveFiles(over: UpperFolder, { start: { pod, place, hosts }, resolvConf }: FolderInput): void {
  const { name } = pod.metadata;
  over.write("/etc/hosts", hostsText({ podIP: place.podIP, hostname: name, hosts }));
  over.write("/etc/hostname", `${name}\n`);
  over.write("/etc/resolv.conf", resolvConf);
}

/** The places that the mounts mean, with something there to mount on. */
function placed(over: UpperFolder, { mounts, terminationFile, container }: ContainerStart): Mount[] {
  const termination: Mount[] =
    terminationFile === undefined
      ? []
      : [{ source: { path: terminationFile }, target: container.terminationMessagePath ?? "/dev/termination-log", readOnly: false }];
  const done: Mount[] = [];
  for (const mount of [...mounts, ...termination].toSorted((a, b) => a.target.length - b.target.length)) {
    // /dev is the same for all containers; what is put into it needs a place there.
    const isFile = "path" in mount.source && lstatSync(mount.source.path).isFile();
    const outer = done.findLast((each) => mount.target.startsWith(`${each.target}/`));
    if (outer !== undefined) inOuter(outer, mount, isFile);
    const target = outer !== undefined || mount.target.startsWith("/dev/") ? mount.target : isFile ? over.file(mount.target) : over.folder(mount.target);
    done.push({ ...mount, target });
  }
  return done;
}

/** A place within another mount: made there by us, and never through a link, which the pod may have put there. */
function inOuter(outer: Mount, { target }: Mount, isFile: boolean): void {
  if (!("path" in outer.source)) throw new Error(`cannot mount at ${target}: it lies within memory that is mounted at ${outer.target}`);
  let at = outer.source.path;
  const parts = target.slice(outer.target.length + 1).split("/");
  for (const [index, part] of parts.entries()) {
    at = join(at, part);
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() === true) throw new Error(`cannot mount at ${target}: a part of it is a link`);
    if (stat !== undefined) continue;
    if (isFile && index === parts.length - 1) writeFileSync(at, "");
    else mkdirSync(at, { mode: 0o755 });
  }
}
