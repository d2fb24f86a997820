// `npm run golden -- DIR`: compares this platform with recordings of the real one, one line a scenario or case.
import { existsSync } from "node:fs";
import { runGoldenFolder, type GoldenOptions } from "../test/golden/folder.ts";
import { startCluster } from "../test/golden/scenarios/cluster.ts";
import { realPaths } from "../test/oracle/real-server.ts";

const HELP = `Usage: npm run golden -- [--https | --oracle] DIR...

Runs the recordings in DIR (or in one file) against this platform: scenarios and single requests in the format of
golden/serving, groups of golden/autoscaler, answers of golden/kubernetes-api. Files are told apart by their content; DIR may hold only some of them.
With --https the controllers of scenarios reach the API server over HTTPS, otherwise in the same process.
With --oracle they run on a real kube-apiserver with our definitions and webhooks; the variables KUBE_APISERVER and ETCD
say where it and its etcd are.

  NAME: equal
  NAME: differs: the first difference
  NAME: skipped: the reason

Exit code: 0 when nothing differs but what is expected to, 1 otherwise, 2 for a wrong call.`;

const LINE_MAX = 2000;
const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " | ").slice(0, LINE_MAX);

const OPTIONS = ["--https", "--oracle"];

async function main(args: readonly string[]): Promise<number> {
  const paths = args.filter((arg) => !OPTIONS.includes(arg));
  if (paths.includes("--help") || paths.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  const wrong = paths.find((path) => path.startsWith("-") || !existsSync(path));
  if (paths.length === 0 || wrong !== undefined) {
    console.error(paths.length === 0 ? HELP : `Error: ${wrong?.startsWith("-") === true ? "unknown option" : "no such folder"}: ${wrong}`);
    return 2;
  }
  if (!args.includes("--oracle")) return run(paths, { wiring: args.includes("--https") ? "https" : "in-process" });
  const programs = realPaths();
  if (typeof programs === "string") {
    console.error(`Error: ${programs}`);
    return 2;
  }
  const cluster = await startCluster(programs);
  try {
    return await run(paths, { boot: cluster.boot });
  } finally {
    await cluster.close();
  }
}

async function run(paths: readonly string[], options: GoldenOptions): Promise<number> {
  const counts = { equal: 0, differs: 0, expected: 0, skipped: 0 };
  for (const path of paths) {
    for await (const { name, verdict, text, expected } of runGoldenFolder(path, options)) {
      counts[verdict]++;
      if (verdict === "differs" && expected !== undefined) counts.expected++;
      const why = verdict === "differs" && expected !== undefined ? ` (expected: ${expected})` : "";
      console.log(`${name}: ${verdict}${text === "" ? "" : `: ${oneLine(text)}`}${why}`);
    }
  }
  const { equal, differs, expected, skipped } = counts;
  console.log(`${equal} of ${equal + differs} equal, ${differs} differ (${expected} of them expected), ${skipped} skipped`);
  return differs > expected ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`Error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
