// One epoch of each thread counts, and a report is put at its own time whatever the clock of its sender.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Gateways } from "./gateways.ts";

const report = (atMs: number, epoch = 1, thread = 0) => ({ thread, epoch, atMs });

test("without threads there is nobody who could be silent", () => {
  const gateways = new Gateways();
  equal(gateways.some, false);
  gateways.up({ thread: 0, epoch: 0 });
  equal(gateways.some, true);
  gateways.down(0);
  equal(gateways.some, false);
});

test("a thread that ended is not heard any more, not even late", () => {
  const gateways = new Gateways();
  gateways.up({ thread: 0, epoch: 3 });
  gateways.down(0);
  equal(gateways.reported(report(0, 3), 0), undefined);
  equal(gateways.up({ thread: 0, epoch: 3 }), false);
  equal(gateways.some, false);
  gateways.up({ thread: 0, epoch: 4 });
  equal(gateways.some, true);
});

test("a successor that reports before its predecessor's end is known replaces it", () => {
  const gateways = new Gateways();
  gateways.up({ thread: 0, epoch: 1 });
  equal(gateways.up({ thread: 0, epoch: 1 }), false);
  equal(gateways.reported(report(0, 2), 0)?.replaced, true);
  equal(gateways.reported(report(0, 1), 0), undefined);
  equal(gateways.reported(report(1_000, 2), 1_000)?.replaced, false);
});

test("reports keep their own times when control takes them late, several at once", () => {
  const gateways = new Gateways();
  const ends = [
    [1_000, 51_000],
    [2_000, 52_000],
    // Control was busy for three seconds.
    [3_000, 56_000],
    [4_000, 56_000],
    [5_000, 56_000],
    [6_000, 56_000],
  ].map(([atMs = 0, nowMs = 0]) => gateways.reported(report(atMs), nowMs)?.endMs);
  deepEqual(ends, [51_000, 52_000, 53_000, 54_000, 55_000, 56_000]);
});

test("a first report that came late is corrected by the next fast one", () => {
  const gateways = new Gateways();
  equal(gateways.reported(report(1_000), 4_000)?.endMs, 4_000);
  equal(gateways.reported(report(2_000), 4_000)?.endMs, 4_000);
  equal(gateways.reported(report(4_000), 4_000)?.endMs, 4_000);
  equal(gateways.reported(report(4_500), 5_000)?.endMs, 4_500);
});

test("a gateway's clock that was set back does not put its reports into the past for ever", () => {
  const gateways = new Gateways();
  equal(gateways.reported(report(8 * 3_600_000), 1_000)?.endMs, 1_000);
  equal(gateways.reported(report(1_000), 2_000)?.endMs, 2_000);
  equal(gateways.reported(report(2_000), 3_000)?.endMs, 3_000);
});
