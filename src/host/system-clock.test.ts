// The machine's clock: one for all threads.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { systemClock } from "./system-clock.ts";

test("moments of different threads compare: monotonic time counts from the same origin in all of them", async () => {
  const module = new URL("./system-clock.ts", import.meta.url).href;
  const code = `import(${JSON.stringify(module)}).then(({ systemClock }) => require("node:worker_threads").parentPort.postMessage(systemClock.monotonicMs()))`;
  const beforeMs = systemClock.monotonicMs();
  const [thereMs] = (await once(new Worker(code, { eval: true }), "message")) as [number];
  const afterMs = systemClock.monotonicMs();
  assert.ok(beforeMs <= thereMs && thereMs <= afterMs, `${beforeMs} ${thereMs} ${afterMs}`);
});
