// A real platform for tests: its own data folder and free ports, started and ended through the command line.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const root = resolve(import.meta.dirname, "../..");

export interface State {
  readonly api: string;
  readonly http: string;
  readonly internal: string;
  readonly kubeconfig: string;
  /** `localhost:5000` */
  readonly registry?: string;
  readonly pid: number;
  readonly keeperPid: number;
  readonly readyMs: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Path of a program on the PATH (or of the variable's value), undefined when it is not there. */
export function findProgram(name: string, variable?: string): string | undefined {
  const given = variable === undefined ? undefined : process.env[variable];
  if (given !== undefined && given !== "") return given;
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((path) => existsSync(path));
}

export class Platform {
  readonly data: string;
  state: State;

  constructor(data: string, state: State) {
    this.data = data;
    this.state = state;
  }

  static async start(options: { readonly data?: string; readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Platform> {
    const data = options.data ?? mkdtempSync(join(tmpdir(), "eider-e2e-"));
    const args = ["up", "--detach", "--data", data, "--api-port", "0", "--http-port", "0", "--orphan-grace", "10s", ...(options.args ?? [])];
    const { code, stdout, stderr } = await eider(args, options.env);
    if (code !== 0) throw new Error(`eider up failed: ${stderr}`);
    return new Platform(data, JSON.parse(stdout) as State);
  }

  eider(...args: readonly string[]): Promise<Ran> {
    return eider([...args, "--data", this.data]);
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    const { stdout } = await run("kubectl", args, { env: { ...process.env, KUBECONFIG: this.state.kubeconfig, HOME: this.data } });
    return stdout;
  }

  /** The real kn; its path is in the variable KN. */
  kn(...args: readonly string[]): Promise<Ran> {
    return ran(findProgram("kn", "KN") ?? "kn", args, { ...process.env, KUBECONFIG: this.state.kubeconfig, HOME: this.data });
  }

  async apply(manifest: object): Promise<string> {
    const child = spawn("kubectl", ["apply", "-f", "-"], { env: { ...process.env, KUBECONFIG: this.state.kubeconfig, HOME: this.data } });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stdin.end(JSON.stringify(manifest));
    const code = await new Promise((done) => child.once("exit", done));
    if (code !== 0) throw new Error(`kubectl apply: ${text}`);
    return text;
  }

  request(host: string, path = "/", agent?: Agent): Promise<Answer> {
    return new Promise((done, fail) => {
      const call = request(this.state.http + path, { headers: { Host: host }, agent: agent ?? new Agent({ keepAlive: false }) }, (response) => {
        let body = "";
        response.setEncoding("latin1");
        response.on("data", (chunk: string) => (body += chunk));
        response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body }));
        response.on("error", fail);
      });
      call.once("error", fail);
      call.end();
    });
  }

  async stop(): Promise<void> {
    await eider(["down", "--purge", "--data", this.data]);
    rmSync(this.data, { recursive: true, force: true });
  }

  /** What the logs say, for a failing test. */
  logs(): string {
    return ["keeper.log", "platform.log"]
      .map((file) => `== ${file}\n${existsSync(join(this.data, "log", file)) ? readFileSync(join(this.data, "log", file), "utf8") : ""}`)
      .join("\n");
  }
}

export function eider(args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd?: string): Promise<Ran> {
  return ran(join(root, "bin/eider"), args, env, cwd);
}

/** Runs a program to its end; a code other than 0 is an answer, not an error. */
export async function ran(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): Promise<Ran> {
  try {
    const { stdout, stderr } = await run(program, args, { env, maxBuffer: 64 << 20, ...(cwd === undefined ? {} : { cwd }) });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return { code: typeof failed.code === "number" ? failed.code : 1, stdout: failed.stdout ?? "", stderr: failed.stderr ?? String(error) };
  }
}

/** Asks until it is true; the limit is for a test that would hang, not a measurement. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined | false>, limitMs = 60_000): Promise<T> {
  const until = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > until) throw new Error(`it never came true: ${what}`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}
