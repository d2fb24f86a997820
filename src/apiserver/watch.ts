// A watch: synthetic events of what exists, then the store's events as the watcher's selectors see them, and bookmarks.
import { float, isReason, type Clock, type Rng } from "#core";
import type { Snapshot, Store, StoreEvent } from "#store";
import { expiredVersion } from "./errors.ts";
import { EventQueue } from "./event-queue.ts";
import { frameOf, type Frame, type SharedFrames } from "./frames.ts";
import { whenReached } from "./freshness.ts";
import type { WatchParameters } from "./list-options.ts";
import type { Turns } from "./pause.ts";
import type { Resource } from "./registry.ts";
import { isMeant, type Selection } from "./selection.ts";

export interface WatchRequest {
  readonly resource: Resource;
  readonly selection: Selection;
  readonly parameters: WatchParameters;
  readonly visibility: "immediate" | "durable";
}

export interface WatchTools {
  readonly store: Store;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly frames: SharedFrames;
  readonly turns: Turns;
}

/** Bookmarks come about once a minute, as from Kubernetes. */
const BOOKMARK_MS = 60_000;
/** The last one comes so long before the end. */
const LAST_BOOKMARK_MS = 2_000;
/** A watch without `timeoutSeconds` ends after half an hour to an hour. */
const LIFETIME_MS = 1_800_000;
/** About what the encryption and the sending of a piece take after it was written; on a connection of its own it is most of the work. */
const SENDING_MS = 0.05;
/** What exists is handed over in pieces of so many objects. */
const INITIAL_PIECE = 100;

function bookmark(resource: Resource, revision: number, initialEnd: boolean): Frame {
  const annotations = initialEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
  const metadata = { ...annotations, resourceVersion: String(revision) };
  return frameOf("BOOKMARK", resource.head + JSON.stringify({ metadata, ...resource.kind.blank }).slice(1));
}

/** How long to wait for each bookmark: about a minute, and once more until shortly before the end, so that the next watch goes on from there. */
function* bookmarkWaits(lifetimeMs: number): Generator<number, void, void> {
  for (let leftMs = lifetimeMs - LAST_BOOKMARK_MS; leftMs > 0; leftMs -= BOOKMARK_MS) yield Math.min(BOOKMARK_MS, leftMs);
}

/** Calls `onTick` after each of the waits, until the signal ends it. */
async function tick(clock: Clock, waitsMs: Iterable<number>, { onTick, signal }: { onTick: (waitedMs: number) => void; signal: AbortSignal }): Promise<void> {
  try {
    for (const waitMs of waitsMs) {
      await clock.sleep(waitMs, signal);
      onTick(waitMs);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * Batches of frames until the time-out, the abort of `signal`, or an overflow of the queue (the watcher is too slow:
 * it reconnects). Throws `Expired` when the window has moved on, `Timeout` for a revision of the future, before the first batch.
 */
export async function* watchFrames(tools: WatchTools, request: WatchRequest, signal: AbortSignal): AsyncGenerator<readonly Frame[], void, void> {
  const { store, clock, rng } = tools;
  const { resource, selection, parameters, visibility } = request;
  if (parameters.initialEvents) await whenReached({ store, clock }, parameters.resourceVersion ?? 0);
  const start = parameters.initialEvents ? store.snapshot({ prefix: selection.prefix }) : undefined;
  const after = start?.revision ?? parameters.resourceVersion ?? store.revision;
  const queue = new EventQueue();
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal, ...(resource.gone === undefined ? [] : [resource.gone])]);
  const due: { end: boolean; bookmark: "minute" | "last" | undefined } = { end: false, bookmark: undefined };
  let unsubscribe = (): void => {};
  try {
    unsubscribe = subscribe(store, { prefix: selection.prefix, after, visibility, onEvents: (events) => queue.push(events) });
    ended.addEventListener("abort", () => queue.notify(), { once: true });
    const lifetimeMs = parameters.timeoutSeconds === undefined ? LIFETIME_MS * (1 + float(rng)) : parameters.timeoutSeconds * 1000;
    void tick(clock, [lifetimeMs], { signal: ended, onTick: () => ((due.end = true), queue.notify()) });
    if (parameters.bookmarks)
      void tick(clock, bookmarkWaits(lifetimeMs), {
        signal: ended,
        onTick: (waitedMs) => ((due.bookmark = waitedMs === BOOKMARK_MS ? "minute" : "last"), queue.notify()),
      });
    if (start !== undefined) {
      yield* initialFrames(tools, start, request);
      if (parameters.bookmarks) yield [bookmark(resource, start.revision, true)];
    }
    while (!ended.aborted && !due.end && !queue.overflown) {
      if (visibility === "durable" && tools.turns.isOver) await tools.turns.next();
      const frames = framesOf(tools.frames, queue.take(), selection);
      if (frames.length > 0) {
        if (visibility === "durable") tools.turns.spend(SENDING_MS);
        yield frames;
      } else if (due.bookmark !== undefined && queue.empty) {
        const reached = visibility === "durable" ? store.durableRevision : store.revision;
        // The one before the end tells news only; those of the minutes also that the stream is alive.
        if (reached > after || (reached === after && due.bookmark === "minute")) yield [bookmark(resource, reached, false)];
        due.bookmark = undefined;
      } else if (queue.empty) await queue.wait();
    }
  } finally {
    start?.close();
    unsubscribe();
    stop.abort();
  }
}

function framesOf(shared: SharedFrames, events: readonly StoreEvent[], selection: Selection): readonly Frame[] {
  const frames: Frame[] = [];
  for (const event of events) {
    const frame = selection.ownsKey(event.key) ? shared.seen(event, selection) : undefined;
    if (frame !== undefined) frames.push(frame);
  }
  return frames;
}

/** What exists, piece by piece: no more of it is held than the reader takes. */
async function* initialFrames({ turns }: WatchTools, start: Snapshot, { selection }: WatchRequest): AsyncGenerator<readonly Frame[], void, void> {
  for (let more = true; more;) {
    const page = await start.next(INITIAL_PIECE);
    const frames: Frame[] = [];
    for (const { key, value } of page.entries) {
      if (turns.isOver) await turns.next();
      if (isMeant(selection, key, value)) frames.push(frameOf("ADDED", value));
    }
    if (frames.length > 0) yield frames;
    more = page.more;
  }
}

function subscribe(store: Store, options: Parameters<Store["watch"]>[0]): () => void {
  try {
    return store.watch(options);
  } catch (error) {
    throw isReason(error, "Expired") ? expiredVersion(options.after, store.revision) : error;
  }
}
