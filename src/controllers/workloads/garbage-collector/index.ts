// The garbage collector: dependents follow their owners, in the background, in the foreground or not at all.
import { keyOf, type Client, type Informer, type InformerSet, type MetaRow } from "#client";
import { backoffMs, isReason, WorkQueue, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import { equal, type Kind } from "#schema";
import { ComingRows, type ComingKinds } from "./coming-kinds.ts";
import { nodeId, OwnerGraph, type Node } from "./observe.ts";
import { planGarbage, type GarbageAction } from "./plan.ts";

export interface GarbageCollectorOptions {
  readonly informers: InformerSet;
  readonly client: Client;
  /** Every kind whose objects may own or be owned. */
  readonly kinds: readonly Kind[];
  /** And those that come and go. */
  readonly coming?: ComingKinds;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

const RETRY: BackoffPolicy = { baseMs: 5, maxMs: 60_000, jitter: 0.2 };
/** Objects that wait for a retry at the same time; more are found again with the next change of their owner. */
const RETRIES_MAX = 10_000;

/** Whether nothing changed that garbage collection looks at. */
function sameLinks(a: MetaRow, b: MetaRow): boolean {
  return a.uid === b.uid && a.deletionTimestamp === b.deletionTimestamp && equal([a.owners, a.finalizers], [b.owners, b.finalizers]);
}

async function perform(client: Client, action: GarbageAction, kind: Kind): Promise<void> {
  const { row } = action;
  const preconditions = { uid: row.uid };
  if (action.do === "delete") return client.delete(kind, row, { preconditions, propagationPolicy: action.policy });
  const current = await client.find(kind, row.namespace, row.name);
  if (current?.metadata.uid !== row.uid) return;
  const { resourceVersion, finalizers = [], ownerReferences = [] } = current.metadata;
  const metadata =
    action.do === "disown"
      ? { resourceVersion, ownerReferences: ownerReferences.filter(({ uid }) => !action.uids.includes(uid)) }
      : { resourceVersion, finalizers: finalizers.filter((finalizer) => finalizer !== action.finalizer) };
  await client.patch(kind, { namespace: row.namespace, name: row.name }, { type: "application/merge-patch+json", body: { metadata } });
}

async function collect(client: Client, graph: OwnerGraph, node: Node): Promise<void> {
  const seen = await graph.observe(node);
  if (seen === undefined) return;
  for (const action of planGarbage(seen.observed)) {
    try {
      await perform(client, action, seen.kindOf.get(action.row) ?? node.kind);
    } catch (error) {
      if (!isReason(error, "NotFound")) throw error;
    }
  }
}

/** Works on one id after the other until the signal aborts; `work` never rejects. */
async function drain(queue: WorkQueue<string>, signal: AbortSignal, work: (id: string) => Promise<void>): Promise<void> {
  for (let id = await queue.take(signal); id !== undefined; id = await queue.take(signal)) {
    await work(id);
    queue.done(id);
  }
}

/** Ends when the signal aborts; never rejects. */
export function createGarbageCollector(options: GarbageCollectorOptions): { run(signal: AbortSignal): Promise<void> } {
  const { client, clock, informers, kinds, logger, rng } = options;
  const coming = new ComingRows({ client, clock, rng, logger, coming: options.coming });
  const graph = new OwnerGraph(options, coming);
  const nodes = new Map<string, Node>();
  const failures = new Map<string, number>();
  const queue = new WorkQueue<string>();

  const add = (node: Node): void => {
    const id = nodeId(node);
    nodes.set(id, node);
    queue.add(id);
  };
  const addOwners = (row: MetaRow): void => {
    for (const reference of row.owners ?? []) {
      const owner = graph.ownerNode(reference, row.namespace);
      // Only an owner that waits for its dependents has anything to do.
      if (owner !== undefined && graph.row(owner)?.deletionTimestamp !== undefined) add(owner);
    }
  };
  const changed = (kind: Kind, row: MetaRow): void => {
    if (row.deletionTimestamp !== undefined && row.finalizers !== undefined) {
      add({ kind, key: row });
      for (const dependent of graph.dependents(row.uid)) add(dependent.node);
    } else if (row.owners !== undefined) add({ kind, key: row });
  };

  const retry = (node: Node, error: unknown, signal: AbortSignal): void => {
    const id = nodeId(node);
    const count = failures.get(id) ?? 0;
    if (count === 0 && !isReason(error, "Conflict"))
      logger.warn("garbage collection failed", { kind: node.kind.kind, key: keyOf(node.key.namespace, node.key.name), err: error });
    if (failures.size >= RETRIES_MAX && count === 0) return;
    failures.set(id, count + 1);
    void clock.sleep(backoffMs(RETRY, count, rng), signal).then(
      () => add(node),
      () => {},
    );
  };

  const listen = (kind: Kind, informer: Informer<MetaRow>): void => {
    informer.onChange(({ before, after }) => {
      if (after !== undefined) {
        if (before === undefined || !sameLinks(before, after)) changed(kind, after);
      } else if (before !== undefined) {
        for (const dependent of graph.dependents(before.uid)) add(dependent.node);
        addOwners(before);
      }
    });
  };

  return {
    async run(signal) {
      const rows = kinds.map((kind) => ({ kind, informer: informers.meta(kind) }));
      for (const { kind, informer } of rows) listen(kind, informer);
      coming.follow(signal, listen);
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      await Promise.race([Promise.all(rows.map(({ informer }) => informer.synced)).catch(() => {}), aborted]);
      for (const { kind, informer } of rows) for (const row of informer.list()) changed(kind, row);
      await drain(queue, signal, async (id) => {
        const node = nodes.get(id);
        nodes.delete(id);
        try {
          if (node !== undefined) await collect(client, graph, node);
          failures.delete(id);
        } catch (error) {
          if (node !== undefined && !signal.aborted) retry(node, error, signal);
        }
      });
    },
  };
}
