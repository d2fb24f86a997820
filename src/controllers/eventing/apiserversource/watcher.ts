// One watch of an ApiServerSource: each change goes to `emit` and is waited for, so that memory is bounded by what exists. A watch that breaks goes
// on behind what it has told; where the window does not reach so far back, as after a restart, it is begun anew and compared with what is known:
// intermediate states may be passed over then, objects are not.
import { endsInitialEvents, type Client, type WatchEvent } from "#client";
import { backoffMs, isReason, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import type { Kind, KubeObject } from "#schema";
import type { ChangeType } from "./change-event.ts";
import type { Known } from "./known.ts";

export interface WatcherOptions {
  readonly client: Client;
  readonly kind: Kind;
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly labelSelector: string;
  /** Read when the watch begins. */
  readonly known: () => Promise<Known>;
  /** What has come back without the signal having aborted was told. */
  readonly emit: (change: ChangeType, object: KubeObject) => Promise<void>;
  /** What exists is known: changes are told from now on. */
  readonly onSynced: () => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

const AGAIN: BackoffPolicy = { baseMs: 100, maxMs: 30_000, jitter: 0.2 };

interface Memory {
  readonly known: Known;
  /** All up to it was told; undefined: a comparison says what was not. */
  version: string | undefined;
  /** The last mark: waited for before the next event is over, so that the disk works while a sink does. */
  written: Promise<void>;
}

/** Ends when the signal aborts; never rejects. */
export async function runWatcher(options: WatcherOptions, signal: AbortSignal): Promise<void> {
  const { clock, rng, logger, kind } = options;
  let memory: Memory | undefined;
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      memory ??= { known: await options.known(), version: undefined, written: Promise.resolve() };
      await follow(options, memory, signal, () => {
        failures = 0;
        options.onSynced();
      });
    } catch (err) {
      if (!signal.aborted) logger.info("a watch of an ApiServerSource is made again", { kind: kind.kind, err });
    }
    if (!signal.aborted) await clock.sleep(backoffMs(AGAIN, failures, rng), signal).catch(() => undefined);
  }
  await memory?.written;
}

async function follow(options: WatcherOptions, memory: Memory, signal: AbortSignal, synced: () => void): Promise<void> {
  if (memory.version === undefined) return compare(options, memory, signal, synced);
  try {
    await goOn(options, memory, signal, synced);
  } catch (error) {
    if (isReason(error, "Expired")) memory.version = undefined;
    throw error;
  }
}

/** What exists against what is known, then what happens. */
async function compare(options: WatcherOptions, memory: Memory, signal: AbortSignal, synced: () => void): Promise<void> {
  const { known } = memory;
  const query = { ...queryOf(options), initialEvents: true as const };
  const seen = new Set<string>();
  let ended = false;
  for await (const event of options.client.watch(options.kind, query, signal)) {
    if (!ended && endsInitialEvents(event)) {
      for (const [uid, object] of [...known.objects()]) {
        if (seen.has(uid)) continue;
        if (known.begun) await gone(options, memory, object, signal);
        else memory.written = kept(options, known.gone(uid));
      }
      await kept(options, known.begin());
      ended = true;
      memory.version = event.object.metadata.resourceVersion;
      synced();
    } else if (ended) await tell(options, memory, event, signal);
    else if (event.type !== "BOOKMARK") {
      seen.add(event.object.metadata.uid);
      // What existed before the source began is not told.
      if (known.begun) await changed(options, memory, event.object, signal);
      else memory.written = kept(options, known.told(event.object));
    }
  }
}

async function goOn(options: WatcherOptions, memory: Memory, signal: AbortSignal, synced: () => void): Promise<void> {
  const { version = "" } = memory;
  let first = true;
  for await (const event of options.client.watch(options.kind, { ...queryOf(options), resourceVersion: version }, signal)) {
    if (first) synced();
    first = false;
    await tell(options, memory, event, signal);
  }
}

function queryOf({ namespace, labelSelector }: WatcherOptions): { readonly labelSelector: string; readonly namespace?: string } {
  return { labelSelector, ...(namespace === undefined ? {} : { namespace }) };
}

async function tell(options: WatcherOptions, memory: Memory, { type, object }: WatchEvent<KubeObject>, signal: AbortSignal): Promise<void> {
  if (type === "DELETED") await gone(options, memory, object, signal);
  else if (type !== "BOOKMARK") await changed(options, memory, object, signal);
  memory.version = object.metadata.resourceVersion;
}

async function changed(options: WatcherOptions, memory: Memory, object: KubeObject, signal: AbortSignal): Promise<void> {
  const before = memory.known.get(object.metadata.uid);
  if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return;
  await options.emit(before === undefined ? "add" : "update", object);
  signal.throwIfAborted();
  await memory.written;
  memory.written = kept(options, memory.known.told(object));
}

async function gone(options: WatcherOptions, memory: Memory, object: KubeObject, signal: AbortSignal): Promise<void> {
  // Of an object that came and went while nobody watched nothing was told.
  if (memory.known.get(object.metadata.uid) === undefined) return;
  await options.emit("delete", object);
  signal.throwIfAborted();
  await memory.written;
  memory.written = kept(options, memory.known.gone(object.metadata.uid));
}

/** The source can do without: at worst its next start tells once more what was told. */
function kept({ logger, kind }: WatcherOptions, written: Promise<void>): Promise<void> {
  return written.catch((err: unknown) => logger.warn("what an ApiServerSource has told cannot be kept", { kind: kind.kind, err }));
}
