// A process of its own: replays the recordings that are named and tells what it came to.
import { readFileSync } from "node:fs";
import { replay, replayDifferences, type Recording } from "#autoscaler";

const told = process.argv.slice(2).map((file) => {
  const recording = JSON.parse(readFileSync(file, "utf8")) as Recording;
  return { decisions: [...replay(recording)].filter(({ evaluation }) => evaluation !== undefined).length, differences: replayDifferences(recording) };
});
process.stdout.write(JSON.stringify(told));
