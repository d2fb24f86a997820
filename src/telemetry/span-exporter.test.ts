import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, SimClock, type Logger } from "#core";
import type { Span } from "./otlp.ts";
import { SpanExporter, type Delivered } from "./span-exporter.ts";

const spans = (count: number): Span[] => Array.from({ length: count }, () => ({ name: "GET" }) as Span);

function world(deliver: () => Promise<Delivered>) {
  const clock = new SimClock();
  const seen = { exported: 0, dropped: 0, calls: 0, warnings: [] as string[] };
  const logger: Logger = { ...silentLogger, warn: (message) => void seen.warnings.push(message) };
  const exporter = new SpanExporter({
    clock,
    logger,
    deliver: () => {
      seen.calls++;
      return deliver();
    },
    exported: (count) => void (seen.exported += count),
    dropped: (count) => void (seen.dropped += count),
  });
  const stop = new AbortController();
  const done = exporter.run(stop.signal, new AbortController().signal);
  return { clock, exporter, seen, stop, done };
}

test("spans go out after a period, and at once when a batch is full", async () => {
  const { clock, exporter, seen, stop, done } = world(() => Promise.resolve("taken"));
  exporter.add(spans(3));
  await clock.advance(4_999);
  assert.equal(seen.calls, 0);
  await clock.advance(1);
  assert.equal(seen.exported, 3);
  exporter.add(spans(512));
  await clock.advance(0);
  assert.deepEqual([seen.exported, seen.calls], [515, 2]);
  exporter.add(spans(2));
  stop.abort();
  await done;
  assert.equal(seen.exported, 517, "what is left at the end goes, too");
});

test("a collector that is down costs three attempts a batch, and no more than its room", async () => {
  const { clock, exporter, seen, stop, done } = world(() => Promise.reject(new Error("connect ECONNREFUSED")));
  exporter.add(spans(5_000));
  assert.equal(seen.dropped, 5_000 - 2_048, "what finds no room is dropped at once");
  await clock.advance(60_000);
  assert.deepEqual([seen.exported, seen.dropped, seen.calls], [0, 5_000, 12]);
  assert.deepEqual(seen.warnings, ["spans could not be delivered"]);
  stop.abort();
  await done;
});

test("a batch that is refused is not sent again, one that is put off is", async () => {
  const answers: Delivered[] = ["refused", "later", "taken"];
  const { clock, exporter, seen, stop, done } = world(() => Promise.resolve(answers.shift() ?? "taken"));
  exporter.add(spans(1));
  await clock.advance(5_000);
  assert.deepEqual([seen.exported, seen.dropped, seen.calls], [0, 1, 1]);
  exporter.add(spans(7));
  await clock.advance(6_000);
  assert.deepEqual([seen.exported, seen.dropped, seen.calls], [7, 1, 3]);
  stop.abort();
  await done;
});
