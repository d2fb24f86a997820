// Output of pods for `kubectl logs`: files that outlive their pod for a while.
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { badRequest, type Clock } from "#core";
import type { CoreContainerStatus } from "#kinds";
import { LogTimes, stamped, type Piece } from "./log-times.ts";

/** As the query of the log subresource. */
export interface LogQuery {
  readonly container: string;
  readonly tailLines?: number;
  /** Wall time. */
  readonly sinceMs?: number;
  readonly timestamps?: boolean;
  /** Counts times, too. */
  readonly limitBytes?: number;
  readonly follow?: boolean;
  /** Of the start before the last. */
  readonly previous?: boolean;
}

export interface LogSource {
  /** Folder of the container: `<n>.log`, and `<n>.log.times` with its times. */
  readonly folder: string;
  readonly podName: string;
  /** Its status as the pod tells it. */
  readonly status: CoreContainerStatus | undefined;
  /** Whether more may come. */
  readonly isRunning: () => boolean;
}

const CHUNK_BYTES = 64 << 10;
const FOLLOW_EVERY_MS = 200;

/** Throws StatusError BadRequest in the kubelet's words when there is nothing to read from. */
export async function* readLogs(source: LogSource, query: LogQuery, clock: Clock, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const files = await startsIn(source.folder);
  const file = files.at(query.previous === true ? previousOf(source.status) : -1);
  if (file === undefined) throw badRequest(nothingToRead(source, query));
  const path = join(source.folder, file);
  const times = new LogTimes(path);
  const from = query.tailLines === undefined ? 0 : await tailOffset(path, query.tailLines);
  // Nothing yet, but there is a log, and what comes from now on is part of it: the reader need not wait for a line to learn that.
  yield new Uint8Array(0);
  const pieces = outputOf(path, { from, source, query, times, clock, signal });
  const { sinceMs, timestamps = false } = query;
  const lines = timestamps || sinceMs !== undefined ? stamped(pieces, { timestamps, sinceMs, at: (offset) => times.at(offset) }) : bytesOf(pieces);
  yield* query.limitBytes === undefined ? lines : limited(lines, query.limitBytes);
}

/** A container that waits to run again has its last end in the newest file. */
function previousOf(status: CoreContainerStatus | undefined): number {
  return status?.state?.waiting !== undefined && status.lastState?.terminated !== undefined ? -1 : -2;
}

function nothingToRead({ podName, status }: LogSource, { container, previous }: LogQuery): string {
  const subject = `container ${JSON.stringify(container)} in pod ${JSON.stringify(podName)}`;
  if (previous === true) return `previous terminated ${subject} not found`;
  if (status === undefined) return `${subject} is not available`;
  const reason = status.state?.waiting?.reason;
  if (reason === undefined) return status.state?.terminated === undefined ? `${subject} is waiting to start - no logs yet` : `${subject} is terminated`;
  const why: Readonly<Record<string, string>> = { ErrImagePull: "image can't be pulled", ImagePullBackOff: "trying and failing to pull image" };
  return `${subject} is waiting to start: ${why[reason] ?? reason}`;
}

interface Output {
  /** The offset. */
  readonly from: number;
  readonly source: LogSource;
  readonly query: LogQuery;
  readonly times: LogTimes;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The file from an offset on; followed until the container ends. */
async function* outputOf(path: string, { from, source, query, times, clock, signal }: Output): AsyncGenerator<Piece, void, void> {
  let offset = from;
  while (!signal.aborted) {
    const more = source.isRunning();
    for await (const bytes of readFrom(path, offset)) {
      yield { offset, bytes };
      offset += bytes.length;
    }
    if (query.follow !== true || query.previous === true || !more) return;
    await clock.sleep(FOLLOW_EVERY_MS, signal).catch(() => undefined);
    // A cut file starts anew.
    if (((await stat(path).catch(() => undefined))?.size ?? 0) < offset) {
      offset = 0;
      times.reset();
    }
  }
}

async function* bytesOf(pieces: AsyncIterable<Piece>): AsyncGenerator<Uint8Array, void, void> {
  for await (const { bytes } of pieces) yield bytes;
}

async function* limited(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Uint8Array, void, void> {
  let left = bytesMax;
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/** The last lines of a container's output: what a failing container is described with. */
export async function lastLines(file: string, limits: { readonly lines: number; readonly bytes: number }): Promise<string> {
  const handle = await open(file, "r").catch(() => undefined);
  if (handle === undefined) return "";
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, limits.bytes));
    await handle.read(buffer, 0, buffer.length, size - buffer.length);
    const lines = buffer.toString("utf8").split("\n");
    return lines.slice(-(limits.lines + (lines.at(-1) === "" ? 1 : 0))).join("\n");
  } finally {
    await handle.close();
  }
}

async function startsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^\d+\.log$/.test(name)).toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

async function* readFrom(path: string, offset: number): AsyncIterable<Buffer> {
  const handle = await open(path, "r");
  try {
    for (let at = offset; ;) {
      const buffer = Buffer.alloc(CHUNK_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Where the last `lines` lines begin; read from the end. */
async function tailOffset(path: string, lines: number): Promise<number> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    let wanted = lines;
    for (let end = size; end > 0;) {
      const start = Math.max(0, end - CHUNK_BYTES);
      const buffer = Buffer.alloc(end - start);
      await handle.read(buffer, 0, buffer.length, start);
      for (let at = buffer.length - 1; at >= 0; at--) {
        if (buffer[at] !== 10 || start + at === size - 1) continue;
        wanted -= 1;
        if (wanted <= 0) return lines === 0 ? size : start + at + 1;
      }
      end = start;
    }
    return lines === 0 ? size : 0;
  } finally {
    await handle.close();
  }
}
