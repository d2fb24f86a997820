// From a source folder to an image in the store; no daemon.
import type { ImageStore } from "./image-store.ts";

export interface BuildOptions {
  readonly store: ImageStore;
  readonly dir: string;
  readonly name: string;
  /** Environment of the tools that run (`npm ci`, `go build`). */
  readonly env: Readonly<Record<string, string>>;
  /** One line each, for people. */
  readonly progress: (line: string) => void;
}

export interface BuiltImage {
  /** `index.docker.io/library/hello:latest` */
  readonly name: string;
  readonly digest: string;
  readonly kind: "node" | "go" | "procfile";
  readonly files: number;
  readonly layerBytes: number;
}

/** Builds and tags. Throws ImageError. */
export declare function buildImage(options: BuildOptions, signal: AbortSignal): Promise<BuiltImage>;
