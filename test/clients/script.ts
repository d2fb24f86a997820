// A script of real programs: one command a line; each is run by a shell against one server and leaves its code and its output.
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a command came to, as it was printed. */
export interface Outcome {
  readonly command: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ScriptRun {
  readonly commands: readonly string[];
  readonly kubeconfig: string;
  /** Program name → path: what the commands call. */
  readonly programs: Readonly<Record<string, string>>;
  /** Told before each command: how many are done, and which is next. */
  readonly onProgress?: (done: number, next: string) => void;
}

export const FILES = join(import.meta.dirname, "files");
/** No command of a script takes so long; one that does is ended and counts as code 124. */
const COMMAND_MS_MAX = 60_000;
const OUTPUT_CHARS_MAX = 4 << 20;

/** The commands of a script's text, without comments and empty lines. */
export function commandsOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

export function readScript(name: string): string[] {
  return commandsOf(readFileSync(join(import.meta.dirname, `${name}.script`), "utf8"));
}

function run(command: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((done, fail) => {
    const child = spawn("sh", ["-c", command], { cwd: FILES, env, stdio: ["ignore", "pipe", "pipe"], timeout: COMMAND_MS_MAX });
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        if (text[name].length < OUTPUT_CHARS_MAX) text[name] += chunk;
      });
    }
    child.once("error", fail);
    child.once("close", (code) => done({ command, code: code ?? 124, ...text }));
  });
}

/** Runs the commands one after the other with a home and a search path of their own. */
export async function runScript({ commands, kubeconfig, programs, onProgress }: ScriptRun): Promise<Outcome[]> {
  const home = mkdtempSync(join(tmpdir(), "eider-clients-"));
  const bin = join(home, "bin");
  mkdirSync(bin);
  for (const [name, path] of Object.entries(programs)) symlinkSync(path, join(bin, name));
  chmodSync(home, 0o700);
  const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: home, KUBECONFIG: kubeconfig, TMPDIR: home, TZ: "UTC", LANG: "C" };
  const outcomes: Outcome[] = [];
  try {
    for (const command of commands) {
      onProgress?.(outcomes.length, command);
      outcomes.push(await run(command, env));
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return outcomes;
}
