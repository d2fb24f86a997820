import assert from "node:assert/strict";
import { test } from "node:test";
import { ColdStarts } from "./cold-starts.ts";

test("cold starts are counted a part and in all, each below the bounds that it keeps", () => {
  const starts = new ColdStarts();
  assert.deepEqual(starts.samples(), {});
  starts.record([0.5, 2, 4, 8, 1, 10]);
  starts.record([0, 0, 40_000, 0, 0, 0]);
  const samples = starts.samples();
  const of = (suffix: string): number | undefined => samples[`eider_gateway_cold_start_seconds_${suffix}`];
  assert.equal(of('bucket{part="create",le="0.0025"}'), 0);
  assert.equal(of('bucket{part="create",le="0.005"}'), 1);
  assert.equal(of('bucket{part="create",le="30"}'), 1);
  assert.equal(of('bucket{part="create",le="+Inf"}'), 2);
  assert.equal(of('sum{part="create"}'), 40.004);
  assert.equal(of('bucket{part="total",le="0.05"}'), 1);
  assert.equal(of('count{part="total"}'), 2);
});
