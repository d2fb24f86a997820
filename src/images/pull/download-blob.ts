// One blob from a registry into the store: gone on with where a connection broke, also after a restart.
import { Readable } from "node:stream";
import { backoffMs, type BackoffPolicy, type Clock, type Rng } from "#core";
import { ImageError } from "../image-error.ts";
import type { ImageStore } from "../image-store.ts";
import type { Descriptor } from "../oci.ts";
import { RegistryError } from "./registry-error.ts";
import type { RegistrySession } from "./registry-session.ts";

export interface BlobDownload {
  readonly store: ImageStore;
  readonly session: RegistrySession;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly descriptor: Descriptor;
  /** Octets of the blob that are here by now. */
  readonly onBytes: (bytes: number) => void;
}

const RETRY: BackoffPolicy = { baseMs: 500, maxMs: 15_000, jitter: 0.2 };
/** Connections in a row that brought nothing. */
const BARREN_MAX = 4;

/** Throws RegistryError, or ImageError `NoSpace`; what was fetched by then stays for the next time, unless it is not what was asked for. */
export async function downloadBlob(its: BlobDownload, signal: AbortSignal): Promise<void> {
  const { store, descriptor, clock, rng, onBytes } = its;
  const seen = { bytes: 0 };
  for (let barren = 0; ; barren++) {
    const before = seen.bytes;
    try {
      await store.putBlobStream(descriptor, (offset) => restOf(its, { offset, seen }, signal));
      return onBytes(descriptor.size);
    } catch (error) {
      if (signal.aborted) throw error;
      const final = finalError(error, descriptor);
      if (final !== undefined) throw final;
      if (seen.bytes > before) barren = -1;
      if (barren + 1 >= BARREN_MAX) throw toRegistryError(error, descriptor);
      await clock.sleep(backoffMs(RETRY, Math.max(0, barren), rng), signal);
    }
  }
}

/** Credentials, names, contents and disks do not get better by trying again. */
function finalError(error: unknown, { digest }: Descriptor): unknown {
  if (error instanceof ImageError)
    return error.reason === "WrongContent" ? new RegistryError("damaged", `the blob ${digest} did not have this digest`, error) : error;
  if (error instanceof RegistryError && error.kind !== "unreachable" && error.kind !== "busy") return error;
  return undefined;
}

function toRegistryError(error: unknown, { digest }: Descriptor): RegistryError {
  if (error instanceof RegistryError) return error;
  return new RegistryError("unreachable", `the blob ${digest} broke off: ${(error as Error).message}`, error);
}

interface Rest {
  readonly offset: number;
  /** The most that was here, over all connections. */
  readonly seen: { bytes: number };
}

async function restOf({ session, descriptor: { digest }, onBytes }: BlobDownload, { offset, seen }: Rest, signal: AbortSignal): Promise<Readable> {
  onBytes(offset);
  const range: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
  const response = await session.ask("GET", `blobs/${digest}`, range, signal);
  const start = response.statusCode === 206 ? Number(/^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1] ?? offset) : 0;
  if (start > offset) throw new RegistryError("refused", `the blob ${digest} came from its byte ${start} on instead of ${offset}`);
  return Readable.from(
    from(response, offset - start, (bytes) => {
      seen.bytes = Math.max(seen.bytes, offset + bytes);
      onBytes(offset + bytes);
    }),
    { objectMode: false },
  );
}

/** Without the first octets: not every registry knows ranges, and then the blob comes from its beginning. */
async function* from(stream: AsyncIterable<Buffer>, skipped: number, onBytes: (bytes: number) => void): AsyncIterable<Buffer> {
  let position = -skipped;
  for await (const chunk of stream) {
    const rest = position < 0 ? chunk.subarray(Math.min(chunk.length, -position)) : chunk;
    position += chunk.length;
    if (rest.length === 0) continue;
    yield rest;
    onBytes(position);
  }
}
