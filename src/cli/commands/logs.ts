// eider logs: output of a Service's pods, also of those that run no more as long as they are known.
import type { Command } from "commander";
import { Pod } from "#kinds";
import type { CliContext, Connection } from "../context.ts";
import { CliError } from "../exit.ts";
import { connected, withConnection, type ConnectOptions } from "./shared.ts";

interface LogFlags extends ConnectOptions {
  readonly follow?: true;
  readonly tail?: string;
  readonly revision?: string;
}

export function addLogCommand(program: Command, context: CliContext): void {
  withConnection(program.command("logs").summary("show the output of a Service").argument("<name>", "name of the Service"))
    .option("-f, --follow", "go on with new output until Ctrl-C")
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
    const { items: pods } = await connection.client.list(Pod, { namespace, labelSelector: selector });
    if (pods.length === 0) {
      throw new CliError("notFound", `no pod of service '${name}' runs in namespace '${namespace}': at zero there is no output to follow`, {
        hint: `eider service describe ${name}`,
      });
    }
    await Promise.all(pods.map((pod) => print(connection, pod, pods.length > 1, flags, context)));
  });
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
