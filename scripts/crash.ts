// `npm run crash -- [--events 1000000] [--seed N]`: events under kills of the platform; lists every one that was lost, swapped or doubled.
import { parseArgs } from "node:util";
import { describeCrash, runCrash } from "../test/events/crash.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "1000000" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const events = Number(values.events);
if (!Number.isSafeInteger(events) || events < 1 || !Number.isSafeInteger(seed)) throw new RangeError("usage: npm run crash -- [--events N] [--seed N]");
console.log(`seed ${seed}`);
const report = await runCrash({ events, seed, tell: (line) => console.log(line) });
for (const line of report.lost) console.log(`LOST: ${line}`);
for (const line of report.complaints) console.log(`COMPLAINT: ${line}`);
console.log(describeCrash(report));
process.exitCode = report.lost.length + report.complaints.length === 0 ? 0 : 1;
