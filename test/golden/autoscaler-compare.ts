// What a golden checker says about one case.
import { isDeepStrictEqual } from "node:util";

/** One compared case; `difference` tells expected and got. */
export interface Checked {
  readonly name: string;
  readonly ok: boolean;
  readonly difference?: string;
}

/** Also of values that JSON has no form for. */
const told = (value: unknown): string => JSON.stringify(value, (_key, each: unknown) => (typeof each === "bigint" ? String(each) : each));

/** The result of one comparison. */
export function compared(name: string, want: unknown, got: unknown): Checked {
  return isDeepStrictEqual(got, want) ? { name, ok: true } : { name, ok: false, difference: `want ${told(want)}\n got ${told(got)}` };
}
