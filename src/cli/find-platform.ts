// Which platform a command means: --kubeconfig, then --data, then $KUBECONFIG, then the default folder.
import { dirname, join, resolve } from "node:path";
import type { CliContext } from "./context.ts";
import { CliError } from "./exit.ts";

export interface Where {
  readonly kubeconfig?: string | undefined;
  readonly data?: string | undefined;
}

/** `$XDG_DATA_HOME/eider`, by default `~/.local/share/eider`. */
export function defaultDataDir(context: Pick<CliContext, "env" | "home">): string {
  const base = context.env["XDG_DATA_HOME"];
  return join(base !== undefined && base !== "" ? base : join(context.home, ".local", "share"), "eider");
}

/** Path of the kubeconfig to use. Throws CliError when there is none, saying where it was looked for. */
export function findKubeconfig(where: Where, context: Pick<CliContext, "env" | "home" | "exists">): string {
  if (where.kubeconfig !== undefined) return required(where.kubeconfig, "--kubeconfig", context);
  if (where.data !== undefined) return required(join(where.data, "kubeconfig"), "--data", context);
  const fromEnv = context.env["KUBECONFIG"]?.split(":").find((path) => path !== "");
  if (fromEnv !== undefined) return required(fromEnv, "$KUBECONFIG", context);
  const standard = join(defaultDataDir(context), "kubeconfig");
  if (context.exists(standard)) return standard;
  throw new CliError("unreachable", `no platform found: no --kubeconfig, no --data, no $KUBECONFIG, and no ${standard}`, { hint: "eider up --detach" });
}

/**
 * The data folder that a command works in, found in the same order and absolute. A $KUBECONFIG that lies in no data folder
 * is passed over; one that was asked for by --kubeconfig is an error.
 */
export function findDataDir(where: Where, context: Pick<CliContext, "env" | "home" | "exists">): string {
  const around = (kubeconfig: string): string | undefined => {
    const dir = dirname(resolve(kubeconfig));
    return context.exists(join(dir, "keeper.lock")) ? dir : undefined;
  };
  if (where.kubeconfig !== undefined) {
    const dir = around(where.kubeconfig);
    if (dir !== undefined) return dir;
    if (where.data === undefined) {
      throw new CliError("usage", `${where.kubeconfig} lies in no data folder of a platform`, { hint: "say which one with --data DIR" });
    }
  }
  if (where.data !== undefined) return resolve(where.data);
  const fromEnv = context.env["KUBECONFIG"]?.split(":").find((path) => path !== "");
  return (fromEnv === undefined ? undefined : around(fromEnv)) ?? defaultDataDir(context);
}

function required(path: string, source: string, context: Pick<CliContext, "exists">): string {
  if (context.exists(path)) return path;
  throw new CliError("unreachable", `${source} names ${path}, which does not exist`, { hint: "eider up --detach" });
}
