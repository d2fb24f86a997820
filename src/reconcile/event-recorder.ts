// Kubernetes Events about objects: counted when they repeat, limited when they flood, written beside the reconcile.
import { isReason, rfc3339, WorkQueue, type Clock, type Logger, type Rng } from "#core";
import type { Client } from "#client";
import type { Kind, KubeObject } from "#schema";
import type { PlanEvent } from "./port.ts";

/** What an Event is about. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion?: string;
  /** A part of it: `spec.containers{app}`. */
  readonly fieldPath?: string;
}

/** A core/v1 Event as it is written. */
export interface EventObject extends KubeObject {
  involvedObject: Regarding;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  source: { component: string };
  firstTimestamp: string;
  lastTimestamp: string;
  count: number;
  eventTime: null;
  reportingComponent: string;
  reportingInstance: string;
}

export interface EventRecorder {
  /** Never waits and never throws; an event over a limit is dropped and counted. */
  record(component: string, regarding: Regarding, event: Pick<PlanEvent, "type" | "reason" | "message">): void;
  /** Writes what was recorded until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  readonly dropped: number;
}

const WAITING_MAX = 1000;
const REMEMBERED_MAX = 1024;
const GATHER_MS = 50;
/** As client-go's spam filter: 25 at once per component and object, then one every five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;
/** Messages longer than this are cut, as client-go does it. */
const MESSAGE_LENGTH_MAX = 1024;
const NAME_LENGTH_MAX = 253;
const SUFFIX_LENGTH = 16;

interface Entry {
  readonly component: string;
  readonly regarding: Regarding;
  readonly event: Pick<PlanEvent, "type" | "reason" | "message">;
  readonly firstMs: number;
  lastMs: number;
  count: number;
  /** Name of the Event object once it exists. */
  written?: string;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Inserts as the newest and forgets the oldest above the limit. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED_MAX && oldest !== undefined) map.delete(oldest);
}

export interface EventRecorderOptions {
  readonly client: Client;
  /** The kind core/v1 Event. */
  readonly kind: Kind;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Events are gathered for so long, milliseconds: what they tell about, a pod on its way, comes first. */
  readonly gatherMs?: number;
}

function eventObject(entry: Entry, name: string): Omit<EventObject, "metadata"> & { metadata: { name: string; namespace: string } } {
  const { component, regarding, event, count } = entry;
  return {
    apiVersion: "v1",
    kind: "Event",
    // Events about cluster-scoped objects live in `default`.
    metadata: { name, namespace: namespaceOf(regarding) },
    involvedObject: regarding,
    type: event.type,
    reason: event.reason,
    message: event.message.slice(0, MESSAGE_LENGTH_MAX),
    source: { component },
    firstTimestamp: rfc3339(entry.firstMs),
    lastTimestamp: rfc3339(entry.lastMs),
    count,
    eventTime: null,
    reportingComponent: component,
    reportingInstance: "",
  };
}

/** As much of a name as leaves room for the suffix of an Event's own name, which is a DNS subdomain. */
function prefixOf(name: string): string {
  return name.slice(0, NAME_LENGTH_MAX - SUFFIX_LENGTH - 1).replace(/[^a-z0-9]+$/, "");
}

function namespaceOf(regarding: Regarding): string {
  return regarding.namespace === "" ? "default" : regarding.namespace;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, kind, logger, rng, gatherMs = GATHER_MS } = options;
  const entries = new Map<string, Entry>();
  const buckets = new Map<string, Bucket>();
  const waiting = new Map<string, Entry>();
  const queue = new WorkQueue<string>();
  let dropped = 0;
  // Two recorders count from different numbers.
  let turn = rng.uint32() % 1_000_000;

  const admitted = (id: string): boolean => {
    const nowMs = clock.monotonicMs();
    const bucket = buckets.get(id) ?? { tokens: BURST, atMs: nowMs };
    const tokens = Math.min(BURST, bucket.tokens + (nowMs - bucket.atMs) / REFILL_MS);
    remember(buckets, id, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    return tokens >= 1;
  };

  const write = async (entry: Entry): Promise<void> => {
    const namespace = namespaceOf(entry.regarding);
    if (entry.written !== undefined) {
      const body = { count: entry.count, lastTimestamp: rfc3339(entry.lastMs) };
      try {
        await client.patch(kind, { namespace, name: entry.written }, { type: "application/merge-patch+json", body });
        return;
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
    }
    // By time, so that a list of names tells what came first within a second.
    const suffix = (BigInt(entry.firstMs) * 1_000_000n + BigInt(turn++ % 1_000_000)).toString(16).padStart(SUFFIX_LENGTH, "0");
    const name = `${prefixOf(entry.regarding.name)}.${suffix}`;
    await client.create(kind, eventObject(entry, name));
    entry.written = name;
  };

  return {
    get dropped() {
      return dropped;
    },
    record(component, regarding, event) {
      const id = JSON.stringify([component, regarding.uid, regarding.name, regarding.fieldPath, event.type, event.reason, event.message]);
      const nowMs = clock.wallMs();
      const entry = entries.get(id) ?? { component, regarding, event, firstMs: nowMs, lastMs: nowMs, count: 0 };
      if (waiting.size >= WAITING_MAX || !admitted(`${component} ${regarding.uid} ${regarding.name}`)) {
        dropped++;
        return;
      }
      entry.count++;
      entry.lastMs = nowMs;
      remember(entries, id, entry);
      waiting.set(id, entry);
      queue.add("waiting");
    },
    async run(signal) {
      for (;;) {
        const due = await queue.take(signal);
        if (due === undefined) return;
        queue.done(due);
        await clock.sleep(gatherMs, signal).catch(() => {});
        if (signal.aborted) return;
        for (const [id, entry] of waiting) {
          waiting.delete(id);
          try {
            await write(entry);
          } catch (error) {
            dropped++;
            // An event is a courtesy: the namespace may just be going away.
            logger.debug("event was not written", { component: entry.component, reason: entry.event.reason, err: error });
          }
        }
      }
    },
  };
}
