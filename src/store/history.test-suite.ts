// Random histories of a store, read in pages while they go on, and the check that every page is of one state.
import fc from "fast-check";
import type { Store } from "./port.ts";

const KEYS = ["/h/a", "/h/b", "/h/c", "/h/d", "/h/e", "/h/f", "/other"] as const;

interface Step {
  readonly do: "put" | "delete";
  readonly key: string;
  readonly durability: "durable" | "rebuildable";
}

/** Writes before the reader starts, after its revision was fixed, and between its pages of `limit`. */
export interface History {
  readonly before: readonly Step[];
  readonly between: readonly Step[];
  readonly during: readonly (readonly Step[])[];
  readonly limit: number;
}

const step = fc.record({ do: fc.constantFrom("put", "put", "delete"), key: fc.constantFrom(...KEYS), durability: fc.constantFrom("durable", "rebuildable") });
const steps = fc.array(step, { maxLength: 8 });
const histories: fc.Arbitrary<History> = fc.record({
  before: fc.array(step, { maxLength: 20 }),
  between: steps,
  during: fc.array(steps, { maxLength: 4 }),
  limit: fc.integer({ min: 1, max: 5 }),
}) as fc.Arbitrary<History>;

/** Runs the check on many histories, the same ones each time. */
export function property(check: (history: History) => Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(histories, check), { numRuns: 60, seed: 4 });
}

async function run(store: Store, all: readonly Step[], model: Map<string, number>): Promise<void> {
  for (const { do: what, key, durability } of all) {
    const change = { key, encode: (revision: number) => String(revision), expect: "any", durability } as const;
    const written = what === "put" ? await store.put(change) : await store.delete(change);
    if (what === "delete") model.delete(key);
    else if (written.ok) model.set(key, written.revision);
  }
}

/** What is wrong with the pages: the objects at the revision of the first one, each once and in order, and a true count of the rest. */
export async function readWhile(store: Store, { before, between, during, limit }: History): Promise<string[]> {
  const wrong: string[] = [];
  const model = new Map<string, number>();
  await run(store, before, model);
  const at = store.revision;
  const wanted = [...model].filter(([key]) => key.startsWith("/h/")).sort(([a], [b]) => (a < b ? -1 : 1));
  await run(store, between, model);
  const snapshot = store.snapshot({ prefix: "/h/", at });
  const seen: [string, number][] = [];
  for (let more = true, page = 0; more; page++) {
    const { entries, more: follows } = await snapshot.next(limit);
    if (entries.some(({ revision, value }) => value !== String(revision))) wrong.push("a value of another revision");
    if (entries.length > limit) wrong.push(`${entries.length} entries in a page of ${limit}`);
    seen.push(...entries.map(({ key, revision }): [string, number] => [key, revision]));
    more = follows;
    await run(store, during[page] ?? [], model);
    const remaining = await snapshot.remaining();
    if (remaining !== wanted.length - seen.length) wrong.push(`${remaining} remain after ${seen.length} of ${wanted.length}`);
    if (more !== remaining > 0) wrong.push(`more is ${more}, but ${remaining} remain`);
  }
  snapshot.close();
  await store.close();
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) wrong.push(`at ${at} ${JSON.stringify(wanted)}, read ${JSON.stringify(seen)}`);
  return wrong;
}
