// From a source folder to an image in the store; no daemon.
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { baseFor, NO_BASE, type Base, type BaseOptions } from "./build-base.ts";
import { recipeFor, type Recipe } from "./build-recipe.ts";
import { ImageError } from "./image-error.ts";
import { parseImageName } from "./image-name.ts";
import type { ImageStore } from "./image-store.ts";
import { layerOf } from "./layer.ts";
import { BASE_LABEL, CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, type ImageConfig, type ImageManifest } from "./oci.ts";
import { platformOf } from "./platform-choice.ts";

export interface BuildOptions extends BaseOptions {
  readonly dir: string;
  readonly name: string;
  /** What the image stands on: `bundled`, or the name of an image; undefined when the runtime supplies what the app needs. */
  readonly base?: string;
  /** Environment of the tools that run (`npm ci`, `go build`, `pip install`). */
  readonly env: Readonly<Record<string, string>>;
}

export interface BuiltImage {
  /** `index.docker.io/library/hello:latest` */
  readonly name: string;
  readonly digest: string;
  readonly kind: Recipe["kind"];
  readonly files: number;
  readonly layerBytes: number;
}

/** Builds and tags. Throws ImageError. */
export async function buildImage(options: BuildOptions, signal: AbortSignal): Promise<BuiltImage> {
  const name = parseImageName(options.name);
  if (name?.tag === undefined) throw new ImageError("InvalidName", `${JSON.stringify(options.name)} is not an image name; try for instance dev.local/hello:v1`);
  const dir = resolve(options.dir);
  if (!(await stat(dir).catch(() => undefined))?.isDirectory()) throw new ImageError("NoSuchFolder", `there is no folder ${dir}`);
  const scratch = await mkdtemp(join(tmpdir(), "eider-build-"));
  try {
    const recipe = await recipeFor({ ...options, dir, scratch }, signal);
    const base = options.base === undefined ? NO_BASE : await baseFor(options.base, recipe, options, signal);
    options.progress(`packing ${recipe.entries.length} files`);
    const { digest, layerBytes } = await assemble(options.store, recipe, base);
    await options.store.tag(name.full, digest);
    options.progress(`built ${name.full}@${digest}`);
    return { name: name.full, digest, kind: recipe.kind, files: recipe.entries.length, layerBytes };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The app's layer on top of the base's. The label stays: `process` supplies from the host what others find in the base. */
async function assemble(images: ImageStore, recipe: Recipe, base: Base): Promise<{ readonly digest: string; readonly layerBytes: number }> {
  const layer = layerOf(recipe.entries, "workspace");
  const stored = await images.putStream(layer.stream);
  const { os, architecture } = platformOf(process);
  const { Cmd: _cmd, Entrypoint: _entrypoint, ...inherited } = base.config;
  const environment = [...(inherited.Env ?? []).filter((line) => !recipe.env.some((own) => own.split("=")[0] === line.split("=")[0])), ...recipe.env];
  const config: ImageConfig = {
    architecture,
    os: base.layers.length === 0 ? os : "linux",
    config: {
      ...inherited,
      Entrypoint: recipe.entrypoint,
      ...(environment.length === 0 ? {} : { Env: environment }),
      WorkingDir: "/workspace",
      Labels: { ...inherited.Labels, [BASE_LABEL]: recipe.base },
    },
    rootfs: { type: "layers", diff_ids: [...base.diffIds, layer.diffId()] },
  };
  const configBytes = Buffer.from(JSON.stringify(config));
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: await images.putBlob(configBytes), size: configBytes.length },
    layers: [...base.layers, { mediaType: LAYER_TYPE, digest: stored.digest, size: stored.size }],
  };
  const digest = await images.putBlob(Buffer.from(JSON.stringify(manifest)));
  return { digest, layerBytes: stored.size };
}
