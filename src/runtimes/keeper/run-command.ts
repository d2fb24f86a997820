// A short command beside a container, for probes and hooks: one process of the keeper with a time limit, its output in a file.
import { open, rm } from "node:fs/promises";
import type { Clock } from "#core";
import type { ProcessExit, ProcessSpec } from "#protocol";
import { RUN_OUTPUT_BYTES_MAX, type CommandResult } from "../engine.ts";
import { exitCodeOf } from "./exit-code.ts";
import type { KeeperClient } from "./keeper-client.ts";

export interface CommandTools {
  readonly keeper: KeeperClient;
  readonly clock: Clock;
  readonly exitOf: (processId: string) => Promise<ProcessExit | null>;
}

/** Its output file is removed. Rejects when it cannot be started. */
export async function runCommand(
  { keeper, clock, exitOf }: CommandTools,
  spec: ProcessSpec,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<CommandResult> {
  await keeper.call({ do: "start", process: spec });
  const over = new AbortController();
  const exit = exitOf(spec.id);
  const limit = clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal])).catch(() => undefined);
  const first = await Promise.race([exit, limit.then(() => "late" as const)]);
  over.abort();
  if (first === "late") await keeper.call({ do: "signal", process: spec.id, signal: "SIGKILL" });
  const ended = first === "late" ? await exit : first;
  await keeper.call({ do: "forget", process: spec.id });
  const output = await startOf(spec.outputFile);
  await rm(spec.outputFile, { force: true });
  return { exitCode: first === "late" ? undefined : exitCodeOf(ended), output };
}

/** Empty when the command wrote nothing. */
async function startOf(file: string): Promise<string> {
  const handle = await open(file, "r").catch(() => undefined);
  if (handle === undefined) return "";
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(RUN_OUTPUT_BYTES_MAX), 0, RUN_OUTPUT_BYTES_MAX, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
