// `npm run build`: compiles src to dist for a release; development runs the sources.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
const run = spawnSync(process.execPath, ["node_modules/.bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
process.exitCode = run.status ?? 1;
