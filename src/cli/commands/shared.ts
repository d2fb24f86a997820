// What most commands share: options that find the platform, and opening it.
import type { Command } from "commander";
import type { CliContext, Connection } from "../context.ts";
import { findKubeconfig } from "../find-platform.ts";

/** As commander hands them over. */
export interface ConnectOptions {
  readonly kubeconfig?: string;
  readonly data?: string;
  readonly namespace?: string;
}

export function withConnection(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig of the platform or cluster")
    .option("--data <dir>", "data folder of the platform")
    .option("-n, --namespace <name>", "namespace (default: the kubeconfig's)");
}

/** Runs with an open connection and closes it afterwards. */
export async function connected<T>(context: CliContext, options: ConnectOptions, run: (connection: Connection, namespace: string) => Promise<T>): Promise<T> {
  const connection = await context.connect(findKubeconfig(options, context));
  try {
    return await run(connection, options.namespace ?? connection.namespace);
  } finally {
    connection.close();
  }
}

export const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];
