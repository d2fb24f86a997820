// Messages before the control plane: in order, one wake a backend, never more than the limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EarlyMessages } from "./early-messages.ts";

const load = (periodMs: number) => ({ type: "load", thread: 0, epoch: 0, atMs: 0, periodMs, backends: [] }) as const;
const wake = (backend: string, thread = 0) => ({ type: "wake", thread, backend }) as const;

test("they come in their order, once, and a backend is woken once", () => {
  const early = new EarlyMessages();
  early.keep({ type: "listening", thread: 0, epoch: 0 });
  early.keep(wake("ns/a"));
  early.keep(load(1000));
  early.keep(wake("ns/a", 1));
  early.keep(wake("ns/b", 1));
  assert.deepEqual(early.take(), [{ type: "listening", thread: 0, epoch: 0 }, wake("ns/a"), load(1000), wake("ns/b", 1)]);
  assert.deepEqual(early.take(), []);
  early.keep(wake("ns/a"));
  assert.equal(early.take().length, 1);
});

test("at the limit reports of load go, and nothing else is kept when there are none", () => {
  const early = new EarlyMessages();
  early.keep(load(1));
  early.keep(load(2));
  for (let index = 0; index < 9_998; index++) early.keep(wake(`ns/${index}`));
  early.keep({ type: "podReady", thread: 0, backend: "ns/a", pod: "uid" });
  assert.equal(early.dropped, 1);
  early.keep(load(3));
  early.keep(wake("ns/late"));
  early.keep(wake("ns/later"));
  assert.equal(early.dropped, 4);
  const kept = early.take();
  assert.equal(kept.length, 10_000);
  assert.equal(kept.filter(({ type }) => type === "load").length, 0);
  assert.ok(!kept.some((message) => message.type === "wake" && message.backend === "ns/later"));
});
