// The choice of activators: stable, spread, and complete when few.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { activatorSubset } from "./activator-subset.ts";

const ADDRESSES = Array.from({ length: 20 }, (_, index) => `10.0.0.${index + 1}`);

test("0 and any count beyond the addresses mean all of them", () => {
  equal(activatorSubset(ADDRESSES, 0, "rev").length, 20);
  equal(activatorSubset(ADDRESSES, 99, "rev").length, 20);
  deepEqual(activatorSubset([], 2, "rev"), []);
});

test("the subset has the wanted size and does not depend on the order of the addresses", () => {
  const chosen = activatorSubset(ADDRESSES, 5, "default-rev");
  equal(new Set(chosen).size, 5);
  deepEqual(activatorSubset(ADDRESSES.toReversed(), 5, "default-rev"), chosen);
});

test("different revisions spread over all addresses", () => {
  const used = new Set(Array.from({ length: 60 }, (_, index) => activatorSubset(ADDRESSES, 2, `rev-${index}`)).flat());
  ok(used.size >= 15);
});

test("losing an unchosen activator changes nothing", () => {
  const chosen = activatorSubset(ADDRESSES, 4, "rev");
  const spare = ADDRESSES.find((address) => !chosen.includes(address));
  deepEqual(
    activatorSubset(
      ADDRESSES.filter((address) => address !== spare),
      4,
      "rev",
    ),
    chosen,
  );
});
