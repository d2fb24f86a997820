// Process of the crash test that knows nothing but files: waits until nothing is written any more, and says what it thinks of them as
// JSON. Usage: checker.ts FOLDER
import { existsSync, statSync } from "node:fs";
import { judge } from "./facts.ts";
import { factsIn, receiptFile } from "./files.ts";
import { LATE_MS, SUBSCRIBERS } from "./story.ts";

const [folder = ""] = process.argv.slice(2);
const POLL_MS = 250;
/** A delivery is written when it is answered. */
const QUIET_MS = LATE_MS + 1_000;
/** What has not come then does not come. */
const LOST_MS = 60_000;

const written = (): number =>
  SUBSCRIBERS.map(({ name }) => receiptFile(folder, name)).reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0);

async function quietFor(ms: number): Promise<void> {
  let bytes = written();
  for (let quiet = 0; quiet < ms; quiet += POLL_MS) {
    await new Promise((resume) => setTimeout(resume, POLL_MS));
    const now = written();
    if (now !== bytes) quiet = 0;
    bytes = now;
  }
}

await quietFor(QUIET_MS);
let verdict = judge(factsIn(folder));
if (verdict.lost.length > 0) {
  await quietFor(LOST_MS);
  verdict = judge(factsIn(folder));
}
const SHOWN = 50;
console.log(
  JSON.stringify({
    ...verdict,
    lost: [...verdict.lost.slice(0, SHOWN), ...(verdict.lost.length > SHOWN ? [`${verdict.lost.length} in all`] : [])],
    complaints: [...verdict.complaints.slice(0, SHOWN), ...(verdict.complaints.length > SHOWN ? [`${verdict.complaints.length} in all`] : [])],
  }),
);
