// What the producers, the receivers and the killer of the crash test wrote down, and the verdict over it: pure, so that faults can be
// planted in rows of facts.
import { keyOf, SUBSCRIBERS, type Wanted } from "./story.ts";

/** One attempt of a producer to send an event. Those of one producer are in order, one at a time. */
export interface AckRow {
  readonly producer: number;
  readonly seq: number;
  /** `doubt`: nobody answered, or the gateway did for the listener behind it; the event may have been taken or not. */
  readonly what: "acked" | "doubt" | "refused";
  readonly fromMs: number;
  readonly toMs: number;
  /** 0 when nobody answered. */
  readonly status: number;
}

/** One delivery, written when it was answered. */
export interface ReceiptRow {
  readonly producer: number;
  readonly seq: number;
  /** It was read in full, and answered. */
  readonly fromMs: number;
  readonly toMs: number;
  /** 0: the sender had gone away before. */
  readonly status: number;
}

/** From just before the signal until another platform was there. */
export interface KillRow {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Facts {
  readonly acks: Iterable<AckRow>;
  /** By the name of the subscriber, in the order in which it was answered. */
  readonly receipts: ReadonlyMap<string, Iterable<ReceiptRow>>;
  readonly kills: readonly KillRow[];
}

export interface Verdict {
  /** Acknowledged events that a subscriber did not get. */
  readonly lost: readonly string[];
  /** Everything else that may not be. */
  readonly complaints: readonly string[];
  readonly acknowledged: number;
  readonly deliveries: number;
  readonly doubts: number;
  readonly refused: number;
  /** Deliveries that came again, by what excuses them. */
  readonly repeated: { readonly kill: number; readonly timeout: number; readonly doubt: number };
}

/** What was finished so long before a kill may not be on the disk as finished. */
const UNWRITTEN_MS = 1_000;

interface Sent {
  /** By the producer's count: how often nobody answered; undefined: never acknowledged. */
  readonly acked: Set<number>;
  readonly doubts: Map<number, number>;
}

/** What a subscriber got of one producer. Most events come once: only what comes again is kept apart. */
interface Got {
  readonly accepted: Map<number, { readonly toMs: number; readonly late: boolean }>;
  readonly refusals: Map<number, { count: number; readonly fromMs: number; toMs: number }>;
  /** Deliveries beyond the first that neither a kill nor a time-out excuses. */
  readonly unexplained: Map<number, number>;
  /** The highest that came, by key. */
  readonly highest: Map<string, number>;
}

export function judge({ acks, receipts, kills }: Facts): Verdict {
  const complaints: string[] = [];
  const lost: string[] = [];
  const count = { acknowledged: 0, deliveries: 0, doubts: 0, refused: 0 };
  const repeated = { kill: 0, timeout: 0, doubt: 0 };
  const sent = new Map<number, Sent>();
  for (const row of acks) {
    const of = sent.get(row.producer) ?? { acked: new Set(), doubts: new Map() };
    sent.set(row.producer, of);
    complaints.push(...wrongAttempt(row, kills));
    if (row.what === "refused") count.refused++;
    if (row.what === "acked") of.acked.add(row.seq);
    if (row.what === "doubt") {
      count.doubts++;
      of.doubts.set(row.seq, (of.doubts.get(row.seq) ?? 0) + 1);
    }
  }
  for (const { acked } of sent.values()) count.acknowledged += acked.size;
  const got = new Map<string, ReadonlyMap<number, Got>>();
  for (const subscriber of SUBSCRIBERS) {
    const its = new Map<number, Got>();
    got.set(subscriber.name, its);
    for (const row of receipts.get(subscriber.name) ?? []) {
      count.deliveries++;
      complaints.push(...delivered(subscriber, row, { sent, its, kills, repeated }));
    }
    for (const [producer, of] of sent) {
      lost.push(...missing(subscriber, producer, of, its.get(producer)));
      complaints.push(...tooMany(subscriber, { producer, of, its: its.get(producer), kills, repeated }));
    }
    if (its.size === 0) complaints.push(`${subscriber.name} got nothing: nothing was checked`);
  }
  complaints.push(...tooEarly(got));
  if (count.acknowledged === 0) complaints.push("nothing was acknowledged: nothing was checked");
  if (kills.length === 0) complaints.push("nothing was killed: nothing was checked");
  return { lost, complaints, ...count, repeated };
}

function wrongAttempt({ producer, seq, what, status, fromMs, toMs }: AckRow, kills: readonly KillRow[]): string[] {
  if (what === "doubt" && status === 0 && !kills.some((kill) => fromMs <= kill.toMs && toMs >= kill.fromMs)) {
    return [`producer ${producer} got no answer to ${seq}, ${at(fromMs)} to ${at(toMs)}, while nothing was killed`];
  }
  return what === "refused" && status < 500 && status !== 429 ? [`producer ${producer} was refused ${seq} for good, with ${status}, ${at(toMs)}`] : [];
}

interface Around {
  readonly sent: ReadonlyMap<number, Sent>;
  readonly its: Map<number, Got>;
  readonly kills: readonly KillRow[];
  readonly repeated: { kill: number; timeout: number };
}

/** Takes one delivery down, and says what is wrong with it alone. */
function delivered(subscriber: Wanted, row: ReceiptRow, { sent, its, kills, repeated }: Around): string[] {
  const { producer, seq, fromMs, toMs, status } = row;
  const by = `${subscriber.name} got ${seq} of producer ${producer}`;
  const of = sent.get(producer);
  if (of?.acked.has(seq) !== true && of?.doubts.has(seq) !== true) return [`${by}, which nobody sent`];
  if (!subscriber.wants(seq)) return [`${by}, which its filter does not let pass`];
  const got: Got = its.get(producer) ?? { accepted: new Map(), refusals: new Map(), unexplained: new Map(), highest: new Map() };
  its.set(producer, got);
  const said = subscriber.ordered === true ? swapped(by, row, got) : [];
  if (status === 0) return said;
  if (status >= 300) {
    const refusal = got.refusals.get(seq);
    got.refusals.set(seq, { count: (refusal?.count ?? 0) + 1, fromMs: refusal?.fromMs ?? fromMs, toMs });
    return said;
  }
  const before = got.accepted.get(seq);
  if (before === undefined) got.accepted.set(seq, { toMs, late: subscriber.timeoutMs !== undefined && toMs - fromMs >= subscriber.timeoutMs });
  else if (before.late) repeated.timeout++;
  else if (kills.some((kill) => before.toMs >= kill.fromMs - UNWRITTEN_MS && before.toMs <= kill.toMs && toMs >= kill.fromMs)) repeated.kill++;
  else got.unexplained.set(seq, (got.unexplained.get(seq) ?? 0) + 1);
  if (before !== undefined) got.accepted.set(seq, { toMs, late: false });
  return said;
}

/** What comes again comes behind others: only the first time counts. */
function swapped(by: string, { seq, toMs }: ReceiptRow, { accepted, highest }: Got): string[] {
  const key = keyOf(seq);
  const last = highest.get(key) ?? -1;
  if (seq > last) highest.set(key, seq);
  return seq < last && !accepted.has(seq) ? [`${by} behind ${last} of the same key, ${at(toMs)}`] : [];
}

function missing(subscriber: Wanted, producer: number, { acked }: Sent, got: Got | undefined): string[] {
  const has = subscriber.attempts === undefined ? got?.accepted : got?.refusals;
  return [...acked]
    .filter((seq) => subscriber.wants(seq) && has?.has(seq) !== true)
    .map((seq) => `${subscriber.name} did not get ${seq} of producer ${producer}`);
}

interface Many {
  readonly producer: number;
  readonly of: Sent;
  readonly its: Got | undefined;
  readonly kills: readonly KillRow[];
  readonly repeated: { doubt: number };
}

/** An event that was sent once more after nobody answered may be there as often as it was sent. */
function tooMany(subscriber: Wanted, { producer, of, its, kills, repeated }: Many): string[] {
  const said: string[] = [];
  for (const [seq, more] of its?.unexplained ?? []) {
    const doubts = of.doubts.get(seq) ?? 0;
    repeated.doubt += Math.min(doubts, more);
    if (more > doubts) said.push(`${subscriber.name} got ${seq} of producer ${producer} ${more - doubts} times too often, and nothing explains it`);
  }
  const { attempts = Infinity } = subscriber;
  for (const [seq, { count, fromMs, toMs }] of its?.refusals ?? []) {
    const may = attempts * (1 + (of.doubts.get(seq) ?? 0));
    const killed = kills.some((kill) => fromMs <= kill.toMs && toMs >= kill.fromMs - UNWRITTEN_MS);
    if (count > may && !killed) said.push(`${subscriber.name} was asked ${count} times to take ${seq} of producer ${producer}, ${may} are allowed`);
  }
  return said;
}

/** A dead letter of an event that was not tried as often as it should have been. */
function tooEarly(got: ReadonlyMap<string, ReadonlyMap<number, Got>>): string[] {
  const failing = SUBSCRIBERS.find(({ attempts }) => attempts !== undefined);
  const { attempts = 0, name = "" } = failing ?? {};
  return [...(got.get("dead") ?? [])].flatMap(([producer, { accepted }]) => {
    const refusals = got.get(name)?.get(producer)?.refusals;
    return [...accepted.keys()]
      .filter((seq) => (refusals?.get(seq)?.count ?? 0) < attempts)
      .map((seq) => `${seq} of producer ${producer} became a dead letter after ${refusals?.get(seq)?.count ?? 0} attempts of ${attempts}`);
  });
}

function at(ms: number): string {
  return `at ${Math.round(ms)} ms`;
}
