// Runs the real program kn against the control plane of the tests, over HTTPS.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { servingCertificate } from "#host/certificates";
import type { Harness } from "./harness.ts";
import type { RecordedStep } from "./recording.ts";

/** How far the clock of the tests moves at once, and how long the program has to react to it. */
const STEP_MS = 20;
const LIMIT_MS = 60_000;

/** Where kn is: its path is in the variable KN, and scenarios that need it are skipped without. */
export function knPath(): string | undefined {
  const path = process.env["KN"] ?? "";
  return path === "" ? undefined : path;
}

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function kubeconfigFor(port: number, caPem: string): string {
  const cluster = { server: `https://127.0.0.1:${port}`, "certificate-authority-data": Buffer.from(caPem).toString("base64") };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "eider", cluster }],
    users: [{ name: "admin", user: { token: "any" } }],
    contexts: [{ name: "eider", context: { cluster: "eider", user: "admin" } }],
    "current-context": "eider",
  });
}

function start(program: string, args: readonly string[], home: string): Promise<Ran> {
  const env = { PATH: process.env["PATH"], HOME: home, KUBECONFIG: join(home, "kubeconfig") };
  return new Promise((done) => {
    execFile(program, args, { env, timeout: LIMIT_MS }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      done({ exitCode: typeof code === "number" ? code : -1, stdout, stderr });
    });
  });
}

/** Runs `kn …` to its end; meanwhile the clock of the tests moves with the real one. */
async function runKn(harness: Harness, command: string): Promise<Ran> {
  const program = knPath();
  if (program === undefined) throw new Error("the variable KN does not name the program kn");
  const home = mkdtempSync(join(tmpdir(), "eider-kn-"));
  const { caPem, certPem, keyPem } = await servingCertificate(join(home, "pki"), ["127.0.0.1"], Date.now());
  const listening = await harness.server.listen({ at: { host: "127.0.0.1", port: 0 }, tls: { key: keyPem, cert: certPem, clientCa: caPem } });
  try {
    writeFileSync(join(home, "kubeconfig"), kubeconfigFor(listening.port, caPem));
    const running: { over: boolean } = { over: false };
    const result = start(program, command.split(" ").slice(1), home).finally(() => (running.over = true));
    while (!running.over) {
      await harness.advance(STEP_MS);
      await sleep(STEP_MS);
    }
    return await result;
  } finally {
    const closed = listening.close();
    await harness.advance(LIMIT_MS / 30);
    await closed;
    rmSync(home, { recursive: true });
  }
}

/** Lines that tell how far kn is vary from run to run. */
const withoutProgress = (text: string): string => text.replaceAll(/^ +[\d.]+s .*\n/gm, "");

/** Runs the command of a step; the first difference of exit code and output, if any. */
export async function compareKn(harness: Harness, step: RecordedStep): Promise<string | undefined> {
  const ran = await runKn(harness, step.command ?? "");
  const got = { exitCode: ran.exitCode, stdout: withoutProgress(ran.stdout), stderr: ran.stderr };
  for (const part of ["exitCode", "stdout", "stderr"] as const) {
    if (got[part] !== step[part]) return `${part}: got ${JSON.stringify(got[part])}, want ${JSON.stringify(step[part])}`;
  }
  return undefined;
}
