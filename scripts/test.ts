// `npm test`: the whole unit, contract and end-to-end set with the runner's own summary. Arguments are passed to the runner.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** Most of the long files wait more than they compute: one more than there are cores of a small machine keeps both of them at work. */
const FILES_AT_ONCE = 3;

/**
 * What takes longest by the clock is begun first, so that the rest is done beside it: a soak that began last would run for two minutes alone.
 * A file that is not here any more is an error.
 */
const LONGEST_FIRST = [
  "test/soak/soak.test.ts",
  "test/e2e/hpa.test.ts",
  "test/e2e/cli.test.ts",
  "test/e2e/kill-keeper.test.ts",
  "test/e2e/hand-over.test.ts",
  "test/leaks/leaks.test.ts",
  "test/e2e/pictures.test.ts",
  "test/e2e/kill.test.ts",
  "test/events/crash.test.ts",
];

/** Every test file in the order in which they begin. */
function filesInOrder(): string[] {
  const missing = LONGEST_FIRST.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Error(`scripts/test.ts names files that are not there: ${missing.join(", ")}`);
  const rest = globSync(["src/**/*.test.ts", "test/**/*.test.ts"]).filter((file) => !LONGEST_FIRST.includes(file));
  return [...LONGEST_FIRST, ...rest.toSorted()].map((file) => resolve(file));
}

/** The whole set; answers whether all of it passed. */
async function runAll(): Promise<boolean> {
  console.log("Lines come in the order in which files begin: the first one is a soak of two minutes.");
  let passed = false;
  const events = run({ files: filesInOrder(), concurrency: FILES_AT_ONCE });
  // The summary of all files is the one without a file.
  events.on("test:summary", ({ file, success }) => {
    if (file === undefined) passed = success;
  });
  const lines = events.compose(new spec());
  lines.pipe(process.stdout);
  await finished(lines);
  return passed;
}

/** What the runner makes of its arguments: files, and options of its own. */
function runSelected(selected: readonly string[]): boolean {
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=source", "--test", "--test-concurrency=2", "--test-reporter=spec", ...selected];
  return spawnSync(process.execPath, args, { stdio: "inherit" }).status === 0;
}

const selected = process.argv.slice(2);
// Some hundred test files and the platforms that they start load the same modules: what one has compiled, the others find here.
const compiled = mkdtempSync(join(tmpdir(), "eider-compiled-"));
process.env["NODE_COMPILE_CACHE"] = compiled;
try {
  process.exitCode = (selected.length > 0 ? runSelected(selected) : await runAll()) ? 0 : 1;
} finally {
  rmSync(compiled, { recursive: true, force: true });
}
