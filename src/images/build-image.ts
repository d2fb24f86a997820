// From a source folder to an image in the store; no daemon.
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildDockerfile, dockerfileIn, type DockerfileBuild } from "./build-dockerfile.ts";
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
  /** Relative to the folder: it is built by a daemon. Without one, so is a folder that has a Dockerfile and nothing else that we know. */
  readonly dockerfile?: string;
  readonly daemon: DockerfileBuild["daemon"];
  /** Environment of the tools that run (`npm ci`, `go build`, `pip install`). */
  readonly env: Readonly<Record<string, string>>;
}

export interface BuiltImage {
  /** `index.docker.io/library/hello:latest` */
  readonly name: string;
  readonly digest: string;
  readonly kind: Recipe["kind"] | "dockerfile";
  readonly files: number;
}

/** Builds and tags. Throws ImageError. */
export async function buildImage(options: BuildOptions, signal: AbortSignal): Promise<BuiltImage> {
  const name = parseImageName(options.name);
  if (name?.tag === undefined) throw new ImageError("InvalidName", `${JSON.stringify(options.name)} is not an image name; try for instance dev.local/hello:v1`);
  const dir = resolve(options.dir);
  if (!(await stat(dir).catch(() => undefined))?.isDirectory()) throw new ImageError("NoSuchFolder", `there is no folder ${dir}`);
  const scratch = await mkdtemp(join(tmpdir(), "eider-build-"));
  try {
    const built = await buildIn({ ...options, dir, scratch }, signal);
    await options.store.tag(name.full, built.digest);
    options.progress(`built ${name.full}@${built.digest}`);
    return { name: name.full, ...built };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function buildIn(build: BuildOptions & { readonly scratch: string }, signal: AbortSignal): Promise<Omit<BuiltImage, "name">> {
  const { dockerfile, base } = build;
  if (dockerfile !== undefined) return { kind: "dockerfile", ...(await buildDockerfile({ ...build, dockerfile }, signal)) };
  const recipe = await recipeFor(build, signal).catch((error: unknown) => {
    if (error instanceof ImageError && error.reason === "NothingRecognised" && dockerfileIn(build.dir) !== undefined) return undefined;
    throw error;
  });
  if (recipe === undefined) return { kind: "dockerfile", ...(await buildDockerfile({ ...build, dockerfile: dockerfileIn(build.dir) ?? "" }, signal)) };
  const under = base === undefined ? NO_BASE : await baseFor(base, recipe, build, signal);
  build.progress(`packing ${recipe.entries.length} files`);
  return { kind: recipe.kind, digest: await assemble(build.store, recipe, under), files: recipe.entries.length };
}

/** A container may be started in another folder; a host process has no folder of that name, so the app's own path stays relative there. */
function inWorkspace([program = "", ...args]: readonly string[]): readonly string[] {
  return [program.startsWith("./") ? `/workspace/${program.slice(2)}` : program, ...args];
}

/** The app's layer on top of the base's. The label stays: `process` supplies from the host what others find in the base. */
async function assemble(images: ImageStore, recipe: Recipe, base: Base): Promise<string> {
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
      Entrypoint: base.layers.length === 0 ? recipe.entrypoint : inWorkspace(recipe.entrypoint),
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
  return images.putBlob(Buffer.from(JSON.stringify(manifest)));
}
