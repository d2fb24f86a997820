// What a golden checker says about one case.
import { isDeepStrictEqual } from "node:util";

/** One compared case; `difference` tells expected and got. */
export interface Checked {
  readonly name: string;
  readonly ok: boolean;
  readonly difference?: string;
}

/** The result of one comparison. */
export function compared(name: string, want: unknown, got: unknown): Checked {
  return isDeepStrictEqual(got, want) ? { name, ok: true } : { name, ok: false, difference: `want ${JSON.stringify(want)}\n got ${JSON.stringify(got)}` };
}
