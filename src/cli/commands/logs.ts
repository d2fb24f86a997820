// eider logs: output of a Service's pods; with --follow also of the pods that come later.
import type { Command } from "commander";
import { isReason } from "#core";
import { Pod } from "#kinds";
import type { CliContext, Connection } from "../context.ts";
import { CliError } from "../exit.ts";
import { connected, withConnection, type ConnectOptions } from "./shared.ts";

interface LogFlags extends ConnectOptions {
  readonly follow?: true;
  readonly tail?: string;
  readonly revision?: string;
}

/** Between two watches. */
const RETRY_MS = 1_000;

export function addLogCommand(program: Command, context: CliContext): void {
  withConnection(program.command("logs").summary("show the output of a Service").argument("<name>", "name of the Service"))
    .option("-f, --follow", "go on with new output, also of new pods, until Ctrl-C")
    .option("--tail <lines>", "only the last lines of each pod")
    .option("--revision <name>", "only of one revision")
    .action((name: string, flags: LogFlags) => logs(name, flags, context));
}

async function logs(name: string, flags: LogFlags, context: CliContext): Promise<void> {
  if (flags.tail !== undefined && !/^\d+$/.test(flags.tail))
    throw new CliError("usage", `invalid value ${JSON.stringify(flags.tail)} for --tail: a number of lines is wanted`);
  await connected(context, flags, async (connection, namespace) => {
    const selector = [`serving.knative.dev/service=${name}`, ...(flags.revision === undefined ? [] : [`serving.knative.dev/revision=${flags.revision}`])].join(
      ",",
    );
    if (flags.follow === true) return follow({ connection, namespace, selector, flags, context });
    const { items: pods } = await connection.client.list(Pod, { namespace, labelSelector: selector });
    if (pods.length === 0) {
      throw new CliError("notFound", `no pod of service '${name}' runs in namespace '${namespace}': at zero there is no output`, {
        hint: `eider logs ${name} --follow waits for the next pod`,
      });
    }
    await Promise.all(pods.map((pod) => print(connection, pod, pods.length > 1, flags, context)));
  });
}

interface Following {
  readonly connection: Connection;
  readonly namespace: string;
  readonly selector: string;
  readonly flags: LogFlags;
  readonly context: CliContext;
}

/** Prints every pod from its first running container on; ends with Ctrl-C. */
async function follow({ connection, namespace, selector, flags, context }: Following): Promise<void> {
  const { signal, clock } = context;
  const printed = new Set<string>();
  const show = (pod: Pod): void => {
    if (printed.has(pod.metadata.uid) || pod.status?.containerStatuses?.some(({ state }) => state?.running !== undefined) !== true) return;
    printed.add(pod.metadata.uid);
    void print(connection, pod, true, flags, context).catch((error: unknown) => {
      if (!signal.aborted) context.err(`[${pod.metadata.name}] ${(error as Error).message}\n`);
    });
  };
  while (!signal.aborted) {
    const { items, resourceVersion } = await connection.client.list(Pod, { namespace, labelSelector: selector });
    items.forEach(show);
    const query = { namespace, labelSelector: selector, resourceVersion };
    try {
      for await (const event of connection.client.watch(Pod, query, signal)) if (event.type === "ADDED" || event.type === "MODIFIED") show(event.object);
    } catch (error) {
      // A closed watch is no end: list and watch again.
      if (!signal.aborted && !isReason(error, "Expired") && !isReason(error, "ServiceUnavailable")) throw error;
    }
    await clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
  signal.throwIfAborted();
}

async function print(connection: Connection, pod: Pod, labelled: boolean, flags: LogFlags, context: CliContext): Promise<void> {
  const container = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const query = new URLSearchParams({
    ...(container === undefined ? {} : { container }),
    ...(flags.follow === true ? { follow: "true" } : {}),
    ...(flags.tail === undefined ? {} : { tailLines: flags.tail }),
  });
  const path = `/api/v1/namespaces/${pod.metadata.namespace ?? ""}/pods/${pod.metadata.name}/log?${query.toString()}`;
  const prefix = labelled ? `[${pod.metadata.name}] ` : "";
  let rest = "";
  for await (const chunk of connection.openText(path, context.signal)) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) context.out(`${prefix}${line}\n`);
  }
  if (rest !== "") context.out(`${prefix}${rest}\n`);
}
