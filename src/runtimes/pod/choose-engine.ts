// Which engine runs a pod. Pure.
import type { PodSpec } from "#kinds";
import { RUNTIME_NAMES, type RuntimeName } from "../engine.ts";

export interface EngineQuestion {
  /** What ran it before. */
  readonly recorded: string | undefined;
  readonly spec: Pick<PodSpec, "runtimeClassName">;
  /** Those that this machine has. */
  readonly available: readonly RuntimeName[];
  /** Whether all its images are folders that `eider build` made for programs of the host. */
  readonly hostBuilt: boolean;
}

/**
 * | recorded, else runtimeClassName | hostBuilt | then |
 * |---|---|---|
 * | one of ours | – | that one, or a complaint when this machine has it not |
 * | another | – | a complaint in Kubernetes' words |
 * | none | yes | process |
 * | none | no  | container, else sandbox, else process: the first that this machine has |
 */
export function chooseEngine({ recorded, spec, available, hostBuilt }: EngineQuestion): { readonly runtime: RuntimeName } | { readonly complaint: string } {
  const asked = recorded ?? spec.runtimeClassName ?? "";
  if (asked === "") {
    const order = hostBuilt ? (["process", "container", "sandbox"] as const) : (["container", "sandbox", "process"] as const);
    const runtime = order.find((name) => available.includes(name));
    return runtime === undefined ? { complaint: "this machine has no runtime" } : { runtime };
  }
  const runtime = RUNTIME_NAMES.find((name) => name === asked);
  if (runtime === undefined) return { complaint: `runtimeclass.node.k8s.io "${asked}" not found; runtimes here are ${available.join(", ")}` };
  return available.includes(runtime) ? { runtime } : { complaint: missing(runtime, available) };
}

function missing(runtime: RuntimeName, available: readonly RuntimeName[]): string {
  const why = {
    process: "",
    sandbox: ": it needs Linux, the programs of util-linux and overlayfs",
    container: ": it needs the socket of Docker or Podman",
  }[runtime];
  return `this machine does not have the runtime "${runtime}"${why}; runtimes here are ${available.join(", ")}`;
}
