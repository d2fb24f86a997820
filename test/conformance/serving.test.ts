// Knative Serving's own conformance suites (api/v1, api/v1beta1, runtime), unmodified, against `eider up`, on each runtime for images.
// KNATIVE_SUITES is a folder that holds them as `apiv1`, `apiv1beta1` and `runtime`, with their images' programs in `serving-images/`.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { differences, resultsOf, type Expectations } from "./judge.ts";
import { noRuntime, noServingSuites, runServingSuites } from "./serving-suites.ts";

const folder = process.env["KNATIVE_SUITES"];

for (const runtime of ["container", "sandbox"] as const) {
  const skip = noServingSuites(folder) ?? noRuntime(runtime) ?? false;
  test(`Knative Serving's conformance suites on the runtime ${runtime}`, { skip }, async (t) => {
    const output = await runServingSuites({ folder: folder ?? "", runtime });
    const expectations = JSON.parse(readFileSync(new URL(`expectations/serving-${runtime}.json`, import.meta.url), "utf8")) as Expectations;
    const differing = differences(resultsOf(output), expectations);
    if (differing.length > 0) {
      const file = join(mkdtempSync(join(tmpdir(), "eider-suites-")), `${runtime}.log`);
      writeFileSync(file, output);
      t.diagnostic(`what the suites said is in ${file}`);
    }
    assert.deepEqual(differing, []);
  });
}
