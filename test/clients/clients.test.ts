// The scripts of kubectl, kn and helm against our API server come to what they came to on a real kube-apiserver.
import assert from "node:assert/strict";
import { test } from "node:test";
import { difference, masked } from "./mask.ts";
import { programsFor } from "./programs.ts";
import { EXPECTATIONS, judge, recorded } from "./recorded.ts";
import { commandsOf, readScript, runScript, type Outcome } from "./script.ts";
import { startOwnServer } from "./servers.ts";

/** Script → how many of its commands must be equal at least. */
const EQUAL_MIN = { kubectl: 150, kn: 95, helm: 25 } as const;
const EXPECTATIONS_MAX = 12;

for (const [script, equalMin] of Object.entries(EQUAL_MIN)) {
  const programs = programsFor(script);
  test(`${script}: exit codes and output are those of a real kube-apiserver`, { skip: typeof programs === "string" ? programs : false }, async (t) => {
    assert.ok(typeof programs !== "string");
    const wanted = recorded(script);
    assert.ok(wanted !== undefined, `npm run clients -- --record ${script}`);
    const commands = readScript(script);
    assert.deepEqual(
      wanted.map(({ command }) => command),
      commands,
      "the script has changed: record it again",
    );
    const server = await startOwnServer();
    try {
      const verdicts = judge(wanted, await runScript({ commands, kubeconfig: server.kubeconfig, programs }));
      const wrong = verdicts.filter(({ verdict }) => verdict === "differs" || verdict === "unexpectedly equal");
      assert.equal(wrong.length, 0, wrong.map(({ command, verdict, text }) => `${command}: ${verdict}\n  ${text}`).join("\n"));
      const equal = verdicts.filter(({ verdict }) => verdict === "equal").length;
      t.diagnostic(`${equal} of ${verdicts.length} commands equal`);
      assert.ok(equal >= equalMin, `only ${equal} commands are equal`);
    } finally {
      await server.close();
    }
  });
}

test("expectations stay few, and each belongs to a command", () => {
  const commands = new Set(Object.keys(EQUAL_MIN).flatMap(readScript));
  assert.deepEqual(
    Object.keys(EXPECTATIONS).filter((command) => !commands.has(command)),
    [],
  );
  assert.ok(Object.keys(EXPECTATIONS).length <= EXPECTATIONS_MAX);
});

const good: Outcome = { command: "kubectl get cm", code: 0, stdout: "NAME  DATA\na  1\n", stderr: "" };
const faults: readonly { readonly name: string; readonly fault: Partial<Outcome>; readonly says: RegExp }[] = [
  { name: "another exit code", fault: { code: 1, stderr: "Error from server" }, says: /exit code 1 instead of 0/ },
  { name: "another line of output", fault: { stdout: "NAME  DATA\na  2\n" }, says: /stdout, line 2/ },
  { name: "a line too many", fault: { stdout: "NAME  DATA\na  1\nb  1\n" }, says: /stdout, line 3/ },
  { name: "a warning that nobody gave", fault: { stderr: "Warning: x\n" }, says: /stderr, line 1/ },
];
for (const { name, fault, says } of faults) {
  test(`a planted fault is found: ${name}`, () => {
    assert.equal(difference(good, good), undefined);
    assert.match(difference(good, { ...good, ...fault }) ?? "", says);
  });
}

test("masks hide what differs from run to run, and nothing else", () => {
  assert.equal(masked("a   5s\n"), "a  AGE\n");
  assert.equal(masked('resourceVersion: "17"\nreplicas: 17\n'), 'resourceVersion: "RV"\nreplicas: 17\n');
  assert.equal(masked("https://127.0.0.1:34567 since 2026-01-02T03:04:05Z\n"), "SERVER since TIME\n");
});

test("a script is its lines without comments", () => {
  assert.deepEqual(commandsOf("# head\n\nkubectl get cm\n  kn version\n"), ["kubectl get cm", "kn version"]);
});
