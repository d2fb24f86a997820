// A command in a container: a process of the keeper, so that a platform that dies leaves nothing behind that the next one does not end.
import { join } from "node:path";
import type { Socket } from "node:net";
import { StatusError, type Clock, type Logger } from "#core";
import type { ProcessExit, ProcessIdentity, ProcessSpec } from "#protocol";
import type { RunningCommand } from "../port.ts";
import { exitCodeOf } from "./exit-code.ts";
import { makeFifos, readingEnd, removeFifos, writingEnd } from "./fifo.ts";
import type { KeeperClient } from "./keeper-client.ts";
import { onTerminal, programOn, terminalOf } from "./terminal.ts";

export interface SessionTools {
  readonly keeper: KeeperClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly exitOf: (processId: string) => Promise<ProcessExit | null>;
  /** Where FIFOs lie until both sides have opened them. */
  readonly fifosDir: string;
}

export interface SessionRequest {
  /** Its output goes to FIFOs, whatever it says. */
  readonly spec: ProcessSpec;
  readonly stdin: boolean;
  readonly tty: boolean;
  /** Aborts when the container ends. */
  readonly over: AbortSignal;
}

/** Output that somebody who left the command's group still holds open is waited for in vain. */
const QUIET_MS = 2_000;

/** Throws InternalError when it cannot be started. */
export async function startCommand(tools: SessionTools, { spec: given, stdin, tty, over }: SessionRequest): Promise<RunningCommand> {
  const { keeper, fifosDir } = tools;
  const spec = tty ? onTerminal(given, terminalProgram(given.env["PATH"] ?? "")) : given;
  const fifo = (name: string): string => join(fifosDir, `${encodeURIComponent(spec.id)}.${name}`);
  const paths = ["out", ...(tty ? [] : ["err"]), ...(stdin ? ["in"] : [])].map(fifo);
  try {
    await makeFifos(paths, spec.user);
    const output = readingEnd(fifo("out"));
    const error = tty ? undefined : readingEnd(fifo("err"));
    const input = stdin ? writingEnd(fifo("in")) : undefined;
    try {
      const { outputFile: _file, ...rest } = spec;
      const process: ProcessSpec = {
        ...rest,
        outputFile: fifo("out"),
        ...(tty ? {} : { errorFifo: fifo("err") }),
        ...(stdin ? { input: { fifo: fifo("in"), endless: false } } : {}),
      };
      const { identity } = await keeper.call({ do: "start", process });
      const streams = { stdin: input?.use(), stdout: output.use(), stderr: error?.use() };
      return running(tools, { id: spec.id, identity, tty, over, ...streams });
    } catch (failure) {
      for (const end of [output, error, input]) end?.abandon();
      throw failure;
    }
  } catch (failure) {
    throw new StatusError("InternalError", `error executing command in container: ${whyNotStarted(failure, given)}`, { cause: failure });
  } finally {
    removeFifos(paths);
  }
}

function terminalProgram(path: string): string {
  const script = process.platform === "linux" ? programOn(path, "script") : undefined;
  if (script !== undefined) return script;
  throw new StatusError("InternalError", "there is no terminal to offer: the program `script` of util-linux is not on the PATH; try without -t");
}

function whyNotStarted(failure: unknown, { argv, env }: ProcessSpec): string {
  const [program = ""] = argv;
  const missing = program.includes("/") ? (failure as Error).message.endsWith("ENOENT") : programOn(env["PATH"] ?? "", program) === undefined;
  return missing ? `exec: ${JSON.stringify(program)}: executable file not found in $PATH` : (failure as Error).message;
}

interface Started {
  readonly id: string;
  readonly identity: ProcessIdentity | undefined;
  readonly tty: boolean;
  readonly over: AbortSignal;
  readonly stdin: RunningCommand["stdin"];
  readonly stdout: Socket;
  readonly stderr: Socket | undefined;
}

function running({ keeper, clock, logger, exitOf }: SessionTools, { id, identity, tty, over, stdin, stdout, stderr }: Started): RunningCommand {
  const terminal = tty && identity !== undefined ? terminalOf(identity.pid, clock) : undefined;
  const outputs = [stdout, ...(stderr === undefined ? [] : [stderr])];
  let exited = false;
  const kill = async (): Promise<void> => {
    if (exited) return;
    const leader = await terminal?.leader();
    await keeper.call({ do: "signal", process: id, signal: "SIGKILL" }).catch((err: unknown) => logger.warn("command was not ended", { process: id, err }));
    // The terminal's session is not of the group that the keeper ends.
    if (leader !== undefined) killGroup(leader);
  };
  const onOver = (): void => void kill();
  over.addEventListener("abort", onOver, { once: true });
  const settle = async (): Promise<number> => {
    const exit = await exitOf(id);
    exited = true;
    terminal?.close();
    over.removeEventListener("abort", onOver);
    stdin?.destroy();
    await keeper.call({ do: "forget", process: id }).catch((err: unknown) => logger.warn("command was not forgotten", { process: id, err }));
    for (const output of outputs) void endWhenQuiet(output, clock);
    return exitCodeOf(exit);
  };
  const ended = settle();
  if (over.aborted) onOver();
  return {
    stdin,
    stdout,
    stderr,
    ended,
    resize: (size) => terminal?.resize(size),
    async end() {
      await kill();
      stdin?.destroy();
      for (const output of outputs) output.destroy();
      await ended;
    },
  };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It has ended with its terminal.
  }
}

/** The command has ended: once nothing more comes, and the reader has taken all, so does its output. */
async function endWhenQuiet(output: Socket, clock: Clock): Promise<void> {
  const over = new AbortController();
  output.once("close", () => over.abort());
  try {
    for (let before = -1; before !== output.bytesRead || output.readableLength > 0;) {
      before = output.bytesRead;
      await clock.sleep(QUIET_MS, over.signal);
    }
    output.push(null);
  } catch {
    // It has ended by itself.
  }
}
