// Output of pods for `kubectl logs`: files that outlive their pod for a while.
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { badRequest, type Clock } from "#core";

/** As the query of the log subresource. */
export interface LogQuery {
  /** Undefined: the only container. */
  readonly container?: string;
  readonly tailLines?: number;
  /** Output files hold no times: a file last written before then is left out, a later one is given whole. */
  readonly sinceSeconds?: number;
  readonly limitBytes?: number;
  readonly follow?: boolean;
  /** Of the start before the last. */
  readonly previous?: boolean;
}

export interface LogSource {
  /** Folder of the container: `<n>.log` and, when it was cut, `<n>.log.1`. */
  readonly folder: string;
  readonly container: string;
  readonly podName: string;
  /** Whether more may come. */
  readonly isRunning: () => boolean;
}

const CHUNK_BYTES = 64 << 10;
const FOLLOW_EVERY_MS = 200;

/** Throws StatusError BadRequest in the kubelet's words when there is nothing to read from. */
export async function* readLogs(
  { folder, container, podName, isRunning }: LogSource,
  query: LogQuery,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const files = await startsIn(folder);
  const file = files.at(query.previous === true ? -2 : -1);
  if (file === undefined) {
    if (query.previous === true) throw badRequest(`previous terminated container "${container}" in pod "${podName}" not found`);
    throw badRequest(`container "${container}" in pod "${podName}" is waiting to start: ContainerCreating`);
  }
  const path = join(folder, file);
  let left = query.limitBytes ?? Number.POSITIVE_INFINITY;
  const old = query.sinceSeconds !== undefined && (await stat(path)).mtimeMs < clock.wallMs() - query.sinceSeconds * 1000;
  let offset = old ? (await stat(path)).size : query.tailLines === undefined ? 0 : await tailOffset(path, query.tailLines);
  while (left > 0 && !signal.aborted) {
    const more = isRunning();
    for await (const chunk of readFrom(path, offset)) {
      offset += chunk.length;
      const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
      left -= part.length;
      yield part;
      if (left <= 0) return;
    }
    if (query.follow !== true || query.previous === true || !more) return;
    // A cut file starts anew.
    if ((await stat(path).catch(() => undefined))?.size === 0) offset = 0;
    await clock.sleep(FOLLOW_EVERY_MS, signal).catch(() => undefined);
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
