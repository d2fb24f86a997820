// `npm test`: the whole unit, contract and end-to-end set with the runner's own summary. Arguments are passed to the runner.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const selected = process.argv.slice(2);
const suites = selected.length > 0 ? selected : ["src/**/*.test.ts", "test/**/*.test.ts"];
// Some hundred test files and the platforms that they start load the same modules: what one has compiled, the others find here.
const compiled = mkdtempSync(join(tmpdir(), "eider-compiled-"));
const run = spawnSync(
  process.execPath,
  ["--disable-warning=ExperimentalWarning", "--conditions=source", "--test", "--test-concurrency=2", "--test-reporter=spec", ...suites],
  { stdio: "inherit", env: { ...process.env, NODE_COMPILE_CACHE: compiled } },
);
rmSync(compiled, { recursive: true, force: true });
process.exitCode = run.status ?? 1;
