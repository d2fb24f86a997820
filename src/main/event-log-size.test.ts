import assert from "node:assert/strict";
import { test } from "node:test";
import { eventLogBytes } from "./event-log-size.ts";

const GIB = 2 ** 30;

const table: { readonly name: string; readonly budgetBytes: number | undefined; readonly diskBytes: number; readonly want: number }[] = [
  { name: "a quarter of the budget", budgetBytes: 20 * GIB, diskBytes: 1_000 * GIB, want: 5 * GIB },
  { name: "a large budget is somebody's word", budgetBytes: 400 * GIB, diskBytes: 1_000 * GIB, want: 100 * GIB },
  { name: "a tenth of a small disk", budgetBytes: undefined, diskBytes: 50 * GIB, want: 5 * GIB },
  { name: "not more than 10 GiB of a large one", budgetBytes: undefined, diskBytes: 1_000 * GIB, want: 10 * GIB },
  { name: "enough for some segments", budgetBytes: 1 << 20, diskBytes: GIB, want: 256 << 20 },
];

for (const { name, want, ...given } of table) test(`eventLogBytes: ${name}`, () => assert.equal(eventLogBytes(given), want));
