// `npm run e2e`: the seeds' story at its full length with the real kubectl and kn (variable KN), then all other end-to-end tests.
import { spawnSync } from "node:child_process";

const suites = process.argv.slice(2);
const run = spawnSync(
  process.execPath,
  [
    "--disable-warning=ExperimentalWarning",
    "--conditions=source",
    "--test",
    "--test-concurrency=1",
    "--test-reporter=spec",
    ...(suites.length > 0 ? suites : ["test/e2e/seeds-story.test.ts", "test/e2e/!(seeds-story).test.ts"]),
  ],
  { stdio: "inherit", env: { ...process.env, EIDER_E2E: "full" } },
);
process.exitCode = run.status ?? 1;
