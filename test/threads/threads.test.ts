// Thousands of interleavings of gateway threads on the shared tables: limits, lost and doubled places, wake-ups, fairness, deaths.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fault } from "./stepped.ts";
import { codeWith, World, type Code, type Plan } from "./world.ts";

const POLICIES = ["least-requests", "round-robin", "first-available", "random-two"] as const;

function planOf(seed: number): Plan {
  return {
    threads: 2 + (seed % 2),
    limit: 1 + (seed % 3),
    loadBalancing: POLICIES[seed % 4] ?? "least-requests",
    clients: [1, 2, 3, 5, 20][seed % 5] ?? 1,
    steps: 400,
  };
}

/** The first seed with which something does not hold, and what. */
function failing(code: Code, seeds: number): string | undefined {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      new World(code, planOf(seed), seed).run();
    } catch (error) {
      return `seed ${seed}: ${(error as Error).stack}`;
    }
  }
  return undefined;
}

test("interleavings of threads that come, wait, leave, die and start anew, with pods that come and go", async () => {
  assert.equal(failing(await codeWith(), 1_000), undefined);
});

const FREE = "    this.#options.inFlight.release(pod.slot);\n";
const CALL = "    if (called >= 0) this.#call(called);\n    else if (this.#row >= 0) this.#callEldest();\n";
const PUBLISH = "    if (this.#row >= 0 && this.#queue.size === 1) this.#publish();\n";
const SERVE = "    if (this.#row >= 0 || this.#removed) this.serve();\n    else this.#proveStarting();\n";
const CALLED = "    if (eldest >= 0) return this.#call(eldest);\n";

const faults: readonly (Fault & { readonly name: string; readonly shows: RegExp })[] = [
  { name: "no thread is told of a free place", file: "backend", find: CALL, put: "", shows: /wait beside a free place/ },
  { name: "a thread is told before the place is free", file: "backend", find: FREE + CALL, put: CALL + FREE, shows: /wait beside a free place/ },
  {
    name: "two threads are woken for one place",
    file: "backend",
    find: CALLED,
    put: `${CALLED.replace("return ", "")}    doorbell.passOver(eldest);\n`,
    shows: /wakes more than one thread/,
  },
  { name: "a waiter looks before it says that it waits", file: "backend", find: PUBLISH + SERVE, put: SERVE + PUBLISH, shows: /wait beside a free place/ },
  {
    name: "a thread that did not come is never told again",
    file: "backend",
    find: "if (deaf >= 0) doorbell.ring",
    put: "if (deaf < -1) doorbell.ring",
    shows: /wait beside a free place/,
  },
  {
    name: "own waiters always come first",
    file: "backend",
    find: "return this.#options.doorbell.eldest(this.#row, (since - PATIENCE_MS) | 0);",
    put: "return -1;",
    shows: /overtakes one that waits/,
  },
  {
    name: "a place on a pod that is going away is handed on",
    file: "backend",
    find: "if (pod.removedIn > 0 || pod.suspect) return",
    put: "if (pod.suspect) return",
    shows: /goes to a pod that is going away/,
  },
  {
    name: "an operation leaves no trace",
    file: "in-flight",
    find: "    Atomics.store(cells, this.#word, this.#operations);\n",
    put: "",
    shows: /not the sum of its columns/,
  },
  {
    name: "the total is given back first",
    file: "in-flight",
    find: "    Atomics.sub(cells, this.#layout.columnAt(slot, this.#thread), 1);\n    Atomics.sub(cells, this.#layout.totalAt(slot), 1);\n",
    put: "    Atomics.sub(cells, this.#layout.totalAt(slot), 1);\n    Atomics.sub(cells, this.#layout.columnAt(slot, this.#thread), 1);\n",
    shows: /less than its columns/,
  },
  {
    name: "look and take are two steps",
    file: "in-flight",
    find: "const before = Atomics.compareExchange(cells, total, seen, seen + 1);",
    put: "const before = Atomics.add(cells, total, 1) * 0 + seen;",
    shows: /allowed|lost/,
  },
  { name: "the waiters of a dead thread are not forgotten", file: "recovery", find: "    this.#doorbell.silence(thread);\n", put: "", shows: /rest|wait/ },
  { name: "nobody is told of the places of a dead thread", file: "recovery", find: "this.#doorbell.ringAll();", put: "", shows: /wait beside a free place/ },
  {
    name: "a row is repaired while somebody moves in it",
    file: "recovery",
    find: "      if (!this.#unchanged(before)) continue;\n",
    put: "",
    shows: /columns|lost|counted/,
  },
  {
    name: "a place on a pod that only this thread suspects is kept from the others",
    file: "backend",
    find: "    if (pod.removedIn === 0 && pod.limit > 0 && this.#row >= 0) this.#callEldest();\n",
    put: "",
    shows: /wait beside a free place/,
  },
];

for (const { name, shows, ...fault } of faults) {
  test(`a planted fault is found: ${name}`, async () => {
    const found = failing(await codeWith(fault), 2_000);
    assert.ok(found !== undefined, "no seed shows it");
    assert.match(found, shows);
  });
}
