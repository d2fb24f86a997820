// Numbers come out of a tape as they went in.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { float, SeededRng } from "#core";
import { Tape } from "./tape.ts";

test("every kind of number survives, to the last bit", () => {
  const odd = [0, -0, 1, -1, 31, 32, 4095, 4096, 2 ** 31, -(2 ** 33), 2 ** 40 - 1, 2 ** 40, 2 ** 53, 0.1, -1e-300, Math.PI, Infinity, -Infinity, undefined];
  const tape = new Tape();
  tape.row(odd);
  tape.row([]);
  tape.row([7]);
  deepEqual([...tape.rows()], [odd, [], [7]]);
});

test("ten thousand numbers by chance survive growing and trimming", () => {
  const rng = new SeededRng(3);
  const tape = new Tape();
  const rows: number[][] = [];
  for (let row = 0; row < 1_000; row++) {
    const numbers = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? Math.floor(float(rng) * 2 ** (at * 5)) : (float(rng) - 0.5) * 10 ** at));
    rows.push(numbers);
    tape.row(numbers);
    if (row % 100 === 0) tape.trim();
  }
  deepEqual([...tape.rows()], rows);
});

test("a second of load takes less than twenty bytes", () => {
  const tape = new Tape();
  for (let second = 0; second < 100; second++) tape.row([1, 1_000, 0, 3, 1, 17.123456789, 240, 0]);
  ok(tape.length < 100 * 20, `${tape.length} bytes`);
  tape.trim();
  equal(tape.size, tape.length);
});
