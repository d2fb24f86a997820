// All PingSources: one timer for whichever run is next. A run is noted on the disk before its event is sent, and again when it is over.
import type { Clock, Logger, Marks } from "#core";
import type { Ping, PingsDelta } from "#protocol";
import { isAccepted } from "../delivery/retry.ts";
import type { Sender } from "../delivery/send.ts";
import { pingRequest } from "./ping-event.ts";
import { firstRun, nextRun, type RunMark } from "./ping-plan.ts";
import { readSchedule, type Schedule } from "./schedule.ts";
import { sendUntilTaken } from "./send-until-taken.ts";

export interface PingSourcesOptions {
  readonly marks: Marks<RunMark>;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Running {
  is: Ping;
  schedule: Schedule;
  /** Wall-clock time of the next run, or of the one under way; undefined: never. */
  nextMs: number | undefined;
  /** The run under way. */
  busy: Promise<void> | undefined;
  readonly stop: AbortController;
}

/** The wall clock may be stepped, and stands still for no timer: it is looked at so often. */
const LOOK_MS = 60_000;
/** A timer that is so late has slept with its machine: what was due meanwhile was missed. */
const SLEPT_MS = 2 * LOOK_MS;
/** After a failure of the disk. */
const AGAIN_MS = 1_000;

export class PingSources {
  readonly #options: PingSourcesOptions;
  readonly #running = new Map<string, Running>();
  readonly #ended = new AbortController();
  #timer = new AbortController();

  constructor(options: PingSourcesOptions) {
    this.#options = options;
  }

  apply({ reset, put, removed }: PingsDelta): void {
    const kept = new Set(put.map(({ id }) => id));
    const known = [...this.#options.marks.entries()].map(([id]) => id);
    const gone = reset ? [...this.#running.keys(), ...known].filter((id) => !kept.has(id)) : removed;
    for (const id of gone) this.#remove(id);
    for (const ping of put) this.#put(ping);
    this.#wake();
  }

  /** What is under way is given up; it counts as begun. */
  async end(): Promise<void> {
    this.#ended.abort();
    this.#timer.abort();
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all([...this.#running.values()].flatMap(({ busy }) => busy ?? []));
  }

  #remove(id: string): void {
    this.#running.get(id)?.stop.abort();
    this.#running.delete(id);
    this.#kept(id, this.#options.marks.delete(id));
  }

  #put(is: Ping): void {
    const { marks, clock, logger } = this.#options;
    const known = this.#running.get(is.id);
    if (known !== undefined && textOf(known.is) === textOf(is)) {
      known.is = is;
      return;
    }
    let schedule: Schedule;
    try {
      schedule = readSchedule(is.schedule, is.timezone);
    } catch (err) {
      logger.error("a schedule is not understood", { source: `${is.namespace}/${is.name}`, schedule: is.schedule, err });
      return this.#remove(is.id);
    }
    const nowMs = clock.wallMs();
    const mark = marks.get(is.id);
    const nextMs = firstRun(schedule, { mark, text: textOf(is), missed: is.missed }, nowMs);
    if (mark?.schedule !== textOf(is)) this.#note(is.id, { schedule: textOf(is), begun: nowMs, done: nowMs });
    if (known === undefined) this.#running.set(is.id, { is, schedule, nextMs, busy: undefined, stop: new AbortController() });
    // What is under way goes on; its end asks the new schedule.
    else Object.assign(known, { is, schedule }, known.busy === undefined ? { nextMs } : {});
  }

  /** Starts what is due and waits for what is next. */
  #wake(): void {
    this.#timer.abort();
    if (this.#ended.signal.aborted) return;
    const { clock } = this.#options;
    const nowMs = clock.wallMs();
    let next = Infinity;
    for (const running of this.#running.values()) {
      if (running.nextMs === undefined || running.busy !== undefined) continue;
      if (running.nextMs <= nowMs) this.#start(running, running.nextMs);
      else next = Math.min(next, running.nextMs);
    }
    if (next === Infinity) return;
    const waitMs = Math.min(LOOK_MS, next - nowMs);
    this.#timer = new AbortController();
    void clock.sleep(waitMs, this.#timer.signal).then(
      () => {
        if (clock.wallMs() > nowMs + waitMs + SLEPT_MS) this.#passOver(clock.wallMs());
        this.#wake();
      },
      () => undefined,
    );
  }

  /** As after a start. */
  #passOver(nowMs: number): void {
    for (const running of this.#running.values()) {
      const { is, schedule, busy } = running;
      if (busy === undefined) running.nextMs = firstRun(schedule, { mark: this.#options.marks.get(is.id), text: textOf(is), missed: is.missed }, nowMs);
    }
  }

  #note(id: string, mark: RunMark): void {
    this.#kept(id, this.#options.marks.set(id, mark));
  }

  /** The source can do without: at worst its next start finds less than there was. */
  #kept(id: string, written: Promise<void>): void {
    written.catch((err: unknown) => this.#options.logger.warn("how far a PingSource is cannot be kept", { source: id, err }));
  }

  #start(running: Running, runMs: number): void {
    const { clock, logger } = this.#options;
    running.busy = this.#run(running, runMs)
      .catch(async (err: unknown) => {
        logger.error("a run of a PingSource waits for the disk", { source: running.is.id, err });
        await clock.sleep(AGAIN_MS, running.stop.signal).catch(() => undefined);
        return runMs;
      })
      .then((nextMs) => {
        running.busy = undefined;
        running.nextMs = nextMs;
        this.#wake();
      });
  }

  /** Resolves with the time of the next run once this one is over. */
  async #run(running: Running, runMs: number): Promise<number | undefined> {
    const { marks, clock, logger } = this.#options;
    const { id } = running.is;
    const schedule = textOf(running.is);
    await marks.set(id, { schedule, begun: runMs, done: marks.get(id)?.done ?? runMs - 1 });
    const result = await sendUntilTaken(this.#options, () => pingRequest(running.is, runMs), running.stop.signal);
    if (result === undefined) return undefined;
    if (!isAccepted(result)) logger.warn("a sink has refused an event", { source: `${running.is.namespace}/${running.is.name}`, result });
    this.#note(id, { schedule: textOf(running.is), begun: runMs, done: runMs });
    return nextRun(running.schedule, runMs, clock.wallMs());
  }
}

function textOf({ schedule, timezone }: Ping): string {
  return `${timezone} ${schedule}`;
}
