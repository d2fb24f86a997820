// The fuzzer's loop: inputs by number, our framing, Node's framing, counts by reason, and a small input for each sort of difference.
import { inputOf, type Input } from "./inputs.ts";
import { EXPECTATIONS } from "./expectations.ts";
import { NodeParser, type Difference } from "./node-parser.ts";
import { frameRequests, frameResponses, type Framed } from "./ours.ts";

export type Sort = "requests" | "responses";

export interface FuzzOptions {
  readonly sort: Sort;
  readonly seed: number;
  readonly count: number;
  /** Number of the first input. */
  readonly first?: number;
  /** How the stream looks to our side; for planted faults. Same length. */
  readonly see?: (text: string) => string;
  /** Called now and then with the number of inputs done. */
  readonly progress?: (done: number) => void;
}

export interface Finding {
  readonly kind: string;
  readonly seed: number;
  readonly index: number;
  readonly input: string;
  readonly smallest: string;
  readonly detail: string;
}

export interface FuzzResult {
  readonly inputs: number;
  /** Messages that both frame alike. */
  readonly messages: number;
  /** Inputs that we refuse, by reason. */
  readonly refused: ReadonlyMap<string, number>;
  /** Inputs of which Node refuses something that we accept, by the name of the expectation. */
  readonly expected: ReadonlyMap<string, number>;
  /** One of each kind. */
  readonly findings: readonly Finding[];
  /** How many inputs differed, all kinds together. */
  readonly differing: number;
}

const PROGRESS_EVERY = 100_000;
const SHRINK_TRIES_MAX = 3000;

function count(into: Map<string, number>, name: string): void {
  into.set(name, (into.get(name) ?? 0) + 1);
}

/** Compares one input; `see` as in the options. */
export function compareOne(
  input: Input,
  parser: NodeParser,
  how: { readonly sort: Sort; readonly see?: (text: string) => string },
): { ours: Framed; difference: Difference | undefined } {
  const seen = how.see === undefined ? input : { ...input, bytes: Buffer.from(how.see(input.bytes.toString("latin1")), "latin1") };
  const ours = how.sort === "requests" ? frameRequests(seen) : frameResponses(seen);
  return { ours, difference: parser.differs(input.bytes, ours, how.sort === "requests" ? "" : input.method) };
}

/** A shorter input that differs in the same way: pieces are taken out, large ones first, as long as that keeps the difference. */
export function shrink(input: Input, still: (smaller: Input) => boolean): Input {
  let best: Input = still({ ...input, cuts: [] }) ? { ...input, cuts: [] } : input;
  let tries = 0;
  for (let size = best.bytes.length >> 1; size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let at = 0; at + size <= best.bytes.length && tries < SHRINK_TRIES_MAX;) {
      tries++;
      const bytes = Buffer.concat([best.bytes.subarray(0, at), best.bytes.subarray(at + size)]);
      const smaller = { ...best, bytes, cuts: best.cuts.map((cut) => Math.min(cut, bytes.length)) };
      if (still(smaller)) best = smaller;
      else at += size;
    }
  }
  return best;
}

export function fuzz(options: FuzzOptions): FuzzResult {
  const { sort, seed, first = 0 } = options;
  const parser = new NodeParser(sort);
  const refused = new Map<string, number>();
  const expected = new Map<string, number>();
  const findings = new Map<string, Finding>();
  let messages = 0;
  let differing = 0;
  for (let index = first; index < first + options.count; index++) {
    const input = inputOf(seed, index, sort);
    const { ours, difference } = compareOne(input, parser, options);
    if (ours.refused !== undefined) count(refused, ours.refused);
    const expectation = difference === undefined ? undefined : EXPECTATIONS.find(({ fits }) => fits(difference));
    if (difference === undefined) messages += ours.messages.length;
    else if (expectation !== undefined) count(expected, expectation.name);
    else {
      differing++;
      if (!findings.has(difference.kind)) {
        const still = (smaller: Input): boolean => compareOne(smaller, parser, options).difference?.kind === difference.kind;
        const smallest = shrink(input, still);
        findings.set(difference.kind, {
          kind: difference.kind,
          seed,
          index,
          input: input.bytes.toString("latin1"),
          smallest: smallest.bytes.toString("latin1"),
          detail: compareOne(smallest, parser, options).difference?.detail ?? "",
        });
      }
    }
    if ((index - first + 1) % PROGRESS_EVERY === 0) options.progress?.(index - first + 1);
  }
  return { inputs: options.count, messages, refused, expected, findings: [...findings.values()], differing };
}
