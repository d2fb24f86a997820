// What the crash test sends, and who wants what of it: known to all its processes, so that their files need only say which event is meant.

export const PRODUCERS = 8;
export const KEYS = 16;
/** Events whose first delivery to the slow subscriber outlasts its time-out. */
const LATE_EVERY = 400;

export interface Wanted {
  readonly name: string;
  readonly wants: (seq: number) => boolean;
  /** Events of a producer with the same key come in the order in which they were acknowledged. */
  readonly ordered?: true;
  /** Of an attempt; absent: so long that nothing comes near it. */
  readonly timeoutMs?: number;
  /** Never accepts: so many attempts, then the dead letter sink has it. */
  readonly attempts?: number;
}

export const typeOf = (seq: number): string => `t${seq % 4}`;
/** Shared by all producers. */
export const keyOf = (seq: number): string => `k${seq % KEYS}`;
export const isLate = (seq: number): boolean => seq % LATE_EVERY === 1;

export const SLOW_MS = 20;
export const LATE_MS = 4_000;
/** Receives what the failing one refused. */
export const DEAD = "dead";

export const SUBSCRIBERS: readonly Wanted[] = [
  { name: "plain", wants: () => true },
  { name: "chosen", wants: (seq) => seq % 2 === 0 },
  { name: "ordered", wants: () => true, ordered: true },
  { name: "slow", wants: (seq) => seq % 4 === 1, timeoutMs: 2_000 },
  { name: "failing", wants: (seq) => seq % 4 === 3, attempts: 3 },
  { name: DEAD, wants: (seq) => seq % 4 === 3 },
];
