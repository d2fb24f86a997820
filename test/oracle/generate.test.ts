// The generator: the same seed makes the same scenarios, they reach every kind and verb, and a difference is made small.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareAnswers } from "./compare.ts";
import { classOf, generate, generated, shrunk } from "./generate.ts";
import { normalised } from "./normalise.ts";
import { createOurs } from "./ours.ts";
import { replay } from "./replay.ts";

test("a seed repeats itself, another one does not", () => {
  assert.deepEqual(generated(7, 3), generated(7, 3));
  assert.notDeepEqual(generated(7, 3).steps, generated(8, 3).steps);
});

test("2,000 requests use every verb, every type of patch and eleven kinds", () => {
  const steps = generate(7, 2000).flatMap((scenario) => scenario.steps);
  assert.ok(steps.length >= 2000);
  const of = (read: (step: (typeof steps)[number]) => string): number => new Set(steps.map(read)).size;
  assert.equal(
    of(({ request }) => request?.split(" ")[0] ?? ""),
    5,
  );
  assert.equal(
    of(({ patch = "" }) => patch),
    5,
  );
  assert.equal(
    of(({ request }) => /\$ns\/(\w+)/.exec(request?.replace("/apis/serving.knative.dev/v1/namespaces/$ns/", "/$ns/knative_") ?? "")?.[1] ?? ""),
    11,
  );
});

test("planted fault: a server that answers one request otherwise is found, and told with the one step that shows it", async () => {
  const ours = createOurs();
  const server = await ours.serverFor({});
  let count = 0;
  const find = async (scenario: ReturnType<typeof generated>): Promise<readonly string[]> => {
    const namespace = `ng${String(count++).padStart(6, "0")}`;
    const answers = normalised(await replay(scenario, server, namespace), namespace);
    const faulty = structuredClone(answers) as { status: number }[];
    scenario.steps.forEach(({ patch }, at) => patch === "json" && faulty[at] !== undefined && (faulty[at].status = 299));
    return compareAnswers(scenario.steps, answers, faulty as typeof answers).map(({ at }) => classOf(scenario, at));
  };
  try {
    const scenario = generate(7, 600).find(({ steps }) => steps.findIndex(({ patch }) => patch === "json") > 3);
    assert.ok(scenario !== undefined);
    const [about = ""] = await find(scenario);
    assert.match(about, /^PATCH json .* code$/);
    const steps = scenario.steps.slice(0, scenario.steps.findIndex(({ patch }) => patch === "json") + 1);
    const smallest = await shrunk({ ...scenario, steps }, async (smaller) => (await find(smaller)).includes(about));
    assert.deepEqual(
      smallest.steps.map(({ patch }) => patch),
      ["json"],
    );
  } finally {
    await ours.close();
  }
});
