// `npm run check`: format, lint, types, dead code, unit and architecture tests. Stops at nothing, tells all, fails at the end.
import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";

const bin = (name: string): string => `node_modules/.bin/${name}`;
const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--conditions=source"];
const steps: readonly (readonly [name: string, ...command: string[]])[] = [
  ["format", process.execPath, bin("oxfmt"), "--check", "src", "test", "scripts"],
  ["lint", process.execPath, bin("oxlint"), "--type-aware", "--deny-warnings", "src", "test", "scripts"],
  ["types", process.execPath, bin("tsc"), "-p", "."],
  ["dead code", process.execPath, bin("knip"), "--no-progress"],
  ["unit", ...node, "--test", "--test-isolation=none", "--test-reporter=dot", "src/**/*.test.ts", "test/architecture.test.ts"],
];

let failed = 0;
for (const [name, command, ...args] of steps) {
  const from = performance.now();
  const run = spawnSync(command ?? "", args, { encoding: "utf8" });
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  console.log(`${run.status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (run.status !== 0) {
    failed++;
    console.log(`${run.stdout}${run.stderr}${run.error?.message ?? ""}`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
