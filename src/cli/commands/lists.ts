// eider revision list and eider route list.
import type { Command } from "commander";
import { Revision, Route } from "#kinds";
import { readyView } from "../conditions.ts";
import type { CliContext } from "../context.ts";
import { age, formatted, parseFormat, table } from "../output.ts";
import { withListFlags } from "./service-read.ts";
import { connected, type ConnectOptions } from "./shared.ts";

interface ListFlags extends ConnectOptions {
  readonly allNamespaces?: true;
  readonly output?: string;
  readonly service?: string;
}

const SERVICE_LABEL = "serving.knative.dev/service";
const GENERATION_LABEL = "serving.knative.dev/configurationGeneration";
/** kn cuts longer cells of this table. */
const CELL_LENGTH_MAX = 50;

export function addListCommands(program: Command, context: CliContext): void {
  const revision = program.command("revision").summary("revisions of Services");
  withListFlags(revision.command("list").summary("list revisions"))
    .option("-s, --service <name>", "only those of one Service")
    .action((flags: ListFlags) => listRevisions(flags, context));
  const route = program.command("route").summary("routes to revisions");
  withListFlags(route.command("list").summary("list routes")).action((flags: ListFlags) => listRoutes(flags, context));
}

async function listRevisions(flags: ListFlags, context: CliContext): Promise<void> {
  const format = parseFormat(flags.output);
  await connected(context, flags, async ({ client }, namespace) => {
    const scope = flags.allNamespaces === true ? {} : { namespace };
    const { items } = await client.list(Revision, { ...scope, ...(flags.service === undefined ? {} : { labelSelector: `${SERVICE_LABEL}=${flags.service}` }) });
    if (format !== undefined) return context.out(formatted(format, items, false));
    if (items.length === 0) return context.out("No revisions found.\n");
    const { items: routes } = await client.list(Route, scope);
    const now = context.clock.wallMs();
    const generation = (item: Revision): number => Number(item.metadata.labels?.[GENERATION_LABEL] ?? 0);
    const service = (item: Revision): string => item.metadata.labels?.[SERVICE_LABEL] ?? "";
    const sorted = [...items].sort(
      (a, b) => (a.metadata.namespace ?? "").localeCompare(b.metadata.namespace ?? "") || service(a).localeCompare(service(b)) || generation(b) - generation(a),
    );
    const rows = sorted.map((item) => {
      const targets = routes
        .filter((r) => r.metadata.namespace === item.metadata.namespace)
        .flatMap((r) => r.status?.traffic ?? [])
        .filter((t) => t.revisionName === item.metadata.name);
      const percent = targets.reduce((sum, target) => sum + (target.percent ?? 0), 0);
      const tags = targets.flatMap((target) => (target.tag === undefined ? [] : [target.tag])).join(",");
      const view = readyView(item.status?.conditions);
      const cells = [
        item.metadata.name,
        service(item),
        percent > 0 ? `${percent}%` : "",
        tags,
        String(generation(item) || ""),
        age(item.metadata.creationTimestamp, now),
        view.conditions,
        view.ready,
        view.reason,
      ];
      return (flags.allNamespaces === true ? [item.metadata.namespace ?? "", ...cells] : cells).map((cell) => cell.slice(0, CELL_LENGTH_MAX));
    });
    const header = ["NAME", "SERVICE", "TRAFFIC", "TAGS", "GENERATION", "AGE", "CONDITIONS", "READY", "REASON"];
    context.out(table(flags.allNamespaces === true ? ["NAMESPACE", ...header] : header, rows));
  });
}

async function listRoutes(flags: ListFlags, context: CliContext): Promise<void> {
  const format = parseFormat(flags.output);
  await connected(context, flags, async ({ client }, namespace) => {
    const { items } = await client.list(Route, flags.allNamespaces === true ? {} : { namespace });
    if (format !== undefined) return context.out(formatted(format, items, false));
    if (items.length === 0) return context.out("No routes found.\n");
    const rows = items.map((item) => {
      const cells = [item.metadata.name, item.status?.url ?? "", readyView(item.status?.conditions).ready];
      return flags.allNamespaces === true ? [item.metadata.namespace ?? "", ...cells] : cells;
    });
    context.out(table(flags.allNamespaces === true ? ["NAMESPACE", "NAME", "URL", "READY"] : ["NAME", "URL", "READY"], rows));
  });
}
