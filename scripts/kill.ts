// The kill rounds by hand: `node --conditions=source scripts/kill.ts [--rounds 100] [--victim platform|keeper] [--seed N]`.
import { parseArgs } from "node:util";
import { describeReport, runKillRounds } from "../test/e2e/kill-rounds.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "100" }, victim: { type: "string", default: "platform" }, seed: { type: "string" } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (values.victim !== "platform" && values.victim !== "keeper") throw new Error("--victim is platform or keeper");
console.log(`seed ${seed}`);
const report = await runKillRounds({ victim: values.victim, rounds: Number(values.rounds), seed, tell: (line) => console.log(line) });
console.log(`${values.victim}: ${describeReport(report)}`);
for (const complaint of report.complaints) console.log(complaint);
process.exitCode = report.complaints.length === 0 ? 0 : 1;
