// What other settings would have come to, on recordings of real load; and the command that tells it.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { simulate, simulatedSettings, type ScaleFile, type Simulation } from "#autoscaler";
import { runCli, type CliContext } from "#cli";
import { SimClock } from "#core";
import { annotationsOf, drive, shapes } from "./shapes.ts";
import { World } from "./world.ts";

const files = new Map<string, ScaleFile>();

async function record(name: string): Promise<ScaleFile> {
  const shape = shapes.find((each) => each.name === name);
  if (shape === undefined) throw new Error(`no shape "${name}"`);
  const { containerConcurrency = 0, threads = 1, podDelayMs = 1_500, pods = 1 } = shape;
  const annotations = annotationsOf(shape);
  const world = new World({ annotations, containerConcurrency, threads, podDelayMs, pods });
  await world.start();
  await drive(world, shape);
  const file = { ...world.recording, source: { annotations, containerConcurrency, config: {} } };
  await world.end();
  return JSON.parse(JSON.stringify(file)) as ScaleFile;
}

before(async () => {
  for (const name of ["a step up", "a spike", "a delay before going down", "a queue before one pod at a time", "a burst at zero"])
    files.set(name, await record(name));
});

function fileOf(name: string): ScaleFile {
  const file = files.get(name);
  if (file === undefined) throw new Error(`${name} was not recorded`);
  return file;
}

function simulated(name: string, ...sets: readonly (readonly [string, string])[]): Simulation {
  const file = fileOf(name);
  const settings = simulatedSettings(file.source, sets);
  if ("error" in settings) throw new Error(settings.error);
  return simulate(file, { containerConcurrency: file.source.containerConcurrency, settings });
}

test("with the settings of the recording a simulation has the pods of the recording, but for the moments of their starts", () => {
  for (const name of files.keys()) {
    const { recorded, simulated: again } = simulated(name);
    const off = recorded.moments.filter(({ ready }, second) => {
      const near = again.moments.slice(Math.max(0, second - 3), second + 4).map((moment) => moment.ready);
      return ready < Math.min(...near) || ready > Math.max(...near);
    });
    // An upper bound of the pods is the world's, too.
    assert.ok(off.length <= 0.05 * recorded.moments.length, `${name}: ${off.length} of ${recorded.moments.length} seconds differ`);
  }
});

const rows: readonly (readonly [what: string, shape: string, set: readonly [string, string], holds: (run: Simulation) => boolean])[] = [
  ["half the target needs twice the pods", "a step up", ["target", "5"], ({ simulated: s }) => s.totals.podsMax >= 5],
  ["a large target needs one", "a step up", ["target", "100"], ({ simulated: s }) => s.totals.podsMax === 1],
  ["an upper bound is kept", "a step up", ["max-scale", "2"], ({ simulated: s }) => s.totals.podsMax === 2],
  ["a lower bound is kept", "a step up", ["min-scale", "4"], ({ simulated: s }) => s.moments.slice(5).every(({ ready }) => ready >= 4)],
  [
    "a higher threshold panics less",
    "a spike",
    ["panic-threshold-percentage", "1000"],
    ({ recorded: r, simulated: s }) => s.totals.panicSeconds < r.totals.panicSeconds,
  ],
  ["a short window comes down earlier", "a spike", ["window", "10s"], ({ recorded: r, simulated: s }) => s.totals.podSeconds < r.totals.podSeconds],
  [
    "without the delay fewer pod-seconds",
    "a delay before going down",
    ["scale-down-delay", "0s"],
    ({ recorded: r, simulated: s }) => s.totals.podSeconds < r.totals.podSeconds,
  ],
  ["a delay costs pod-seconds", "a spike", ["scale-down-delay", "60s"], ({ recorded: r, simulated: s }) => s.totals.podSeconds > r.totals.podSeconds],
  [
    "without a limit nobody waits in a queue",
    "a queue before one pod at a time",
    ["container-concurrency", "0"],
    ({ recorded: r, simulated: s }) => s.totals.requestsWaited < r.totals.requestsWaited,
  ],
  [
    "slow pods let more requests wait",
    "a burst at zero",
    ["pod-start", "10s"],
    ({ recorded: r, simulated: s }) => s.totals.requestsWaited >= r.totals.requestsWaited && s.totals.secondsAtZero > r.totals.secondsAtZero,
  ],
  ["requests per second are another measure", "a step up", ["metric", "rps"], ({ simulated: s }) => s.totals.podsMax !== 3],
];
for (const [what, shape, set, holds] of rows) {
  test(`${what} (${shape}, ${set.join("=")})`, () => {
    const run = simulated(shape, set);
    assert.ok(holds(run), JSON.stringify([run.recorded.totals, run.simulated.totals]));
  });
}

/** The command on a text, without a machine. */
async function command(text: string, ...argv: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = "";
  let err = "";
  const refuse = (): never => {
    throw new Error("nothing else is done");
  };
  const context: CliContext = {
    argv: ["simulate", "scale", "file.json", ...argv],
    out: (more) => void (out += more),
    err: (more) => void (err += more),
    colour: false,
    env: {},
    home: "/",
    clock: new SimClock(),
    version: "0",
    signal: new AbortController().signal,
    readText: () => Promise.resolve(text),
    describe: refuse,
    exists: refuse,
    writeText: refuse,
    newId: refuse,
    post: refuse,
    connect: refuse,
    up: refuse,
    controllers: refuse,
    status: refuse,
    down: refuse,
    build: refuse,
    images: refuse,
  };
  return { code: await runCli(context), out, err };
}

test("the command shows both runs side by side, and as JSON", async () => {
  const text = JSON.stringify(fileOf("a step up"));
  const shown = await command(text, "--set", "target=5");
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /all \d+ recorded decisions come out the same again/);
  assert.match(shown.out, /PODS THEN +PODS SIMULATED/);
  const json = JSON.parse((await command(text, "-o", "json")).out) as Simulation;
  assert.deepEqual(json.simulated, json.recorded);
});

test("the command complains of a changed recording, of one that is none, and of settings that are none", async () => {
  const file = structuredClone(fileOf("a step up")) as unknown as { takes: { events: { decision?: { desired: number } }[] }[] };
  const decision = file.takes[0]?.events.find((event) => event.decision !== undefined)?.decision;
  assert.ok(decision !== undefined);
  decision.desired++;
  const changed = await command(JSON.stringify(file));
  assert.equal(changed.code, 1);
  assert.match(changed.err, /does not come out as it was recorded:\nat \d+ ms: recorded .*, replayed /);
  const text = JSON.stringify(fileOf("a step up"));
  for (const [bad, ...argv] of [
    ["{"],
    ["[]"],
    ['{"format":7,"takes":[]}'],
    [text.replace('"rings"', '"other"')],
    [text, "--set", "target"],
    [text, "--set", "colour=red"],
    [text, "--set", "target=0"],
    [text, "--set", "window=5s"],
    [text, "--set", "class=hpa.autoscaling.knative.dev"],
  ]) {
    const refused = await command(bad ?? "", ...argv);
    assert.equal(refused.code, 2, `${argv.join(" ")}: ${refused.err}`);
  }
});
