// `npm run clients`: the scripts of real programs against our API server, compared with what they came to on a real one.
import { parseArgs } from "node:util";
import { readScript, runScript, type Outcome } from "../test/clients/script.ts";
import { programsFor } from "../test/clients/programs.ts";
import { judge, record, recorded } from "../test/clients/recorded.ts";
import { startOwnServer, startRealServer, type ScriptServer } from "../test/clients/servers.ts";
import { realPaths } from "../test/oracle/real-server.ts";

const HELP = `Usage: npm run clients -- [--record] [-o json] [SCRIPT]...

Runs the commands of test/clients/SCRIPT.script (default: kubectl kn) one by one against our API server and compares exit codes
and masked output with those of a real kube-apiserver. kubectl comes from the PATH, kn from the variable KN.

  --record   runs the script against a real server (KUBE_APISERVER, ETCD) and keeps what its commands come to
  -o json    one JSON object a command

Exit code: 0 when nothing differs but what test/clients/expectations.json names, 1 otherwise, 2 for a wrong call.`;

async function run(script: string, server: ScriptServer, programs: Readonly<Record<string, string>>): Promise<readonly Outcome[]> {
  const commands = readScript(script);
  const onProgress = (done: number, next: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${done + 1} of ${commands.length}: ${next.slice(0, 100)}`);
  };
  try {
    return await runScript({ commands, kubeconfig: server.kubeconfig, programs, onProgress });
  } finally {
    if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
    await server.close();
  }
}

async function recordScript(script: string, programs: Readonly<Record<string, string>>): Promise<boolean> {
  const paths = realPaths();
  if (typeof paths === "string") throw new Error(`cannot record: ${paths}`);
  const outcomes = await run(script, await startRealServer(paths), programs);
  record(script, outcomes);
  console.log(`${script}: ${outcomes.length} commands recorded`);
  return true;
}

async function compareScript(script: string, programs: Readonly<Record<string, string>>, json: boolean): Promise<boolean> {
  const wanted = recorded(script);
  if (wanted === undefined) throw new Error(`${script} was never recorded: npm run clients -- --record ${script}`);
  const verdicts = judge(wanted, await run(script, await startOwnServer(), programs));
  for (const verdict of verdicts) {
    if (json) console.log(JSON.stringify({ script, ...verdict }));
    else if (verdict.verdict !== "equal") console.log(`${verdict.command}: ${verdict.verdict}\n  ${verdict.text}`);
  }
  const count = (kind: string): number => verdicts.filter(({ verdict }) => verdict === kind).length;
  if (!json) console.log(`${script}: ${count("equal")} of ${verdicts.length} equal, ${count("expected")} differ as expected`);
  return count("equal") + count("expected") === verdicts.length;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { record: { type: "boolean" }, output: { type: "string", short: "o" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  let good = true;
  for (const script of positionals.length > 0 ? positionals : ["kubectl", "kn"]) {
    const programs = programsFor(script);
    if (typeof programs === "string") {
      console.log(`${script}: skipped: ${programs}`);
      continue;
    }
    good = (values.record === true ? await recordScript(script, programs) : await compareScript(script, programs, values.output === "json")) && good;
  }
  return good ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`Error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
