// Images in the daemon: those of our store, sent there once, and those that only the daemon holds.
import type { Pack } from "tar-stream";
import type { Logger } from "#core";
import type { ImageStore } from "#images";
import type { DaemonImage } from "./container-body.ts";
import { DaemonError, type DaemonClient } from "./daemon-client.ts";
import { findImage } from "./daemon-names.ts";
import { dockerArchive } from "./docker-archive.ts";
import { pauseImage, type PauseImage } from "./pause-image.ts";

export interface DaemonImagesOptions {
  readonly client: DaemonClient;
  readonly images: ImageStore;
  readonly logger: Logger;
  readonly architecture: string;
}

export interface ReadyImage {
  /** What the daemon knows it by. */
  readonly name: string;
  readonly inspected: DaemonImage;
}

const REMEMBERED_MAX = 1_000;

export class DaemonImages {
  readonly #options: DaemonImagesOptions;
  /** By digest; also those on their way, so that pods that start together send an image once. */
  readonly #ready = new Map<string, Promise<ReadyImage>>();
  #pause: Promise<PauseImage> | undefined;

  constructor(options: DaemonImagesOptions) {
    this.#options = options;
  }

  find(name: string): Promise<DaemonImage | undefined> {
    return findImage(this.#options.client, name);
  }

  /** The image with this digest, of our store or the daemon's own. */
  ready(digest: string): Promise<ReadyImage> {
    const known = this.#ready.get(digest);
    if (known !== undefined) return known;
    if (this.#ready.size >= REMEMBERED_MAX) this.#ready.clear();
    const getting = this.#get(digest);
    this.#ready.set(digest, getting);
    getting.catch(() => this.#ready.delete(digest));
    return getting;
  }

  /** Somebody removed it from the daemon: it is looked for again. */
  forget(digest: string): void {
    this.#ready.delete(digest);
  }

  /** The image of containers that hold a pod's network; sent when the daemon does not have it (any more). */
  async pause(options: { readonly again: boolean } = { again: false }): Promise<string> {
    if (options.again) this.#pause = undefined;
    this.#pause ??= this.#sendPause();
    this.#pause.catch(() => (this.#pause = undefined));
    return (await this.#pause).name;
  }

  async #sendPause(): Promise<PauseImage> {
    const image = await pauseImage(this.#options.architecture);
    if ((await this.find(image.name)) === undefined) await this.#load(image.archive());
    return image;
  }

  async #get(digest: string): Promise<ReadyImage> {
    const { images, logger } = this.#options;
    const isStored = await images.config(digest).then(
      () => true,
      () => false,
    );
    if (!isStored) {
      const inspected = await this.find(digest);
      if (inspected === undefined) throw new Error(`the image ${digest} is neither in the image store nor in the daemon`);
      return { name: inspected.Id, inspected };
    }
    const name = `eider.local/image:${digest.replace(/^\w+:/, "")}`;
    const there = await this.find(name);
    if (there !== undefined) return { name, inspected: there };
    await this.#send(digest, name);
    const inspected = await this.find(name);
    if (inspected === undefined) throw new Error(`the daemon took the image ${digest} and does not have it`);
    logger.info("image was sent to the container daemon", { image: digest });
    return { name, inspected };
  }

  async #send(digest: string, name: string): Promise<void> {
    const { images } = this.#options;
    const manifest = await images.manifest(digest);
    const config = await images.blobs.read(manifest.config.digest, manifest.config.size);
    await this.#load(dockerArchive({ name, config, layers: manifest.layers, open: (layer) => images.blobs.stream(layer) }));
  }

  /** The daemon answers 200 and tells of failures in lines of JSON. */
  async #load(archive: Pack): Promise<void> {
    const headers = { "Content-Type": "application/x-tar" };
    const over = new AbortController();
    const answer = await this.#options.client.open({ method: "POST", path: "/images/load", query: { quiet: "1" }, body: archive, headers }, over.signal);
    const lines: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) lines.push(chunk);
    const failure = /"error"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(Buffer.concat(lines).toString("utf8"))?.[1];
    if (failure !== undefined) throw new DaemonError(500, `the daemon did not take the image: ${String(JSON.parse(failure))}`);
  }
}
