// Programs as people write them with the Kubernetes clients of three languages, against our API server without controllers.
// The variables say where each language finds its client: CLIENT_GO the compiled program, CLIENT_PYTHON a python that has
// `kubernetes`, CLIENT_JAVASCRIPT a folder whose node_modules has `@kubernetes/client-node`. `.ci/run` makes all three.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ran, type Ran } from "../e2e/platform.ts";
import { startOwnServer, type ScriptServer } from "./servers.ts";

const FOLDER = join(import.meta.dirname, "programs");
const given = (variable: string): string => process.env[variable] ?? "";

let server: ScriptServer;
before(async () => {
  server = await startOwnServer();
});
after(() => server.close());

/** JavaScript modules look for packages beside themselves. */
async function javascript(namespace: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), "eider-client-"));
  try {
    copyFileSync(join(FOLDER, "javascript.mjs"), join(folder, "javascript.mjs"));
    symlinkSync(join(given("CLIENT_JAVASCRIPT"), "node_modules"), join(folder, "node_modules"));
    return await ran(process.execPath, [join(folder, "javascript.mjs"), namespace], env);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Program {
  readonly language: string;
  readonly variable: string;
  /** Lines that it prints when all went well. */
  readonly steps: number;
  readonly run: (namespace: string, env: NodeJS.ProcessEnv) => Promise<Ran>;
}

const programs: readonly Program[] = [
  { language: "Go", variable: "CLIENT_GO", steps: 7, run: (namespace, env) => ran(given("CLIENT_GO"), [namespace], env) },
  {
    language: "Python",
    variable: "CLIENT_PYTHON",
    steps: 7,
    run: (namespace, env) => ran(given("CLIENT_PYTHON"), [join(FOLDER, "python.py"), namespace], env),
  },
  { language: "JavaScript", variable: "CLIENT_JAVASCRIPT", steps: 6, run: javascript },
];

for (const { language, variable, steps, run } of programs) {
  const skip = given(variable) === "" ? `${variable} is not set` : false;
  test(`a program with ${language}'s client runs to its end`, { skip }, async () => {
    const { code, stdout, stderr } = await run(`of-${language.toLowerCase()}`, { ...process.env, KUBECONFIG: server.kubeconfig });
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.equal(stdout.match(/^ok: /gm)?.length, steps, stdout);
  });
}

test("a program that is refused ends with an error", { skip: given("CLIENT_PYTHON") === "" ? "CLIENT_PYTHON is not set" : false }, async () => {
  const { code, stderr } = await ran(given("CLIENT_PYTHON"), [join(FOLDER, "python.py"), "Wrong Name"], { ...process.env, KUBECONFIG: server.kubeconfig });
  assert.equal(code, 1);
  assert.match(stderr, /is invalid/);
});
