// The autoscaler and the PodAutoscaler plan against recordings of the real programs.
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { deepEqual } from "node:assert/strict";
import { checkAutoscalerGolden, isAutoscalerGolden } from "./autoscaler-checker.ts";

const FOLDER = new URL("./autoscaler/", import.meta.url);

for (const file of readdirSync(FOLDER).filter(isAutoscalerGolden)) {
  test(`${file} is answered as recorded`, () => {
    const results = [...checkAutoscalerGolden(file, JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")))];
    deepEqual(results.filter(({ ok }) => !ok), []);
    deepEqual(results.length > 0, true);
  });
}
