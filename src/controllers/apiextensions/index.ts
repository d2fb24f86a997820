// CustomResourceDefinitions: their names are settled, their kinds served, and their objects deleted before they go.
import { keyFrom, type Client, type InformerSet } from "#client";
import { backoffMs, isReason, rfc3339, WorkQueue, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import { CustomResourceDefinition, type CustomVersion } from "#kinds";
import type { Kind } from "#schema";
import { isTrue } from "./conditions.ts";
import { CLEANUP_FINALIZER, planDefinition, type DefinitionStep } from "./plan.ts";
import { DefinitionRows, storageKind, type DefinitionRow, type DefinitionRowsOptions } from "./rows.ts";

export interface DefinitionsOptions extends DefinitionRowsOptions {
  readonly informers: InformerSet;
  readonly client: Client;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Serves exactly these kinds from now on, beside those that always are. */
  readonly serve: (versions: readonly CustomVersion[]) => void;
}

export interface Definitions {
  /** Resolves once all definitions that exist are served. */
  readonly synced: Promise<void>;
  /** All kinds that definitions stand for now, each in the version that is stored. */
  kinds(): readonly Kind[];
  /** Called after each change of `kinds`. */
  onChange(listener: () => void): void;
  /** Whether the definition with the name waits for its objects to go: new ones are refused. */
  isTerminating(name: string): boolean;
  /** Ends when the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const RETRY: BackoffPolicy = { baseMs: 50, maxMs: 60_000, jitter: 0.2 };
/** Objects of a kind that goes are read in pages. */
const PAGE = 500;

/** Deletes the objects of a kind; true once none is left. */
async function empty(client: Client, row: DefinitionRow): Promise<boolean> {
  const kind = storageKind(row);
  if (kind === undefined) return true;
  const { items } = await client.list(kind, { limit: PAGE });
  for (const { metadata } of items) {
    const target = { namespace: metadata.namespace ?? "", name: metadata.name };
    if (metadata.deletionTimestamp === undefined) await client.delete(kind, target).catch(unlessGone);
  }
  return items.length === 0;
}

function unlessGone(error: unknown): void {
  if (!isReason(error, "NotFound")) throw error;
}

async function release(client: Client, { definition }: DefinitionRow): Promise<void> {
  const { name, resourceVersion, finalizers = [] } = definition.metadata;
  const metadata = { resourceVersion, finalizers: finalizers.filter((finalizer) => finalizer !== CLEANUP_FINALIZER) };
  await client.patch(CustomResourceDefinition, { namespace: "", name }, { type: "application/merge-patch+json", body: { metadata } });
}

async function take(client: Client, row: DefinitionRow, step: DefinitionStep): Promise<"again" | "done"> {
  if (step.do === "status") await client.updateStatus(CustomResourceDefinition, { ...row.definition, status: step.status });
  if (step.do === "empty" && !(await empty(client, row))) return "again";
  if (step.do === "empty" || step.do === "release") await release(client, row);
  return "done";
}

/** Follows all definitions. */
export function followDefinitions(options: DefinitionsOptions): Definitions {
  const { client, clock, informers, logger, rng } = options;
  const rows = new DefinitionRows(options);
  const queue = new WorkQueue<string>();
  const failures = new Map<string, number>();
  const listeners: (() => void)[] = [];
  const informer = informers.follow(CustomResourceDefinition, "definitions", (key, definition) => {
    const { name } = keyFrom(key);
    const isOther = rows.set(name, definition);
    // The names of one that is gone are free.
    const concerned = definition === undefined ? rows.others(name).map(({ metadata }) => metadata.name) : [name];
    concerned.forEach((one) => queue.add(one));
    if (!isOther) return;
    options.serve(rows.versions);
    for (const listener of listeners) listener();
  });
  const later = (name: string, signal: AbortSignal): void => {
    const count = failures.get(name) ?? 0;
    failures.set(name, count + 1);
    void clock.sleep(backoffMs(RETRY, count, rng), signal).then(
      () => queue.add(name),
      () => {},
    );
  };
  const pass = async (name: string, signal: AbortSignal): Promise<void> => {
    const row = rows.get(name);
    try {
      const observed = row === undefined ? undefined : { definition: row.definition, others: rows.others(name), now: rfc3339(clock.wallMs()) };
      if (row === undefined || observed === undefined || (await take(client, row, planDefinition(observed))) === "done") failures.delete(name);
      else later(name, signal);
    } catch (error) {
      if (signal.aborted || isReason(error, "NotFound")) return;
      if (!isReason(error, "Conflict")) logger.warn("a definition cannot be brought forward", { name, err: error });
      later(name, signal);
    }
  };
  return {
    synced: informer.synced,
    isTerminating(name) {
      const row = rows.get(name);
      return row !== undefined && isTrue(row.definition, "Terminating");
    },
    kinds: () => rows.kinds,
    onChange: (listener) => void listeners.push(listener),
    async run(signal) {
      for (let name = await queue.take(signal); name !== undefined; name = await queue.take(signal)) {
        await pass(name, signal);
        queue.done(name);
      }
    },
  };
}
