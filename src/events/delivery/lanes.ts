// Order: which events wait for others of the same subscriber. A lane is served one event at a time, the oldest first.

/** No lane: the event waits for nobody. */
export type Lane = string | undefined;

/** State, no IO. As many entries as the cursor has open records, which has a limit. */
export class Lanes {
  /** Offsets of a lane that are not done, ascending; the first one is its turn. */
  readonly #waiting = new Map<string, number[]>();
  readonly #laneOf = new Map<number, string>();

  /** Events enter in the order of the log; after a restart those that are open enter again, in that order, before all others. */
  enter(lane: Lane, offset: number): void {
    if (lane === undefined) return;
    this.#laneOf.set(offset, lane);
    const waiting = this.#waiting.get(lane);
    if (waiting === undefined) this.#waiting.set(lane, [offset]);
    else waiting.push(offset);
  }

  /** Whether it is the event's turn. */
  mayGo(offset: number): boolean {
    const lane = this.#laneOf.get(offset);
    return lane === undefined || this.#waiting.get(lane)?.[0] === offset;
  }

  /** The event is done, or parked: whose turn it is now. */
  leave(offset: number): number | undefined {
    const lane = this.#laneOf.get(offset);
    if (lane === undefined) return undefined;
    this.#laneOf.delete(offset);
    const waiting = this.#waiting.get(lane) ?? [];
    const at = waiting.indexOf(offset);
    waiting.splice(at, 1);
    if (waiting.length === 0) this.#waiting.delete(lane);
    return at === 0 ? waiting[0] : undefined;
  }
}
