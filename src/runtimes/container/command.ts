// Commands in running containers: the daemon starts them, and the connection becomes their streams.
import { finished } from "node:stream/promises";
import { StatusError, type Clock, type Logger } from "#core";
import { RUN_OUTPUT_BYTES_MAX, type CommandResult } from "../engine.ts";
import type { RunningCommand } from "../port.ts";
import type { DaemonClient } from "./daemon-client.ts";
import { splitOutput } from "./multiplex.ts";

export interface CommandTools {
  readonly client: DaemonClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The daemon's processes are this machine's: only then can a command be ended. */
  readonly sharesProcesses: boolean;
}

export interface ContainerCommand {
  readonly argv: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

interface ExecState {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid: number;
}

/** The daemon tells the exit code a moment after the last output. */
const EXIT_TRIES = 100;
const EXIT_EVERY_MS = 20;
/** What shells and the kubelet say of a command that was killed. */
const KILLED = 137;

/** Throws InternalError in the kubelet's words when it cannot be started. */
export async function startCommand(tools: CommandTools, container: string, command: ContainerCommand, over: AbortSignal): Promise<RunningCommand> {
  const { client, clock } = tools;
  const { argv, stdin, tty } = command;
  try {
    const body = { Cmd: argv, AttachStdin: stdin, AttachStdout: true, AttachStderr: true, Tty: tty };
    const { Id: id } = await client.call<{ readonly Id: string }>({ method: "POST", path: `/containers/${container}/exec`, body });
    const connection = await client.takeOver({ method: "POST", path: `/exec/${id}/start`, body: { Detach: false, Tty: tty } });
    const { stdout, stderr } = tty ? { stdout: connection, stderr: undefined } : splitOutput(connection);
    const end = async (): Promise<void> => {
      await kill(tools, id);
      connection.destroy();
    };
    const onOver = (): void => void end();
    over.addEventListener("abort", onOver, { once: true });
    const settle = async (): Promise<number> => {
      await finished(connection, { writable: false }).catch(() => undefined);
      over.removeEventListener("abort", onOver);
      return exitCode(client, clock, id);
    };
    if (!stdin) connection.end();
    const ended = settle();
    if (over.aborted) onOver();
    return {
      stdin: stdin ? connection : undefined,
      stdout,
      stderr,
      ended,
      resize({ width, height }) {
        const query = { w: String(width), h: String(height) };
        void client.call({ method: "POST", path: `/exec/${id}/resize`, query }).catch(() => undefined);
      },
      end,
    };
  } catch (error) {
    throw new StatusError("InternalError", `error executing command in container: ${(error as Error).message}`, { cause: error });
  }
}

/** To its end, or until its time is over. */
export async function runCommand(
  tools: CommandTools,
  container: string,
  argv: readonly string[],
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<CommandResult> {
  const late = new AbortController();
  const done = new AbortController();
  const command = await startCommand(tools, container, { argv, stdin: false, tty: false }, AbortSignal.any([signal, late.signal]));
  void tools.clock.sleep(timeoutMs, done.signal).then(
    () => late.abort(),
    () => undefined,
  );
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (const output of [command.stdout, command.stderr]) {
    output?.on("data", (chunk: Buffer) => {
      if (bytes < RUN_OUTPUT_BYTES_MAX) chunks.push(chunk.subarray(0, RUN_OUTPUT_BYTES_MAX - bytes));
      bytes += chunk.length;
    });
  }
  const code = await command.ended;
  done.abort();
  return { exitCode: late.signal.aborted ? undefined : code, output: Buffer.concat(chunks).toString("utf8") };
}

async function stateOf(client: DaemonClient, id: string): Promise<ExecState | undefined> {
  return client.call<ExecState>({ method: "GET", path: `/exec/${id}/json` }).catch(() => undefined);
}

async function exitCode(client: DaemonClient, clock: Clock, id: string): Promise<number> {
  const never = new AbortController().signal;
  for (let attempt = 0; attempt < EXIT_TRIES; attempt++) {
    const state = await stateOf(client, id);
    if (state === undefined) return KILLED;
    if (!state.Running) return state.ExitCode ?? KILLED;
    await clock.sleep(EXIT_EVERY_MS, never);
  }
  return KILLED;
}

/** The API has no verb for it. Where the daemon's processes are not ours, the command goes on until its container ends. */
async function kill({ client, sharesProcesses, logger }: CommandTools, id: string): Promise<void> {
  const state = await stateOf(client, id);
  if (state?.Running !== true || state.Pid <= 0) return;
  if (!sharesProcesses) return logger.warn("command in a container goes on: the daemon's processes are out of reach", { command: id });
  try {
    process.kill(state.Pid, "SIGKILL");
  } catch (err) {
    logger.debug("command was not ended", { command: id, err });
  }
}
