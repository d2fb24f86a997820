// A layer from a list of files: the same files give the same bytes on every machine and at every time.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack, type Pack } from "tar-stream";
import type { TreeEntry } from "./source-tree.ts";

export interface Layer {
  /** The gzipped tar. */
  readonly stream: Readable;
  /** Digest of the tar before compression; known once the stream has ended. */
  readonly diffId: () => string;
}

const EPOCH = new Date(0);
/** Byte 9 of a gzip header names the operating system: 255 is "unknown", the same everywhere. */
const GZIP_OS_BYTE = 9;

/** Entries must be sorted; they lie below `prefix` ("workspace"), which is made first; "" is the root, which is there. */
export function layerOf(entries: readonly TreeEntry[], prefix: string): Layer {
  const tar = pack();
  const hash = createHash("sha256");
  const hashed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const gzip = createGzip({ level: 6 });
  const stream = normalHeader();
  // Each failure reaches the consumer through the stream's own error.
  pipeline(tar, hashed, gzip, stream).catch(() => undefined);
  addAll(tar, entries, prefix).catch((error: unknown) => tar.destroy(error as Error));
  return { stream, diffId: () => `sha256:${hash.digest("hex")}` };
}

/** A tar, compressed the same way everywhere. */
export function compressed(tar: Readable): Readable {
  const stream = normalHeader();
  pipeline(tar, createGzip({ level: 6 }), stream).catch(() => undefined);
  return stream;
}

async function addAll(tar: Pack, entries: readonly TreeEntry[], prefix: string): Promise<void> {
  const owner = { mtime: EPOCH, uid: 0, gid: 0, uname: "", gname: "" };
  if (prefix !== "") tar.entry({ ...owner, name: `${prefix}/`, type: "directory", mode: 0o755 });
  for (const entry of entries) {
    const name = prefix === "" ? entry.path : `${prefix}/${entry.path}`;
    if (entry.type === "directory") tar.entry({ ...owner, name: `${name}/`, type: "directory", mode: entry.mode ?? 0o755 });
    else if (entry.type === "symlink") tar.entry({ ...owner, name, type: "symlink", linkname: entry.target, mode: 0o777 });
    else {
      const sink = tar.entry({ ...owner, name, type: "file", mode: entry.executable ? 0o755 : 0o644, size: entry.size });
      const source = typeof entry.source === "string" ? createReadStream(entry.source) : Readable.from([entry.source], { objectMode: false });
      await pipeline(source, sink as unknown as NodeJS.WritableStream);
    }
  }
  tar.finalize();
}

function normalHeader(): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (seen <= GZIP_OS_BYTE && seen + chunk.length > GZIP_OS_BYTE) chunk[GZIP_OS_BYTE - seen] = 255;
      seen += chunk.length;
      done(null, chunk);
    },
  });
}
