// `npm test`: the whole unit, contract and end-to-end set with the runner's own summary. Arguments are passed to the runner.
import { spawnSync } from "node:child_process";

const selected = process.argv.slice(2);
const suites = selected.length > 0 ? selected : ["src/**/*.test.ts", "test/**/*.test.ts"];
const run = spawnSync(
  process.execPath,
  ["--disable-warning=ExperimentalWarning", "--conditions=source", "--test", "--test-concurrency=2", "--test-reporter=spec", ...suites],
  { stdio: "inherit" },
);
process.exitCode = run.status ?? 1;
