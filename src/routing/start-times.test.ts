import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#kinds";
import { StartTimes } from "./start-times.ts";

const pod = { metadata: { name: "p", namespace: "ns", labels: { "serving.knative.dev/revision": "rev" } } } as unknown as Pod;

test("a start is told with the first wake that led to it, until that is over", () => {
  const times = new StartTimes();
  times.woken("ns/rev", 100);
  times.woken("ns/rev", 1_100);
  times.woken("ns/other", 1_200);
  assert.deepEqual(times.started(pod, 1_300, 1_500), { wokenAgoMs: 1_400, createdAgoMs: 200, spawnedAgoMs: 0 });
  times.over("ns/rev");
  assert.deepEqual(times.started(pod, 1_300, 1_500), { wokenAgoMs: NaN, createdAgoMs: 200, spawnedAgoMs: 0 });
  times.woken("ns/rev", 1_400);
  assert.equal(times.started(pod, 1_300, 1_500).wokenAgoMs, 100);
});
