// Recordings of the revisions that move: packed, bounded, and none of what has long been at rest.
import { type Recording, type RecordedDecision, type RecordedEvent, type Take, RECORDING_FORMAT, decisionOf } from "./recording.ts";
import type { Evaluation, RevisionScaler, ScalerInput, ScalerState } from "./revision-scaler.ts";
import type { RevisionSettings } from "./settings.ts";
import { Tape } from "./tape.ts";

/** A take that has grown so long is followed by another one, so that old ones can go. */
export const TAKE_BYTES = 16 * 1024;
/** Of one revision. The latest take is kept whole, and with very long windows the one before it. */
export const RECORDING_BYTES_MAX = 64 * 1024;
/** Of all revisions together: beyond it those at rest go, and then nothing new is recorded. */
const ALL_BYTES_MAX = 8 * 1024 * 1024;
export const RECORDINGS_MAX = 64;

const OUTCOMES = ["decided", "no data", "ready pods unknown", "gateways silent"] as const satisfies readonly RecordedDecision["outcome"][];
const INPUTS = ["told", "load", "wake", "gone", "tick"] as const satisfies readonly ScalerInput["type"][];
/** Numbers of a row that belong to the input; a decision's follow. */
const WIDTH = { told: 2, load: 6, wake: 1, gone: 1, tick: 1 } as const;
type Row = readonly (number | undefined)[];

interface PackedTake {
  readonly sinceMs: number;
  /** As JSON: parsed when somebody asks. */
  readonly from: string;
  readonly settings: RevisionSettings[];
  readonly tape: Tape;
  untilMs: number;
}

/** The recording of one revision. */
class Recorder {
  readonly #takes: PackedTake[] = [];
  /** Where the next event goes. */
  #open: PackedTake | undefined;

  get open(): boolean {
    return this.#open !== undefined;
  }

  get bytes(): number {
    return this.#takes.reduce((sum, take) => sum + take.from.length + take.tape.size, 0);
  }

  /** Whether the next event needs a new take, with the scaler's state before it. */
  get full(): boolean {
    return this.#open === undefined || this.#open.tape.length >= Math.max(TAKE_BYTES, this.#open.from.length);
  }

  begin(state: ScalerState, nowMs: number): void {
    this.#open?.tape.trim();
    this.#open = { sinceMs: nowMs, from: JSON.stringify(state), settings: [], tape: new Tape(), untilMs: nowMs };
    while (this.#takes.length > 1 && this.bytes + this.#open.from.length + TAKE_BYTES > RECORDING_BYTES_MAX) this.#takes.shift();
    this.#takes.push(this.#open);
  }

  write(input: ScalerInput, evaluation: Evaluation | undefined, nowMs: number): void {
    const take = this.#open;
    if (take === undefined) return;
    take.tape.row([INPUTS.indexOf(input.type), nowMs - take.untilMs, ...inputRow(input, take, nowMs), ...decisionRow(evaluation)]);
    take.untilMs = nowMs;
  }

  /** The revision is at rest. */
  close(): void {
    this.#open?.tape.trim();
    this.#open = undefined;
  }

  get takes(): readonly Take[] {
    return this.#takes.map(unpacked);
  }
}

function inputRow(input: ScalerInput, take: PackedTake, nowMs: number): Row {
  switch (input.type) {
    case "told": {
      const at = take.settings.indexOf(input.settings);
      return [at >= 0 ? at : take.settings.push(input.settings) - 1, input.ready];
    }
    case "load":
      return [input.thread, nowMs - input.endMs, input.seconds, input.concurrency, input.requests, input.waiting];
    case "tick":
      return [Number(input.gateways)];
    default:
      return [input.thread];
  }
}

function decisionRow(evaluation: Evaluation | undefined): Row {
  if (evaluation === undefined) return [];
  const { outcome, desired, excessBurstCapacity, panicking, stable, panic, heldAt } = decisionOf(evaluation);
  return [OUTCOMES.indexOf(outcome), desired, excessBurstCapacity, Number(panicking), stable, panic, heldAt];
}

function inputOf(type: ScalerInput["type"], row: Row, its: { readonly atMs: number; readonly settings: readonly RevisionSettings[] }): ScalerInput {
  const number = (index: number): number => row[index] ?? 0;
  switch (type) {
    case "told":
      return { type, settings: its.settings[number(0)] as RevisionSettings, ready: row[1] };
    case "load":
      return { type, thread: number(0), endMs: its.atMs - number(1), seconds: number(2), concurrency: number(3), requests: number(4), waiting: number(5) };
    case "tick":
      return { type, gateways: row[0] === 1 };
    default:
      return { type, thread: number(0) };
  }
}

function recordedDecision([outcome = 0, desired = 0, excessBurstCapacity = 0, panicking, stable, panic, heldAt]: Row): RecordedDecision {
  return {
    outcome: OUTCOMES[outcome] ?? "decided",
    desired,
    excessBurstCapacity,
    panicking: panicking === 1,
    ...(stable === undefined || panic === undefined ? {} : { stable, panic }),
    ...(heldAt === undefined ? {} : { heldAt }),
  };
}

function unpacked({ sinceMs, from, settings, tape }: PackedTake): Take {
  const events: RecordedEvent[] = [];
  let atMs = sinceMs;
  for (const [code = 0, passedMs = 0, ...row] of tape.rows()) {
    atMs += passedMs;
    const type = INPUTS[code] ?? "tick";
    const decided = row.slice(WIDTH[type]);
    const input = inputOf(type, row, { atMs, settings });
    events.push({ atMs, input, ...(decided.length === 0 ? {} : { decision: recordedDecision(decided) }) });
  }
  return { sinceMs, from: JSON.parse(from) as ScalerState, events };
}

/** The recordings of all revisions, the latest ones last. */
export class Recordings {
  readonly #byKey = new Map<string, Recorder>();

  /** Call before an input is applied; false when there is no room to record it. */
  before(key: string, scaler: RevisionScaler, nowMs: number): boolean {
    const recorder = this.#byKey.get(key) ?? this.#admit();
    if (recorder === undefined) return false;
    if (!recorder.full) return true;
    recorder.begin(scaler.state, nowMs);
    this.#byKey.delete(key);
    this.#byKey.set(key, recorder);
    return true;
  }

  /** Call after it was applied. */
  after(key: string, its: { readonly scaler: RevisionScaler; readonly input: ScalerInput; readonly evaluation: Evaluation | undefined }, nowMs: number): void {
    const recorder = this.#byKey.get(key);
    recorder?.write(its.input, its.evaluation, nowMs);
    if (its.scaler.resting) recorder?.close();
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }

  get(key: string): Recording | undefined {
    const recorder = this.#byKey.get(key);
    return recorder === undefined ? undefined : { format: RECORDING_FORMAT, revision: key, takes: recorder.takes };
  }

  get count(): number {
    return this.#byKey.size;
  }

  get bytes(): number {
    return [...this.#byKey.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Room for one more, that of revisions longest at rest if need be. */
  #admit(): Recorder | undefined {
    for (const [key, { open }] of this.#byKey) {
      if (!this.#crowded) break;
      if (!open) this.#byKey.delete(key);
    }
    return this.#crowded ? undefined : new Recorder();
  }

  get #crowded(): boolean {
    return this.#byKey.size >= RECORDINGS_MAX || this.bytes > ALL_BYTES_MAX;
  }
}
