// `npm run soak -- [--minutes 30] [--seed N]`: load, changes, kills and hand-overs; lists every request that was lost, with its cause.
import { parseArgs } from "node:util";
import { describeSoak, runSoak } from "../test/soak/soak.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "30" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const minutes = Number(values.minutes);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new RangeError("usage: npm run soak -- [--minutes N] [--seed N]");
console.log(`seed ${seed}`);
const report = await runSoak({ minutes, seed, tell: (line) => console.log(line) });
for (const line of report.explained) console.log(`explained: ${line}`);
for (const line of report.complaints) console.log(`COMPLAINT: ${line}`);
console.log(describeSoak(report));
process.exitCode = report.complaints.length === 0 ? 0 : 1;
