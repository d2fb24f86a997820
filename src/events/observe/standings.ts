// How far subscribers are, read off what exists when somebody asks: what they have open, how much lies before them, how old it is.
import type { MetricFamily } from "#protocol";
import type { NodeView, StreamView, SubscriberView } from "../history/view.ts";
import { ownLabels } from "./destination.ts";
import { OVERFLOW } from "./duration-series.ts";
import { gaugeFamilies, type Count } from "./families.ts";

/** Events whose time is read for one answer, the oldest first; what was read is kept as long as it is the oldest of its subscriber. */
const READ_MAX = 100;

const OPEN = { name: "eider_events_open", help: "Events that a subscriber has begun with and is not done with, by state." };
const BEHIND = { name: "eider_events_behind_bytes", help: "Octets of the log from where a subscriber is to the newest event of its Broker or channel." };
const OLDEST = {
  name: "eider_events_oldest_unfinished_seconds",
  help: "Age of the oldest event that a subscriber has not got, without what is parked; 0 when it has got all.",
};
const DROPPED = {
  name: "eider_events_dropped",
  help: "Events that were dropped at the log's size before all had got them, since the Broker or channel is there.",
};

const NOTES = { name: "eider_events_notes_lost", help: "Attempts that are not on record, since the log took no more." };

const FORGOTTEN = { name: "eider_events_forgotten", help: "Events that are not remembered as long as the annotation says, so that they may be taken twice." };

interface Standing {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stream: StreamView;
  readonly inFlight: number;
  readonly retrying: number;
  readonly parked: number;
  readonly behindBytes: number;
  /** The oldest that it has not got: one that is open, or the first that it has not looked at. */
  readonly oldest: { readonly at: number; readonly isOpen: boolean } | undefined;
}

export class Standings {
  /** Times of what is the oldest, by subscriber. */
  readonly #times = new Map<string, { readonly at: number; readonly ms: number }>();

  /** Subscribers beyond `max` are added up. */
  async families(view: NodeView, { nowMs, max }: { readonly nowMs: number; readonly max: number }, signal: AbortSignal): Promise<MetricFamily[]> {
    const streams = new Map(view.streams.map((stream) => [stream.is.id, stream]));
    const standings = view.subscribers.flatMap((subscriber) => {
      const stream = streams.get(subscriber.is.stream);
      return stream === undefined ? [] : [standingOf(subscriber, stream)];
    });
    await this.#readTimes(standings, signal);
    const shown = standings.slice(0, max).flatMap((standing) => this.#gauges(standing, nowMs));
    const rest = standings.slice(max).flatMap((standing) => this.#gauges(standing, nowMs).map((gauge) => ({ ...gauge, labels: overflow(gauge) })));
    const lost = view.streams.slice(0, max).flatMap(lossesOf);
    return gaugeFamilies([...joined([...shown, ...rest]), ...lost]);
  }

  #gauges({ id, labels, inFlight, retrying, parked, behindBytes, oldest }: Standing, nowMs: number): Count[] {
    const time = this.#times.get(id);
    // Of one that was not read yet nothing is said.
    const age = oldest === undefined ? 0 : time?.at === oldest.at ? Math.max(0, nowMs - time.ms) / 1000 : undefined;
    return [
      { ...OPEN, labels: { ...labels, state: "inFlight" }, value: inFlight },
      { ...OPEN, labels: { ...labels, state: "retrying" }, value: retrying },
      { ...OPEN, labels: { ...labels, state: "parked" }, value: parked },
      { ...BEHIND, labels, value: behindBytes },
      ...(age === undefined ? [] : [{ ...OLDEST, labels, value: age }]),
    ];
  }

  async #readTimes(standings: readonly Standing[], signal: AbortSignal): Promise<void> {
    const wanted = standings.flatMap(({ id, oldest, stream }) =>
      oldest === undefined || this.#times.get(id)?.at === oldest.at ? [] : [{ id, oldest, stream }],
    );
    const there = new Set(standings.flatMap(({ id, oldest }) => (oldest === undefined ? [] : [id])));
    for (const id of this.#times.keys()) if (!there.has(id)) this.#times.delete(id);
    wanted.sort((a, b) => a.oldest.at - b.oldest.at);
    for (const { id, oldest, stream } of wanted.slice(0, READ_MAX)) {
      const { found } = await stream.log.search({ at: oldest.at, limit: 1 }, signal);
      const [first] = found;
      if (first !== undefined && (!oldest.isOpen || first.offset === oldest.at)) this.#times.set(id, { at: oldest.at, ms: first.timeMs });
    }
  }
}

/** Nothing when nothing was lost. */
function lossesOf({ is, log, intake }: StreamView): Count[] {
  const labels = ownLabels(is.kind, is);
  const losses = [
    { ...DROPPED, labels, value: log.dropped },
    { ...NOTES, labels, value: log.notesLost },
    { ...FORGOTTEN, labels, value: intake?.recent?.forgotten ?? 0 },
  ];
  return losses.filter(({ value }) => value > 0);
}

function standingOf({ is, next, open }: SubscriberView, stream: StreamView): Standing {
  const counts = { inFlight: 0, retrying: 0, parked: 0 };
  let low = Infinity;
  for (const { offset, dueMs } of open) {
    if (dueMs === undefined) counts.inFlight++;
    else if (dueMs === Infinity) counts.parked++;
    else counts.retrying++;
    if (dueMs !== Infinity && offset < low) low = offset;
  }
  const isBehind = next <= stream.log.last;
  const oldest = low < next ? { at: low, isOpen: true } : isBehind ? { at: next, isOpen: false } : undefined;
  const kind = stream.is.kind === "Broker" ? "Trigger" : "Subscription";
  return { id: is.id, labels: ownLabels(kind, is), stream, ...counts, behindBytes: isBehind ? stream.log.last - next : 0, oldest };
}

function overflow({ labels }: Count): Count["labels"] {
  const { state } = labels;
  return { [OVERFLOW]: "true", ...(state === undefined ? {} : { state }) };
}

/** Of the same labels one: what is counted is added up, of ages the highest is kept. */
function joined(gauges: readonly Count[]): Count[] {
  const byLabels = new Map<string, Count>();
  for (const gauge of gauges) {
    const key = JSON.stringify([gauge.name, gauge.labels]);
    const known = byLabels.get(key);
    if (known === undefined) byLabels.set(key, gauge);
    else byLabels.set(key, { ...known, value: gauge.name === OLDEST.name ? Math.max(known.value, gauge.value) : known.value + gauge.value });
  }
  return [...byLabels.values()];
}
