// A watch: synthetic events of what exists, then the store's events as the watcher's selectors see them, and bookmarks.
import { float, isReason, type Clock, type Rng } from "#core";
import type { KubeObject } from "#schema";
import type { Entry, Store, StoreEvent } from "#store";
import { expiredVersion } from "./errors.ts";
import { EventQueue } from "./event-queue.ts";
import { whenReached } from "./freshness.ts";
import { decode } from "./keys.ts";
import type { WatchParameters } from "./list-options.ts";
import type { ParsedObjects } from "./parsed-objects.ts";
import { nextTurn, type Turns } from "./pause.ts";
import type { Resource } from "./registry.ts";
import type { Selection } from "./selection.ts";

/** One event on its way to a watcher: the text as stored, parsed only by those who need the object. */
export interface Frame {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly text: string;
  readonly object: () => KubeObject;
}

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
  readonly parsed: ParsedObjects;
  readonly turns: Turns;
}

/** Bookmarks come about once a minute, as from Kubernetes. */
const BOOKMARK_MS = 60_000;
/** A watch without `timeoutSeconds` ends after half an hour to an hour. */
const LIFETIME_MS = 1_800_000;
/** Initial events are handed over in pieces, so that other work gets its turn. */
const INITIAL_BATCH = 500;

function frameOf(type: Frame["type"], text: string): Frame {
  let object: KubeObject | undefined;
  return { type, text, object: () => (object ??= decode(text)) };
}

function bookmark(resource: Resource, revision: number, initialEnd: boolean): Frame {
  const annotations = initialEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
  const metadata = { ...annotations, resourceVersion: String(revision) };
  return frameOf("BOOKMARK", resource.head + JSON.stringify({ metadata, ...resource.kind.blank }).slice(1));
}

/** What an event of the store is to a watcher with this selection; undefined when it is none of its business. */
function seen(event: StoreEvent, selection: Selection, parsed: ParsedObjects): Frame | undefined {
  const { matches } = selection;
  const now = (type: Frame["type"]): Frame => ({ type, text: event.value, object: () => parsed.of(event.value) });
  const change = event.previous === undefined ? "ADDED" : "MODIFIED";
  if (matches === undefined) return now(event.type === "delete" ? "DELETED" : change);
  const previous = event.previous === undefined ? undefined : parsed.of(event.previous);
  const before = previous !== undefined && matches(previous);
  if (event.type === "delete") return before ? now("DELETED") : undefined;
  if (matches(parsed.of(event.value))) return now(before ? "MODIFIED" : "ADDED");
  if (!before) return undefined;
  // It has left the selection: Kubernetes shows its last matching state with the revision of the change.
  const last = { ...previous, metadata: { ...previous.metadata, resourceVersion: String(event.revision) } };
  return { type: "DELETED", text: JSON.stringify(last), object: () => last };
}

/** Everything of the selection that exists, and the revision at which it does. */
async function initial(tools: WatchTools, request: WatchRequest): Promise<{ entries: readonly Entry[]; revision: number }> {
  const { selection } = request;
  const listed = await tools.store.list({ prefix: selection.prefix });
  return { entries: listed.entries.filter((entry) => selection.ownsKey(entry.key)), revision: listed.revision };
}

/** Wakes the queue again and again after `ms`, until the signal ends it. */
async function tick(clock: Clock, ms: number, { onTick, signal }: { onTick: () => void; signal: AbortSignal }): Promise<void> {
  try {
    while (!signal.aborted) {
      await clock.sleep(ms, signal);
      onTick();
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
  const { store, clock, rng, parsed } = tools;
  const { resource, selection, parameters, visibility } = request;
  if (parameters.initialEvents) await whenReached({ store, clock }, parameters.resourceVersion ?? 0);
  const start = parameters.initialEvents ? await initial(tools, request) : undefined;
  const after = start?.revision ?? parameters.resourceVersion ?? store.revision;
  const queue = new EventQueue();
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal, ...(resource.gone === undefined ? [] : [resource.gone])]);
  const due = { end: false, bookmark: false };
  let unsubscribe = (): void => {};
  try {
    unsubscribe = subscribe(store, { prefix: selection.prefix, after, visibility, onEvents: (events) => queue.push(events) });
    ended.addEventListener("abort", () => queue.notify(), { once: true });
    const lifetimeMs = parameters.timeoutSeconds === undefined ? LIFETIME_MS * (1 + float(rng)) : parameters.timeoutSeconds * 1000;
    void tick(clock, lifetimeMs, { signal: ended, onTick: () => ((due.end = true), queue.notify()) });
    if (parameters.bookmarks) void tick(clock, BOOKMARK_MS, { signal: ended, onTick: () => ((due.bookmark = true), queue.notify()) });
    if (start !== undefined) {
      for (const frames of initialFrames(start.entries, selection)) {
        yield frames;
        await nextTurn();
      }
      if (parameters.bookmarks) yield [bookmark(resource, start.revision, true)];
    }
    let last = after;
    while (!ended.aborted && !due.end && !queue.overflown) {
      const events = queue.take();
      last = events.at(-1)?.revision ?? last;
      const frames = framesOf(events, selection, parsed);
      if (frames.length > 0) yield frames;
      else if (due.bookmark && queue.empty) {
        due.bookmark = false;
        last = Math.max(last, visibility === "durable" ? store.durableRevision : store.revision);
        yield [bookmark(resource, last, false)];
      } else if (queue.empty) await queue.wait();
    }
  } finally {
    unsubscribe();
    stop.abort();
  }
}

function framesOf(events: readonly StoreEvent[], selection: Selection, parsed: ParsedObjects): readonly Frame[] {
  const frames: Frame[] = [];
  for (const event of events) {
    const frame = selection.ownsKey(event.key) ? seen(event, selection, parsed) : undefined;
    if (frame !== undefined) frames.push(frame);
  }
  return frames;
}

function* initialFrames(entries: readonly Entry[], selection: Selection): Generator<readonly Frame[], void, void> {
  for (let from = 0; from < entries.length; from += INITIAL_BATCH) {
    const frames = entries.slice(from, from + INITIAL_BATCH).map(({ value }) => frameOf("ADDED", value));
    const wanted = selection.matches === undefined ? frames : frames.filter((frame) => selection.matches?.(frame.object()));
    if (wanted.length > 0) yield wanted;
  }
}

function subscribe(store: Store, options: Parameters<Store["watch"]>[0]): () => void {
  try {
    return store.watch(options);
  } catch (error) {
    throw isReason(error, "Expired") ? expiredVersion(options.after, store.revision) : error;
  }
}
