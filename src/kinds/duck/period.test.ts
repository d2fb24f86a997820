// Periods of ISO 8601, those that Knative's parser takes and those that it refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePeriodMs } from "./period.ts";

const DAY = 86_400_000;

test("periods in milliseconds", () => {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ["PT0.2S", 200],
    ["PT0,25S", 250],
    ["PT1M30S", 90_000],
    ["P1D", DAY],
    ["P1DT2H", DAY + 7_200_000],
    ["P2W", 14 * DAY],
    ["P1Y", 365.2425 * DAY],
    ["P0", 0],
    ["PT0S", 0],
    ["-PT5S", -5000],
    ["+PT5S", 5000],
    ["5s", undefined],
    ["", undefined],
    ["P", undefined],
    ["PT", undefined],
    ["PT5", undefined],
    ["PT1S1S", undefined],
    ["PT1D", undefined],
    ["P1H", undefined],
    ["PT1.5M2S", undefined],
    ["PT5Sx", undefined],
    [`PT${"1".repeat(80)}S`, undefined],
  ];
  assert.deepEqual(
    rows.map(([text]) => [text, parsePeriodMs(text)]),
    rows,
  );
});
