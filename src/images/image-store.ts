// The image store on disk: blobs by digest, tags as files, unpacked images reused by pods.
import type { ImageConfig, ImageManifest } from "./oci.ts";

/** `reason` is for programs, `message` for people. */
export class ImageError extends Error {
  readonly reason: "NoSuchFolder" | "NothingRecognised" | "BuildFailed" | "TooLarge" | "InvalidName" | "NotFound" | "Damaged" | "NewerFormat";
  constructor(reason: ImageError["reason"], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ImageError";
    this.reason = reason;
  }
}

export interface ImageEntry {
  /** `index.docker.io/library/hello:latest` */
  readonly name: string;
  /** `sha256:…` of the manifest. */
  readonly digest: string;
}

/** An image whose files lie on disk, readable by every user. */
export interface UnpackedImage {
  readonly digest: string;
  /** Folder that stands for `/`; the app is in `<root>/workspace`. */
  readonly root: string;
  readonly config: ImageConfig;
  /** Value of the label `dev.eider.base`; "none" without one. */
  readonly base: string;
}

export interface ImageStore {
  /** Digest of the manifest for a name, tag or digest reference; undefined when the store does not have it. */
  resolve(name: string): Promise<string | undefined>;
  manifest(digest: string): Promise<ImageManifest>;
  config(digest: string): Promise<ImageConfig>;
  /** Unpacks once; later calls and other pods get the same folder. Throws ImageError `Damaged` or `TooLarge`. */
  materialize(digest: string): Promise<UnpackedImage>;
  list(): Promise<readonly ImageEntry[]>;
  /** Removes the tag, and blobs that no tag needs. Throws `NotFound`. */
  remove(name: string): Promise<void>;
  /** Stores a blob; answers its digest. */
  putBlob(bytes: Uint8Array): Promise<string>;
  /** Points the name at a manifest that is stored. */
  tag(name: string, digest: string): Promise<void>;
}

/** Opens or creates the store in `dir`. Throws `NewerFormat`. */
export declare function openImageStore(dir: string): Promise<ImageStore>;
