// `npm run leaks -- [--pods 200] [--runtime sandbox|container]`: pods come and go under faults; lists what of them stays on the machine.
import { parseArgs } from "node:util";
import { runLeaks, whyNoLeaks } from "../test/leaks/leaks.ts";

const { values } = parseArgs({ options: { pods: { type: "string", default: "200" }, runtime: { type: "string", default: "sandbox" } } });
const { runtime } = values;
const pods = Number(values.pods);
if (!Number.isSafeInteger(pods) || pods < 1 || (runtime !== "sandbox" && runtime !== "container"))
  throw new RangeError("usage: npm run leaks -- [--pods N] [--runtime sandbox|container]");
const missing = whyNoLeaks(runtime);
if (missing !== false) throw new Error(`leaks: ${missing}`);
const report = await runLeaks({ pods, runtime, tell: (line) => console.log(line) });
for (const line of report.counts) console.log(line);
for (const line of report.left) console.log(`LEFT: ${line}`);
console.log(`${report.pods} pods created and removed, ${report.faults.length} faults (${report.faults.join(", ")}), ${report.left.length} things left`);
process.exitCode = report.left.length === 0 ? 0 : 1;
