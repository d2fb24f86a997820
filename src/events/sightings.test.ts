// What is told of the events that come by.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { SightedEvent } from "#protocol";
import { Sightings } from "./sightings.ts";

const PLACE = { at: "Broker", namespace: "ns", name: "b" } as const;
const event = (type: string, more: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> =>
  new Map(Object.entries({ specversion: "1.0", id: "1", source: "/s", type, ...more }));

function world(): { readonly told: SightedEvent[]; readonly clock: SimClock; readonly sightings: Sightings } {
  const told: SightedEvent[] = [];
  const clock = new SimClock();
  const sightings = new Sightings({ tell: (seen) => void told.push(...seen), clock });
  sightings.want(true);
  return { told, clock, sightings };
}

test("a type is told once for each place and source, and again when it was long ago", async () => {
  const { told, clock, sightings } = world();
  for (let times = 0; times < 3; times++) sightings.saw(PLACE, event("a", { dataschema: "http://schema/" }));
  assert.deepEqual(told, [{ ...PLACE, type: "a", source: "/s", specVersion: "1.0", schema: "http://schema/" }]);
  sightings.saw({ ...PLACE, name: "c" }, event("a"));
  sightings.saw(PLACE, event("a", { source: "/other" }));
  assert.equal(told.length, 3);
  await clock.advance(300_000);
  sightings.saw(PLACE, event("a"));
  assert.equal(told.length, 4);
});

test("nothing is told while nobody wants to know, and all of it once somebody does again", () => {
  const { told, sightings } = world();
  sightings.saw(PLACE, event("a"));
  sightings.want(false);
  sightings.saw(PLACE, event("b"));
  assert.equal(told.length, 1);
  sightings.want(true);
  sightings.saw(PLACE, event("a"));
  assert.equal(told.length, 2);
});

test("a flood of sources is told of slowly, and what was not told comes later", async () => {
  const { told, clock, sightings } = world();
  for (let at = 0; at < 1_000; at++) sightings.saw(PLACE, event("a", { source: `/${at}` }));
  assert.equal(told.length, 100);
  await clock.advance(1_000);
  sightings.saw(PLACE, event("a", { source: "/999" }));
  assert.equal(told.at(-1)?.source, "/999");
});

test("values that are too long are in no catalogue", () => {
  const { told, sightings } = world();
  sightings.saw(PLACE, event("a".repeat(1_025)));
  assert.deepEqual(told, []);
});
