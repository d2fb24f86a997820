// Tools that a build runs: their output as progress lines, their last lines when they fail.
import { spawn } from "node:child_process";
import { ImageError } from "./image-error.ts";

export interface Tool {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly progress: (line: string) => void;
}

const LINES_KEPT = 20;
const LINE_LENGTH_MAX = 400;

/** The first lines that the tool says; see runTool. */
export async function outputOfTool(tool: Tool, signal: AbortSignal): Promise<string> {
  const lines: string[] = [];
  await runTool({ ...tool, progress: (line) => void (lines.length < LINES_KEPT && lines.push(line)) }, signal);
  return lines.join("\n");
}

/** Throws ImageError `BuildFailed` with the last lines of output; ends the tool when the signal aborts. */
export function runTool({ argv, cwd, env, progress }: Tool, signal: AbortSignal): Promise<void> {
  const [program = "", ...args] = argv;
  const last: string[] = [];
  const take = (line: string): void => {
    const short = line.trimEnd().slice(0, LINE_LENGTH_MAX);
    if (short === "") return;
    last.push(short);
    if (last.length > LINES_KEPT) last.shift();
    progress(short);
  };
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...env }, stdio: ["ignore", "pipe", "pipe"], signal });
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = (lines.pop() ?? "").slice(-LINE_LENGTH_MAX);
        for (const line of lines) take(line);
      });
      stream.once("end", () => take(rest));
    }
    child.once("error", (error) => {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      reject(missing ? new ImageError("BuildFailed", `${program} is needed for this build and was not found on the PATH`, error) : error);
    });
    child.once("close", (code, killedBy) => {
      if (code === 0) return resolve();
      reject(new ImageError("BuildFailed", [`${argv.join(" ")} failed (${killedBy ?? `exit code ${code}`})`, ...last.map((line) => `  ${line}`)].join("\n")));
    });
  });
}
