// What a person reads once the platform is ready.
import { bytesText, usageText } from "./disk-usage.ts";

/** The line of `ready`, as `eider up -o json` prints it. */
export interface ReadyState {
  readonly api: string;
  readonly http: string;
  /** Where programs of this machine reach cluster-local names. */
  readonly internal: string;
  /** `localhost:5000`, as it stands in images' names; undefined without a registry. */
  readonly registry?: string;
  /** What `status` adds: bytes by what they are for. */
  readonly disk?: Readonly<Record<string, number>>;
  readonly diskBudget?: number;
  /** By name: how it runs pods, or why it does not. */
  readonly runtimes?: Readonly<Record<string, string>>;
  readonly kubeconfig: string;
  /** The platform's. */
  readonly pid: number;
  readonly keeperPid: number;
  readonly readyMs: number;
  readonly version: string;
}

export function readyText(state: ReadyState): string {
  return [
    `API         ${state.api}`,
    `HTTP        ${state.http}`,
    `inside      ${state.internal}`,
    ...(state.registry === undefined ? [] : [`registry    ${state.registry}`]),
    `kubeconfig  ${state.kubeconfig}`,
    `processes   platform ${state.pid}, keeper ${state.keeperPid}`,
    ...Object.entries(state.runtimes ?? {}).map(([name, text], index) => `${index === 0 ? "runtimes" : "        "}    ${name}: ${text}`),
    ...(state.disk === undefined ? [] : [`disk        ${diskText(state.disk, state.diskBudget)}`]),
    "",
  ].join("\n");
}

function diskText(disk: Readonly<Record<string, number>>, budget: number | undefined): string {
  const total = Object.values(disk).reduce((sum, bytes) => sum + bytes, 0);
  return `${bytesText(total)}${budget === undefined ? "" : ` of ${bytesText(budget)}`} (${usageText(disk)})`;
}

export function firstSteps(state: ReadyState): string {
  return [
    `Eider is ready after ${(state.readyMs / 1000).toFixed(2)} s.`,
    "",
    readyText(state),
    "Next:",
    `  export KUBECONFIG=${state.kubeconfig}`,
    "  eider deploy DIR          build a folder and serve it",
    "  kubectl get ksvc          kubectl and kn work, too",
    "Ctrl-C ends the platform and its pods.",
    "",
  ].join("\n");
}
