// What process trees use: lines of /proc, who belongs to a tree, and a tree that really runs.
import { deepEqual, equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { processRow, processUsage, shareOf, treeOf, type ProcessRow } from "./process-usage.ts";

const line = (name: string): string => `41 (${name}) S 7 41 40 0 -1 4194560 1 2 3 4 150 25 30 5 20 0 1 0 99 1 2`;

test("a line of /proc: whatever the program is called", () => {
  const want: ProcessRow = { pid: 41, parent: 7, session: 40, cpuNanos: 2_100_000_000 };
  for (const name of ["node", "a b", "x) S 1 1 1 1", ""]) deepEqual(processRow(line(name)), want);
  equal(processRow(""), undefined);
  equal(processRow("41 (node) S 7"), undefined);
});

const row = (pid: number, parent: number, session: number): ProcessRow => ({ pid, parent, session, cpuNanos: 0 });

const trees: readonly { readonly name: string; readonly rows: readonly ProcessRow[]; readonly want: readonly number[] }[] = [
  { name: "children and their children", rows: [row(10, 1, 10), row(11, 10, 10), row(12, 11, 10)], want: [10, 11, 12] },
  { name: "a child in a session of its own", rows: [row(10, 1, 10), row(11, 10, 11), row(12, 11, 11)], want: [10, 11, 12] },
  { name: "one of the session whose parent is gone", rows: [row(10, 1, 10), row(12, 1, 10)], want: [10, 12] },
  { name: "children of one whose parent is gone", rows: [row(10, 1, 10), row(12, 1, 10), row(13, 12, 13)], want: [10, 12, 13] },
  { name: "nobody else", rows: [row(1, 0, 1), row(10, 1, 10), row(20, 1, 20), row(21, 20, 20)], want: [10] },
];
for (const { name, rows, want } of trees) {
  test(`processes of a container: ${name}`, () => {
    for (const order of [rows, rows.toReversed()])
      deepEqual(
        treeOf(order, 10)
          .map(({ pid }) => pid)
          .toSorted((a, b) => a - b),
        want,
      );
  });
}

test("memory is a process's share; where that is not told, what is resident", async (t) => {
  equal(shareOf("00400000-7ffe [rollup]\nRss:    43484 kB\nPss:    24522 kB\nPss_Dirty:   7896 kB\n"), 24_522 * 1024);
  equal(shareOf("Rss: 1 kB\n"), undefined);
  const folder = mkdtempSync(join(tmpdir(), "eider-proc-"));
  t.after(() => rmSync(folder, { recursive: true }));
  equal(await processUsage(folder)([41]), undefined);
  mkdirSync(join(folder, "41"));
  mkdirSync(join(folder, "42"));
  writeFileSync(join(folder, "41", "stat"), line("node"));
  writeFileSync(join(folder, "41", "smaps_rollup"), "Pss:                 100 kB\n");
  writeFileSync(join(folder, "42", "stat"), line("node").replace("41 ", "42 "));
  writeFileSync(join(folder, "42", "status"), "Name:\tnode\nVmRSS:\t     20 kB\n");
  const used = await processUsage(folder)([41, 99]);
  deepEqual([...(used ?? [])], [[41, { cpuNanos: 2_100_000_000, memoryBytes: 100 * 1024 }]]);
  writeFileSync(join(folder, "42", "stat"), line("node").replace("41 ", "42 ").replace(" S 7 ", " S 41 "));
  deepEqual((await processUsage(folder)([41]))?.get(41), { cpuNanos: 4_200_000_000, memoryBytes: 120 * 1024 });
});

test("a tree that runs: what a child has used stays counted when it has ended", { skip: process.platform !== "linux" && "there is no /proc" }, async (t) => {
  const burn = "const end = process.cpuUsage().user + 300000; while (process.cpuUsage().user < end);";
  const program = `require("node:child_process").spawnSync(process.execPath, ["-e", ${JSON.stringify(burn)}]); console.log("burnt"); setInterval(() => {}, 1e6)`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"], detached: true });
  t.after(() => child.kill("SIGKILL"));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const pid = child.pid ?? 0;
  const used = (await processUsage()([pid]))?.get(pid);
  ok((used?.cpuNanos ?? 0) >= 300_000_000, `${used?.cpuNanos} ns`);
  ok((used?.memoryBytes ?? 0) > 4 << 20, `${used?.memoryBytes} bytes`);
});
