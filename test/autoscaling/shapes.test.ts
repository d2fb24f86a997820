// Load shapes through the real gateway, recorded, and replayed bit for bit from the text of the recording.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { replay, replayDifferences, type Recording } from "#autoscaler";
import { annotationsOf, drive, shapes, type Shape } from "./shapes.ts";
import { KEY, World } from "./world.ts";

async function recorded(shape: Shape): Promise<{ readonly world: World; readonly text: string }> {
  const { containerConcurrency = 0, threads = 1, podDelayMs = 1_500, pods = 1 } = shape;
  const world = new World({ annotations: annotationsOf(shape), containerConcurrency, threads, podDelayMs, pods });
  await world.start();
  try {
    await drive(world, shape);
    return { world, text: JSON.stringify(world.recording) };
  } finally {
    await world.end();
  }
}

const folder = await mkdtemp(join(tmpdir(), "eider-shapes-"));
const files: string[] = [];
after(() => rm(folder, { recursive: true }));

test("there are at least twenty load shapes", () => assert.ok(new Set(shapes.map(({ name }) => name)).size >= 20));

for (const shape of shapes) {
  test(`${shape.name}: replays bit for bit`, async () => {
    const { world, text } = await recorded(shape);
    const file = join(folder, `${files.length}.json`);
    await writeFile(file, text);
    files.push(file);
    const recording = JSON.parse(text) as Recording;
    assert.deepEqual(replayDifferences(recording), []);
    const decided = [...replay(recording)].filter(({ evaluation }) => evaluation !== undefined);
    assert.ok(decided.length >= 10, `only ${decided.length} decisions were compared`);
    const decisions = world.deciders.explain(KEY);
    assert.ok(
      shape.happened(decisions, world),
      `not what it is called: ${decisions.map(({ desired, panicking }) => `${desired}${panicking ? "!" : ""}`).join(" ")}`,
    );
  });
}

test("a fresh process comes to the same decisions from the files", async () => {
  const program = join(import.meta.dirname, "replay-files.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=source", program, ...files]);
  const told = JSON.parse(stdout) as { readonly decisions: number; readonly differences: readonly string[] }[];
  assert.equal(told.length, shapes.length);
  for (const { decisions, differences } of told) {
    assert.ok(decisions >= 10);
    assert.deepEqual(differences, []);
  }
});

/** Numbers of a recording, each of which decides something. */
const faults: Readonly<Record<string, (recording: never) => unknown>> = {
  "a report's concurrency": ({ takes: [{ events }] }: Planted) => Object.assign(firstOf(events, "load"), { concurrency: 40.125 }),
  "a report's time": ({ takes: [{ events }] }: Planted) => (firstOf(events, "load").endMs -= 30_000),
  "a target": ({ takes: [{ from }] }: Planted) => (from.settings.decider.targetValue *= 0.25),
  "a sum in a window": ({ takes: [, take] }: Planted) => take.from.windows.rings[0].sums.splice(0, 1),
  "a decision": ({ takes: [{ events }] }: Planted) => events.find(({ decision }) => decision !== undefined)!.decision!.desired++,
  "a last bit": ({ takes: [{ events }] }: Planted) => (events.find(({ decision }) => (decision?.stable ?? 0) > 0)!.decision!.stable *= 1 + Number.EPSILON),
  "an order": ({ takes }: Planted) => takes.reverse(),
};

interface PlantedTake {
  readonly from: {
    readonly settings: { readonly decider: { targetValue: number } };
    readonly windows: { readonly rings: readonly [{ readonly sums: [number, number][] }] };
  };
  readonly events: { readonly input: { type: string; concurrency: number; endMs: number }; readonly decision?: { desired: number; stable: number } }[];
}
interface Planted {
  readonly takes: [PlantedTake, PlantedTake];
}
function firstOf(events: PlantedTake["events"], type: string): PlantedTake["events"][number]["input"] {
  const found = events.find(({ input }) => input.type === type && input.concurrency > 0);
  if (found === undefined) throw new Error(`there is no ${type}`);
  return found.input;
}

test("a number that was changed in a recording is noticed, whichever it is", async () => {
  const shape = shapes.find(({ name }) => name === "a long day");
  assert.ok(shape !== undefined);
  const { text } = await recorded({ ...shape, seconds: 700 });
  for (const [what, plant] of Object.entries(faults)) {
    const recording = JSON.parse(text) as Recording;
    plant(recording as never);
    assert.notDeepEqual(replayDifferences(recording), [], what);
  }
});
