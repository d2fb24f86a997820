// What recordings cost: little while a revision is busy, and hardly anything for many that are at rest.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { defaultServingConfig } from "#kinds";
import { Recordings, RECORDINGS_MAX, RECORDING_BYTES_MAX } from "./recorder.ts";
import { replayDifferences } from "./replay.ts";
import { resolveSettings } from "./resolve.ts";
import { RevisionScaler, type ScalerInput } from "./revision-scaler.ts";

const settings = resolveSettings({ annotations: {}, containerConcurrency: 0, reachability: "", config: defaultServingConfig().autoscaler });

class Recorded {
  readonly recordings = new Recordings();
  readonly scalers = new Map<string, RevisionScaler>();

  apply(key: string, input: ScalerInput, nowMs: number): void {
    const scaler = this.scalers.get(key) ?? new RevisionScaler(settings, { ready: 1, restored: 0 }, nowMs);
    this.scalers.set(key, scaler);
    if (scaler.ignores(input)) return;
    const recorded = this.recordings.before(key, scaler, nowMs);
    const evaluation = scaler.apply(input, nowMs);
    if (recorded) this.recordings.after(key, { scaler, input, evaluation }, nowMs);
  }

  /** Seconds under load, evaluated every other one. */
  busy(key: string, fromMs: number, seconds: number, concurrency = 3.7): void {
    for (let second = 1; second <= seconds; second++) {
      const nowMs = fromMs + second * 1_000;
      for (const thread of [0, 1]) {
        this.apply(key, { type: "load", thread, endMs: nowMs - thread, seconds: 1, concurrency: concurrency + second / 7, requests: 40, waiting: 0 }, nowMs);
      }
      if (second % 2 === 0) this.apply(key, { type: "tick", gateways: true }, nowMs);
    }
  }

  /** Until it is at rest. */
  quiet(key: string, fromMs: number): void {
    for (const thread of [0, 1]) this.apply(key, { type: "load", thread, endMs: fromMs, seconds: 1, concurrency: 0, requests: 0, waiting: 0 }, fromMs);
    for (let second = 2; second <= 140; second += 2) this.apply(key, { type: "tick", gateways: true }, fromMs + second * 1_000);
  }
}

test("a busy hour fits the bound, its latest minutes replay, and takes follow one another", () => {
  const world = new Recorded();
  world.busy("a", 0, 3_600);
  const recording = world.recordings.get("a");
  ok(world.recordings.bytes <= RECORDING_BYTES_MAX + 1_024, `${world.recordings.bytes} bytes`);
  ok(recording !== undefined && recording.takes.length >= 2);
  ok((recording.takes.at(-1)?.events.at(-1)?.atMs ?? 0) - (recording.takes[0]?.sinceMs ?? 0) > 600_000, "ten minutes with two threads");
  deepEqual(replayDifferences(recording), []);
});

test("a revision at rest records nothing, and goes on in a new take", () => {
  const world = new Recorded();
  world.busy("a", 0, 20);
  world.quiet("a", 21_000);
  const { bytes } = world.recordings;
  world.apply("a", { type: "tick", gateways: true }, 400_000);
  equal(world.recordings.bytes, bytes);
  world.busy("a", 500_000, 20);
  const recording = world.recordings.get("a");
  equal(recording?.takes.length, 2);
  deepEqual(recording === undefined ? undefined : replayDifferences(recording), []);
});

test("of a thousand revisions at rest the latest ones are kept; while all are busy no more are recorded", () => {
  const world = new Recorded();
  for (let revision = 0; revision < 1_000; revision++) {
    world.busy(`r${revision}`, 0, 4);
    world.quiet(`r${revision}`, 5_000);
  }
  equal(world.recordings.count, RECORDINGS_MAX);
  ok(world.recordings.get("r999") !== undefined && world.recordings.get("r0") === undefined);
  ok(world.recordings.bytes / 1_000 < 500, `${world.recordings.bytes / 1_000} bytes a revision`);
  for (let revision = 0; revision < 100; revision++) world.busy(`busy${revision}`, 200_000, 4);
  equal(world.recordings.count, RECORDINGS_MAX);
  ok(world.recordings.get("busy0") !== undefined && world.recordings.get("busy99") === undefined);
  world.recordings.forget("busy0");
  world.busy("busy99", 300_000, 4);
  ok(world.recordings.get("busy99") !== undefined);
});
