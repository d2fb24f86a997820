// One watch of an ApiServerSource: each change goes to `emit` and is waited for, so that memory is bounded by what exists. A watch that breaks is
// made again, and what it did not tell is found by comparing: intermediate states may be passed over, objects are not.
import { endsInitialEvents, type Client, type WatchEvent } from "#client";
import { backoffMs, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import type { Kind, KubeObject } from "#schema";
import type { ChangeType } from "./change-event.ts";

export interface WatcherOptions {
  readonly client: Client;
  readonly kind: Kind;
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly labelSelector: string;
  /** What is remembered of an object for its end. */
  readonly keep: (object: KubeObject) => KubeObject;
  readonly emit: (change: ChangeType, object: KubeObject) => Promise<void>;
  /** What exists is known: changes are told from now on. */
  readonly onSynced: () => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

const AGAIN: BackoffPolicy = { baseMs: 100, maxMs: 30_000, jitter: 0.2 };

/** Ends when the signal aborts; never rejects. */
export async function runWatcher(options: WatcherOptions, signal: AbortSignal): Promise<void> {
  const known = new Map<string, KubeObject>();
  const { clock, rng, logger, kind } = options;
  let isFirst = true;
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      await follow(options, { known, isFirst: () => isFirst }, signal, () => {
        isFirst = false;
        failures = 0;
        options.onSynced();
      });
    } catch (err) {
      if (!signal.aborted) logger.info("a watch of an ApiServerSource is made again", { kind: kind.kind, err });
    }
    if (!signal.aborted) await clock.sleep(backoffMs(AGAIN, failures, rng), signal).catch(() => undefined);
  }
}

interface Memory {
  readonly known: Map<string, KubeObject>;
  /** What existed before the source began is not told. */
  readonly isFirst: () => boolean;
}

async function follow(options: WatcherOptions, memory: Memory, signal: AbortSignal, synced: () => void): Promise<void> {
  const { client, kind, namespace, labelSelector } = options;
  const query = { initialEvents: true as const, labelSelector, ...(namespace === undefined ? {} : { namespace }) };
  let seen: Set<string> | undefined = new Set();
  for await (const event of client.watch(kind, query, signal)) {
    if (event.type === "BOOKMARK") {
      if (seen === undefined || !endsInitialEvents(event)) continue;
      for (const [uid, object] of memory.known) if (!seen.has(uid)) await gone(options, memory, object);
      seen = undefined;
      synced();
      continue;
    }
    seen?.add(event.object.metadata.uid);
    await tell(options, memory, { event, isSilent: seen !== undefined && memory.isFirst() });
  }
}

async function tell(
  options: WatcherOptions,
  memory: Memory,
  { event, isSilent }: { readonly event: WatchEvent<KubeObject>; readonly isSilent: boolean },
): Promise<void> {
  const { object, type } = event;
  const { known } = memory;
  if (type === "DELETED") return gone(options, memory, object);
  const before = known.get(object.metadata.uid);
  if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return;
  if (!isSilent) await options.emit(before === undefined ? "add" : "update", object);
  known.set(object.metadata.uid, options.keep(object));
}

async function gone({ emit }: WatcherOptions, { known }: Memory, object: KubeObject): Promise<void> {
  await emit("delete", object);
  known.delete(object.metadata.uid);
}
