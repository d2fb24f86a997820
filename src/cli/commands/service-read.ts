// eider service list, describe and delete.
import type { Command } from "commander";
import { Revision, Service } from "#kinds";
import type { Condition } from "#schema";
import { readyView } from "../conditions.ts";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit.ts";
import { age, formatted, parseFormat, table } from "../output.ts";
import { connected, withConnection, type ConnectOptions } from "./shared.ts";

interface ListFlags extends ConnectOptions {
  readonly allNamespaces?: true;
  readonly output?: string;
}

export function withListFlags(command: Command): Command {
  return withConnection(command).option("-A, --all-namespaces", "of all namespaces").option("-o, --output <format>", "json, yaml or name");
}

export function addServiceReadCommands(service: Command, context: CliContext): void {
  withListFlags(service.command("list").summary("list Services")).action((flags: ListFlags) => list(flags, context));
  withConnection(service.command("describe").summary("show a Service").argument("<name>", "name of the Service"))
    .option("-o, --output <format>", "json, yaml, name or url")
    .action((name: string, flags: ListFlags) => describe(name, flags, context));
  withConnection(service.command("delete").summary("delete Services").argument("<names...>", "names of the Services"))
    .option("--wait", "wait until everything that belongs to them is gone")
    .action((names: readonly string[], flags: ConnectOptions & { readonly wait?: true }) => remove(names, flags, context));
}

async function list(flags: ListFlags, context: CliContext): Promise<void> {
  const format = parseFormat(flags.output);
  await connected(context, flags, async ({ client }, namespace) => {
    const { items } = await client.list(Service, flags.allNamespaces === true ? {} : { namespace });
    if (format !== undefined) return context.out(formatted(format, items, false));
    if (items.length === 0) return context.out("No services found.\n");
    const now = context.clock.wallMs();
    const rows = items.map((item) => {
      const view = readyView(item.status?.conditions);
      const cells = [
        item.metadata.name,
        item.status?.url ?? "",
        item.status?.latestReadyRevisionName ?? "",
        age(item.metadata.creationTimestamp, now),
        view.conditions,
        view.ready,
        view.reason,
      ];
      return flags.allNamespaces === true ? [item.metadata.namespace ?? "", ...cells] : cells;
    });
    const header = ["NAME", "URL", "LATEST", "AGE", "CONDITIONS", "READY", "REASON"];
    context.out(table(flags.allNamespaces === true ? ["NAMESPACE", ...header] : header, rows));
  });
}

async function describe(name: string, flags: ListFlags, context: CliContext): Promise<void> {
  const urlOnly = flags.output === "url";
  const format = urlOnly ? undefined : parseFormat(flags.output);
  await connected(context, flags, async ({ client }, namespace) => {
    const service = await client.get(Service, namespace, name);
    if (urlOnly) return context.out(`${service.status?.url ?? ""}\n`);
    if (format !== undefined) return context.out(formatted(format, [service], true));
    const now = context.clock.wallMs();
    context.out(
      `Name:       ${name}\nNamespace:  ${namespace}\nAge:        ${age(service.metadata.creationTimestamp, now)}\nURL:        ${service.status?.url ?? ""}\n`,
    );
    context.out("\nRevisions:\n");
    for (const target of service.status?.traffic ?? []) {
      const revision = await client.find(Revision, namespace, target.revisionName ?? "");
      const label = target.latestRevision === true ? `@latest (${target.revisionName})` : (target.revisionName ?? "");
      const tag = target.tag === undefined ? "" : ` #${target.tag}`;
      const generation = revision?.metadata.labels?.["serving.knative.dev/configurationGeneration"] ?? "";
      context.out(`  ${`${target.percent ?? 0}%`.padStart(4)}  ${label}${tag} [${generation}] (${age(revision?.metadata.creationTimestamp, now)})\n`);
      context.out(`        Image:     ${revision?.spec.containers[0]?.image ?? ""}\n`);
      context.out(`        Replicas:  ${revision?.status?.actualReplicas ?? 0}/${revision?.status?.desiredReplicas ?? 0}\n`);
    }
    context.out(`\nConditions:\n${conditionTable(service.status?.conditions ?? [], now)}`);
  });
}

function conditionTable(conditions: readonly Condition[], nowMs: number): string {
  const sorted = [...conditions].sort((a, b) => Number(b.type === "Ready") - Number(a.type === "Ready") || a.type.localeCompare(b.type));
  const mark = { True: "++", False: "!!", Unknown: "??" } as const;
  const rows = sorted.map((condition) => [`  ${mark[condition.status]}`, condition.type, age(condition.lastTransitionTime, nowMs), condition.reason ?? ""]);
  return table(["  OK", "TYPE", "AGE", "REASON"], rows);
}

async function remove(names: readonly string[], flags: ConnectOptions & { readonly wait?: true }, context: CliContext): Promise<void> {
  await connected(context, flags, async ({ client }, namespace) => {
    const errors: string[] = [];
    for (const name of names) {
      try {
        const before = await client.get(Service, namespace, name);
        await client.delete(Service, { namespace, name }, { propagationPolicy: flags.wait === true ? "Foreground" : "Background" });
        if (flags.wait === true) await gone(before, context, client);
        context.out(`Service '${name}' successfully deleted in namespace '${namespace}'.\n`);
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
    if (errors.length > 0) throw new CliError("notFound", errors.join("\n"), { hint: "eider service list" });
  });
}

async function gone(service: Service, context: CliContext, client: Parameters<Parameters<typeof connected>[2]>[0]["client"]): Promise<void> {
  const { name, namespace = "", resourceVersion } = service.metadata;
  for await (const event of client.watch(Service, { namespace, fieldSelector: `metadata.name=${name}`, resourceVersion }, context.signal)) {
    if (event.type === "DELETED") return;
  }
  context.signal.throwIfAborted();
}
