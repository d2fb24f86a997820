// The ways to choose a pod: whatever the way, a free place is found when there is one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRng } from "#core";
import type { LoadBalancing } from "#protocol";
import { Choice } from "./choice.ts";
import { InFlightTable, inFlightBytes } from "../shared/in-flight.ts";
import { Pod } from "./pod.ts";

const PODS = 5;

function world(limit: number) {
  const table = new InFlightTable(new SharedArrayBuffer(inFlightBytes(1, PODS)), { thread: 0, threads: 1 });
  const pods = Array.from({ length: PODS }, (_, slot) => new Pod({ id: `${slot}`, slot, host: "127.0.0.1", port: slot, limit, ready: true }));
  return { table, pods, choice: new Choice(table, new SeededRng(1)) };
}

const rows: readonly { readonly how: LoadBalancing; readonly want: readonly number[] }[] = [
  { how: "round-robin", want: [0, 1, 2, 3, 4, 0, 1, 2] },
  { how: "first-available", want: [0, 0, 0, 0, 0, 0, 0, 0] },
];
for (const { how, want } of rows) {
  test(`${how} without a limit`, () => {
    const { pods, choice } = world(0);
    assert.deepEqual(
      want.map(() => choice.pick(how, pods, undefined)?.slot),
      want,
    );
  });
}

for (const how of ["least-requests", "random-two"] as const) {
  test(`${how} keeps pods without a limit level`, () => {
    const { pods, choice } = world(0);
    for (let request = 0; request < 500; request++) {
      const pod = choice.pick(how, pods, undefined);
      assert.ok(pod !== undefined);
      pod.inUse++;
    }
    const counts = pods.map(({ inUse }) => inUse);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= (how === "least-requests" ? 1 : 10), `${counts}`);
  });
}

for (const how of ["least-requests", "round-robin", "first-available", "random-two"] as const) {
  test(`${how} finds the free place when there is one, and never the pod to be left out`, () => {
    const { table, pods, choice } = world(1);
    const rng = new SeededRng(2);
    for (let round = 0; round < 300; round++) {
      const free = below(rng, PODS);
      for (const { slot } of pods) if (slot !== free) table.tryAcquire(slot, 1);
      assert.equal(choice.pick(how, pods, undefined)?.slot, free);
      assert.equal(choice.pick(how, pods, pods[free]), undefined);
      assert.equal(choice.hasRoom(pods), true);
      table.tryAcquire(free, 1);
      assert.equal(choice.pick(how, pods, undefined), undefined);
      assert.equal(choice.hasRoom(pods), false);
      for (const { slot } of pods) table.release(slot);
    }
  });
}
