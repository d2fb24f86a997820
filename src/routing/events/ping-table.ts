// From PingSources to what the events thread sends, and when: takes objects as they change, gives deltas, follows acknowledgements.
import { cronText, type PingSource } from "#kinds";
import type { MissedRuns, Ping, PingsDelta } from "#protocol";
import type { EventStanding } from "./event-table.ts";

/** Annotation of a PingSource: what becomes of runs that were due while no platform was there. */
const MISSED = "eider.dev/missed-runs";

interface Entry {
  readonly is: Ping;
  readonly generation: number;
}

/** Keys are `namespace/name`. */
export class PingTable {
  readonly #told = new Map<string, Entry>();
  readonly #put = new Map<string, Ping>();
  readonly #removed = new Set<string>();
  #generation = 0;
  #acknowledged = -1;

  get isEmpty(): boolean {
    return this.#told.size === 0;
  }

  /** One without a sink sends nothing. */
  upsert(source: PingSource): void {
    const key = `${source.metadata.namespace ?? ""}/${source.metadata.name}`;
    const is = pingOf(source);
    const before = this.#told.get(key)?.is;
    if (is === undefined || (before !== undefined && before.id !== is.id)) this.remove(key);
    if (is === undefined || (before?.id === is.id && same(before, is))) return;
    this.#told.set(key, { is, generation: this.#generation + 1 });
    this.#put.set(is.id, is);
  }

  remove(key: string): void {
    const before = this.#told.get(key);
    if (before === undefined) return;
    this.#told.delete(key);
    this.#put.delete(before.is.id);
    this.#removed.add(before.is.id);
  }

  flush(): PingsDelta | undefined {
    if (this.#put.size + this.#removed.size === 0) return undefined;
    this.#generation++;
    const delta: PingsDelta = { type: "pings", generation: this.#generation, reset: false, put: [...this.#put.values()], removed: [...this.#removed] };
    this.#put.clear();
    this.#removed.clear();
    return delta;
  }

  /** Everything, for a thread that has just started. */
  threadStarted(): PingsDelta {
    this.#acknowledged = -1;
    this.#put.clear();
    this.#removed.clear();
    this.#generation++;
    return { type: "pings", generation: this.#generation, reset: true, put: [...this.#told.values()].map(({ is }) => is), removed: [] };
  }

  /** Keys of what was in force and is not any more. */
  threadStopped(): readonly string[] {
    const before = this.#acknowledged;
    this.#acknowledged = -1;
    return [...this.#told].filter(([, { generation }]) => generation <= before).map(([key]) => key);
  }

  /** Keys of what is in force now. */
  acknowledged(generation: number): readonly string[] {
    const before = this.#acknowledged;
    this.#acknowledged = Math.max(before, generation);
    return [...this.#told].filter(([, entry]) => entry.generation > before && entry.generation <= generation).map(([key]) => key);
  }

  standing(key: string): EventStanding | undefined {
    const entry = this.#told.get(key);
    if (entry === undefined || entry.generation > this.#acknowledged) return undefined;
    const { id, version, target } = entry.is;
    return { uid: id, generation: version, subscriberUri: target.url, ...(target.caCerts === undefined ? {} : { subscriberCaCerts: target.caCerts }) };
  }

  /** URLs that events are sent to. */
  targets(): string[] {
    return [...this.#told.values()].map(({ is }) => is.target.url);
  }
}

function same(a: Ping, b: Ping): boolean {
  const text = (ping: Ping): string => JSON.stringify({ ...ping, data: ping.data === undefined ? undefined : Buffer.from(ping.data).toString("base64") });
  return text(a) === text(b);
}

function missedOf(annotation: string | undefined): MissedRuns {
  return annotation === "once" || annotation === "all" ? annotation : "skip";
}

function pingOf({ metadata, spec, status }: PingSource): Ping | undefined {
  const { sinkUri = "", sinkCACerts = "" } = status ?? {};
  if (metadata.deletionTimestamp !== undefined || sinkUri === "") return undefined;
  const { data = "", dataBase64 = "", contentType, ceOverrides } = spec;
  const { schedule, timezone } = cronText(spec.schedule ?? "", spec.timezone);
  const octets = dataBase64 === "" ? Buffer.from(data) : Buffer.from(dataBase64, "base64");
  return {
    id: metadata.uid,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    version: metadata.generation ?? 0,
    schedule,
    timezone,
    missed: missedOf(metadata.annotations?.[MISSED]),
    overrides: ceOverrides?.extensions ?? {},
    ...(contentType === undefined ? {} : { contentType }),
    ...(octets.length === 0 ? {} : { data: octets }),
    target: { url: sinkUri, ...(sinkCACerts === "" ? {} : { caCerts: sinkCACerts }) },
  };
}
