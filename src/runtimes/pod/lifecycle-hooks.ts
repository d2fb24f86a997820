// What a container asks to be done right after its start and before its end: a command, a request, a pause.
import type { Clock } from "#core";
import type { CoreContainer, Pod } from "#kinds";
import type { PodAddress } from "../addresses.ts";
import type { CommandResult } from "../engine.ts";
import { httpGetStatus } from "./probes.ts";

type Lifecycle = NonNullable<CoreContainer["lifecycle"]>;
export type LifecycleHook = NonNullable<Lifecycle["postStart"]>;

/** Where a container's hooks go. */
export interface HookTarget {
  readonly clock: Clock;
  /** Where a container port is reached, by its number or its name. */
  addressOf(port: number | string): PodAddress;
  /** Rejects when the command cannot be started. */
  run(argv: readonly string[], limits: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<CommandResult>;
}

/** Kubernetes gives hooks no time of their own; the pod's grace ends most of them before. */
const HOOK_MS_MAX = 86_400_000;
const USER_AGENT = "kube-lifecycle/1.34";

/** Undefined: done. Else what went wrong, in the kubelet's words. Rejects when the signal aborts. */
export async function runHook(
  { exec, httpGet, sleep }: LifecycleHook,
  { pod, container, target }: { readonly pod: Pod; readonly container: string; readonly target: HookTarget },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name, namespace = "", uid } = pod.metadata;
  const failed = (what: string, error: string): string => `${what} for Container "${container}" in Pod "${name}_${namespace}(${uid})" failed - error: ${error}`;
  const limits = { timeoutMs: HOOK_MS_MAX, signal };
  if (exec !== undefined) {
    const argv = exec.command ?? [];
    const outcome = await target.run(argv, limits).catch((error: unknown) => (error as Error).message);
    signal.throwIfAborted();
    const what = `Exec lifecycle hook ([${argv.join(" ")}])`;
    if (typeof outcome === "string") return failed(what, `${outcome}, message: ""`);
    if (outcome.exitCode === 0) return undefined;
    return failed(what, `command '${argv.join(" ")}' exited with ${outcome.exitCode ?? "no code"}: , message: ${JSON.stringify(outcome.output)}`);
  }
  if (httpGet !== undefined) {
    // Whatever the program answers, it was told.
    const outcome = await httpGetStatus(httpGet, target.addressOf(httpGet.port), { ...limits, userAgent: USER_AGENT }).catch(
      (error: unknown) => error as Error,
    );
    signal.throwIfAborted();
    return typeof outcome === "number" ? undefined : failed(`HTTP lifecycle hook (${httpGet.path ?? ""})`, outcome.message);
  }
  if (sleep === undefined) return "Cannot run handler: invalid handler";
  await target.clock.sleep(sleep.seconds * 1000, signal);
  return undefined;
}
