// What an app's layer may stand on: an image, or a base made from this machine's own Node.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import { ImageError } from "./image-error.ts";
import { parseImageName } from "./image-name.ts";
import type { ImageStore } from "./image-store.ts";
import { layerOf } from "./layer.ts";
import { CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, type Descriptor, type ImageConfig, type ImageManifest } from "./oci.ts";
import { platformOf } from "./platform-choice.ts";
import type { Recipe } from "./build-recipe.ts";
import { outputOfTool } from "./run-tool.ts";
import { sorted, type TreeEntry } from "./source-tree.ts";

export interface BaseOptions {
  readonly store: ImageStore;
  readonly env: Readonly<Record<string, string>>;
  /** One line each, for people. */
  readonly progress: (line: string) => void;
  /** The Node binary that goes into a bundled base. */
  readonly nodePath: string;
  /** Fetches an image that the store does not have; answers its digest. Throws ImageError. */
  readonly pull: (image: string, signal: AbortSignal) => Promise<string>;
}

export interface Base {
  readonly config: ImageConfig["config"];
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly string[];
}

export const NO_BASE: Base = { config: {}, layers: [], diffIds: [] };

export const BUNDLED = "bundled";
/** Grows when the same machine makes another base of the same files. */
const BUNDLED_FORMAT = 1;
const GZIP_TYPES: readonly string[] = [LAYER_TYPE, "application/vnd.docker.image.rootfs.diff.tar.gzip"];

/** Throws ImageError. */
export async function baseFor(base: string, recipe: Recipe, options: BaseOptions, signal: AbortSignal): Promise<Base> {
  if (base === BUNDLED) return baseFrom(options.store, await bundledDigest(recipe, options, signal));
  if (parseImageName(base) === undefined) throw new ImageError("InvalidName", `${JSON.stringify(base)} is neither "${BUNDLED}" nor an image name`);
  const digest = (await options.store.resolve(base)) ?? (await options.pull(base, signal));
  return baseFrom(options.store, digest);
}

async function baseFrom(store: ImageStore, digest: string): Promise<Base> {
  const [manifest, config] = await Promise.all([store.manifest(digest), store.config(digest)]);
  const { architecture } = platformOf(process);
  if (config.os !== "linux" || config.architecture !== architecture)
    throw new ImageError("BuildFailed", `the base is for ${config.os}/${config.architecture}, and this machine builds for linux/${architecture}`);
  // Docker's name for the same bytes does not go into an OCI manifest.
  const layers = manifest.layers.map((layer) => (GZIP_TYPES.includes(layer.mediaType) ? { ...layer, mediaType: LAYER_TYPE } : layer));
  return { config: config.config, layers, diffIds: config.rootfs.diff_ids };
}

const text = (content: string): Uint8Array => Buffer.from(content);
/** What programs look for in every Linux. The user 1000 is there for images that shall not run as root. */
const COMMON: Readonly<Record<string, string>> = {
  "etc/group": "root:x:0:\napp:x:1000:\nnobody:x:65534:\n",
  "etc/nsswitch.conf": "hosts: files dns\npasswd: files\ngroup: files\n",
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/workspace:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
};

/** Made once for the same files; found again by a name that holds their hash. */
async function bundledDigest(recipe: Recipe, options: BaseOptions, signal: AbortSignal): Promise<string> {
  const { store, progress } = options;
  const files = await bundledFiles(recipe, options, signal);
  const hash = createHash("sha256").update(`${BUNDLED_FORMAT}\n`);
  for (const [path, source] of files) hash.update(`${path}\n`).update(typeof source === "string" ? await fileHash(source) : source);
  const name = `dev.local/eider-base:${recipe.base}-${hash.digest("hex").slice(0, 24)}`;
  const known = await store.resolve(name);
  if (known !== undefined) return known;
  progress(`bundling ${files.length} files of this machine as the base`);
  const layer = layerOf(await entriesOf(files), "");
  const stored = await store.putStream(layer.stream);
  const { architecture } = platformOf(process);
  const config = Buffer.from(
    JSON.stringify({ architecture, os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [layer.diffId()] } } satisfies ImageConfig),
  );
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: await store.putBlob(config), size: config.length },
    layers: [{ mediaType: LAYER_TYPE, ...stored }],
  };
  const digest = await store.putBlob(Buffer.from(JSON.stringify(manifest)));
  await store.tag(name, digest);
  return digest;
}

type BundledFile = readonly [path: string, source: string | Uint8Array];

/** Paths inside the image by file of this machine: Node when the app needs it, a shell when its command needs one, and their libraries. */
async function bundledFiles(recipe: Recipe, options: BaseOptions, signal: AbortSignal): Promise<BundledFile[]> {
  if (process.platform !== "linux") throw new ImageError("BuildFailed", `a base can only be bundled on Linux; give --base IMAGE with a Node of its own`);
  if (recipe.base.startsWith("python"))
    throw new ImageError(
      "BuildFailed",
      `the bundled base holds Node; give --base IMAGE with ${recipe.base.replace("python", "Python ")}, for instance python:${recipe.base.slice("python".length)}-slim`,
    );
  const programs: BundledFile[] = [
    ...(recipe.base.startsWith("node") ? [["usr/local/bin/node", options.nodePath] as const] : []),
    ...(recipe.entrypoint[0] === "/bin/sh" ? [["bin/sh", "/bin/sh"] as const, ["usr/bin/env", "/usr/bin/env"] as const] : []),
  ];
  const libraries = new Set<string>();
  for (const [, program] of programs) for (const library of await librariesOf(program as string, options, signal)) libraries.add(library);
  const files = new Map<string, string | Uint8Array>([
    ...Object.entries(COMMON).map(([path, content]) => [path, text(content)] as const),
    ...programs,
    ...[...libraries].map((library) => [library.replace(/^\/+/, ""), library] as const),
  ]);
  return [...files].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Where the loader of this machine finds what a program is linked to. A static program has none. */
async function librariesOf(program: string, { env, progress }: BaseOptions, signal: AbortSignal): Promise<string[]> {
  const output = await outputOfTool({ argv: ["ldd", program], cwd: "/", env: { ...env, LC_ALL: "C" }, progress }, signal).catch((error: unknown) => {
    if (error instanceof ImageError && /not a dynamic executable/.test(error.message)) return "";
    throw error;
  });
  if (/=> not found/.test(output)) throw new ImageError("BuildFailed", `${program} misses libraries on this machine:\n${output}`);
  return [...output.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path = ""]) => path);
}

async function fileHash(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}

async function entriesOf(files: readonly BundledFile[]): Promise<TreeEntry[]> {
  const folders = new Set<string>();
  for (const [path] of files) for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) folders.add(path.slice(0, at));
  const made = [...folders].map((path): TreeEntry => ({ type: "directory", path }));
  const entries = files.map(async ([path, source]): Promise<TreeEntry> => {
    if (typeof source !== "string") return { type: "file", path, executable: false, size: source.length, source };
    return { type: "file", path, executable: true, size: (await stat(source)).size, source };
  });
  return sorted([...made, { type: "directory", path: "tmp", mode: 0o1777 }, ...(await Promise.all(entries))]);
}
