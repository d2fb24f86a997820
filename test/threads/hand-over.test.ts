// Hand-overs by the hundred: never more than the limit on a pod by all platforms together, and nobody waits beside a free place.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fault } from "./stepped.ts";
import { TwoPlatforms, type HandOverPlan } from "./two-platforms.ts";
import { codeWith, type Code } from "./world.ts";

/** More by hand: HAND_OVER_SEEDS. */
const SEEDS = Number(process.env["HAND_OVER_SEEDS"] ?? 40);
/** A planted fault shows within so many. */
const FAULT_SEEDS = 300;

function planOf(seed: number): HandOverPlan {
  return { threads: 1 + (seed % 2), limit: 1 + (seed % 3), clients: [1, 2, 3, 5][seed % 4] ?? 1, steps: 2_000 };
}

function failing(code: Code, seeds: number): string | undefined {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      new TwoPlatforms(code, planOf(seed), seed).run();
    } catch (error) {
      return `seed ${seed}: ${(error as Error).stack}`;
    }
  }
  return undefined;
}

test("platforms that hand over, drain, die and come back, with pods that come and go", async () => {
  assert.equal(failing(await codeWith(), SEEDS), undefined);
});

const LENDER = "lender";
const BORROWER = "borrower";
const faults: readonly (Fault & { readonly name: string; readonly shows: RegExp })[] = [
  {
    name: "the next platform begins before it has heard of the old one's places",
    file: LENDER,
    find: "      this.#reserved.set(slot, containerConcurrency);\n      this.#options.inFlight.hold(slot, containerConcurrency);\n",
    put: "",
    shows: /allowed/,
  },
  { name: "what a guest has is not counted", file: LENDER, find: "const pod = backend.adopt(id);", put: "const pod = undefined;", shows: /allowed/ },
  {
    name: "places of pods that come back are not remembered",
    file: LENDER,
    find: "if (backend === undefined) guest.keepUnknown(id, count);\n      else",
    put: "if (backend !== undefined)",
    shows: /allowed/,
  },
  {
    name: "guests are served before what they have is counted",
    file: LENDER,
    find: "    for (const { slot, count } of returning) this.#options.inFlight.hold(slot, count);\n",
    put: "",
    shows: /allowed|lost/,
  },
  {
    name: "pods that go are forgotten before guests have told of them",
    file: LENDER,
    find: "former.filter(({ id }) => !ids.has(id))",
    put: "former.filter(({ id }) => ids.size < 0)",
    shows: /allowed/,
  },
  { name: "a platform that hands over frees what it lends", file: LENDER, find: "    this.#guests.clear();\n", put: "", shows: /allowed/ },
  {
    name: "what nobody has told of is free once the platform hands over",
    file: LENDER,
    find: "inFlight.hold(slot, places - inFlight.total(slot));",
    put: "inFlight.hold(slot, -places);",
    shows: /allowed/,
  },
  {
    name: "what a dead guest had is kept",
    file: LENDER,
    find: "for (const place of guest.all()) this.#free(place);",
    put: "",
    shows: /lost|beside a free place/,
  },
  {
    name: "asks of a dead guest are served",
    file: LENDER,
    find: "    for (const [backend, asks] of guest.asked) for (const ask of asks) backend.leave(ask);\n    for (const place",
    put: "    for (const place",
    shows: /lost|beside a free place/,
  },
  {
    name: "a place beyond the limit is handed on",
    file: LENDER,
    find: "this.#options.inFlight.total(pod.slot) > pod.limit",
    put: "pod.limit < 0",
    shows: /allowed|free place/,
  },
  {
    name: "an offer leaves free places",
    file: BORROWER,
    find: "while (inFlight.tryAcquire(slot, limit)) continue;\n      const own",
    put: "const own",
    shows: /allowed|lost|free place/,
  },
  {
    name: "a place that was lent counts twice",
    file: BORROWER,
    find: "this.#options.inFlight.hold(slot, -1);",
    put: "this.#options.inFlight.hold(slot, -2);",
    shows: /allowed/,
  },
  { name: "places of new pods are taken", file: BORROWER, find: "    inFlight.hold(slot, next.limit - inFlight.total(slot));\n", put: "", shows: /allowed/ },
  { name: "pods that left before are not told of", file: BORROWER, find: "this.#slots.set(slot, whose);", put: "", shows: /allowed/ },
  {
    name: "nothing is given back",
    file: BORROWER,
    find: "if (pods.length > 0) this.#options.say({ back: pods });\n  }\n\n  #hasRoom",
    put: "\n  }\n\n  #hasRoom",
    shows: /lost|free place/,
  },
  { name: "places that others are left with stay", file: BORROWER, find: "      if (loan.pauses) this.#giveBack(loan);\n", put: "", shows: /rest|free place/ },
  {
    name: "a place that came for nobody is kept",
    file: BORROWER,
    find: "if (loan === undefined || slot === undefined) return this.#options.say({ back: [pod] });",
    put: "if (loan === undefined || slot === undefined) return;",
    shows: /lost|free place/,
  },
  { name: "nobody watches who waits", file: BORROWER, find: "this.#options.doorbell.watch(true);", put: "", shows: /free place/ },
  {
    name: "threads do not tell who waits",
    file: "backend",
    find: "    if (this.#row >= 0) this.#options.doorbell.tell(this.#row, this.#queue.size);\n",
    put: "",
    shows: /free place/,
  },
];

for (const { name, shows, ...fault } of faults) {
  test(`a planted fault is found: ${name}`, async () => {
    const found = failing(await codeWith(fault), FAULT_SEEDS);
    assert.ok(found !== undefined, "no seed shows it");
    assert.match(found, shows);
  });
}
