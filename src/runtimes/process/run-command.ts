// A command beside a container, for probes: one process of the keeper with a time limit.
import type { Clock } from "#core";
import type { ProcessExit, ProcessSpec } from "#protocol";
import type { KeeperClient } from "./keeper-client.ts";

export interface CommandTools {
  readonly keeper: KeeperClient;
  readonly clock: Clock;
  readonly exitOf: (processId: string) => Promise<ProcessExit | null>;
}

/** True when it ended with 0 in time; false also when it could not be started. */
export async function runCommand(
  { keeper, clock, exitOf }: CommandTools,
  spec: ProcessSpec,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    await keeper.call({ do: "start", process: spec });
  } catch {
    return false;
  }
  const over = new AbortController();
  const exit = exitOf(spec.id);
  const limit = clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal])).catch(() => undefined);
  const first = await Promise.race([exit, limit.then(() => "late" as const)]);
  over.abort();
  if (first === "late") await keeper.call({ do: "signal", process: spec.id, signal: "SIGKILL" });
  const ended = first === "late" ? await exit : first;
  await keeper.call({ do: "forget", process: spec.id });
  return first !== "late" && ended?.code === 0;
}
