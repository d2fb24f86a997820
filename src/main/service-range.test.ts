// Ranges of Services' addresses: kept by a data folder, and no two platforms' the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { chooseServiceRange, pieceAt, rangeOf } from "./service-range.ts";

test("pieces lie beside Kubernetes' usual range, and an address tells its piece", () => {
  assert.deepEqual([pieceAt(0), pieceAt(7), pieceAt(59)], ["10.97.0.0/18", "10.98.192.0/18", "10.111.192.0/18"]);
  for (let number = 0; number < 60; number++) assert.equal(rangeOf(pieceAt(number).replace(/0\/18$/, "1")), pieceAt(number));
  assert.equal(rangeOf("10.96.0.1"), "10.96.0.0/16");
});

test(
  "a new platform takes a range that no other has, an old one its own; the claim ends with the platform",
  { skip: process.platform !== "linux" },
  async (t) => {
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
    t.after(() => [first, second, third].forEach((each) => each.abort()));
    const options = { apiAddress: undefined, mark: "00003a", reachable: true, clock: new SimClock() };
    const one = await chooseServiceRange(options, first.signal);
    const two = await chooseServiceRange(options, second.signal);
    assert.notEqual(one.cidr, two.cidr);
    assert.equal((await chooseServiceRange({ ...options, apiAddress: one.at(1) }, third.signal)).cidr, one.cidr);
    assert.equal((await chooseServiceRange({ ...options, reachable: false }, third.signal)).cidr, "10.96.0.0/16");
  },
);
