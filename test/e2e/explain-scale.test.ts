// Why a Service has as many pods as it has, asked of a real platform: in words, as JSON, recorded, and simulated with other settings.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseScaleFile, replayDifferences } from "#autoscaler";
import { eider, eventually, Platform, root } from "./platform.ts";

let platform: Platform;
before(async () => {
  platform = await Platform.start();
  const deployed = await platform.eider("deploy", join(root, "test/e2e/apps/hello"));
  assert.equal(deployed.code, 0, deployed.stderr);
});
after(() => platform?.stop());

interface Told {
  readonly decisions: readonly { readonly outcome: unknown; readonly values?: { readonly stable: number } }[];
  readonly bounds: { readonly min: number };
}

test("explain tells the decisions in words and as JSON; what it records replays, and is simulated with other settings", async () => {
  const file = join(platform.data, "recorded.json");
  await eventually("a decision about a request", async () => {
    assert.equal((await platform.request("hello.default.localhost")).status, 200);
    const told = await platform.eider("explain", "scale", "hello", "-o", "json");
    assert.equal(told.code, 0, told.stderr);
    const { bounds, decisions } = JSON.parse(told.stdout) as Told;
    assert.equal(bounds.min, 0);
    return decisions.some(({ values }) => (values?.stable ?? 0) > 0);
  });
  // Long enough that three pods would have come up.
  const [words, simulated] = await eventually("a recording of some seconds", async () => {
    const recorded = await platform.eider("explain", "scale", "hello-00001", "--record", file);
    assert.equal(recorded.code, 0, recorded.stderr);
    const played = await eider(["simulate", "scale", file, "--set", "min-scale=3"]);
    assert.equal(played.code, 0, played.stderr);
    return Number(/: (\d+) s with /.exec(played.stdout)?.[1]) >= 6 && ([recorded, played] as const);
  });
  assert.match(words.stdout, /^Revision: {3}hello-00001\n[\s\S]*Target: {5}70 concurrent requests a pod = 100 × 70 %\n[\s\S]*stable [\d.]+ \/ 70 → \d pods?\n/);
  const text = readFileSync(file, "utf8");
  const recording = parseScaleFile(text);
  assert.ok(!("error" in recording));
  assert.deepEqual(replayDifferences(recording), []);
  assert.match(simulated.stdout, /most pods +\d +3\n/);
  writeFileSync(file, text.replace(/"desired":1/, '"desired":2'));
  const changed = await eider(["simulate", "scale", file]);
  assert.deepEqual([changed.code, /does not come out as it was recorded/.test(changed.stderr)], [1, true]);
});

test("what there is not is said: a name, a revision, a file", async () => {
  const rows: readonly (readonly [args: readonly string[], code: number, text: RegExp])[] = [
    [["explain", "scale", "nobody"], 3, /neither a Service nor a revision "nobody" exists in namespace "default"/],
    [["explain", "scale", "hello", "--revision", "hello-00009"], 3, /the autoscaler knows no revision "default\/hello-00009"/],
    [["explain", "scale", "hello", "--last", "none"], 2, /a number from 1 to 999 is wanted/],
  ];
  for (const [args, code, text] of rows) {
    const failed = await platform.eider(...args);
    assert.deepEqual([failed.code, text.test(failed.stderr)], [code, true], failed.stderr);
  }
  const missing = await eider(["simulate", "scale", join(platform.data, "missing.json")]);
  assert.deepEqual([missing.code, /cannot be read: ENOENT/.test(missing.stderr)], [3, true], missing.stderr);
});
