// eider service create, update and apply.
import { Option, type Command } from "commander";
import { parseAllDocuments } from "yaml";
import { isReason, rfc3339 } from "#core";
import { Service } from "#kinds";
import type { Draft } from "#schema";
import { isSame, threeWayPatch, withLastApplied } from "../apply.ts";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit.ts";
import { newService, withFlags, type ServiceFlags } from "../service-spec.ts";
import { finish, readFinishFlags } from "./service-finish.ts";
import { collect, connected, withConnection, type ConnectOptions } from "./shared.ts";

interface WriteFlags extends ServiceFlags, ConnectOptions {
  readonly filename?: string;
  readonly force?: true;
  readonly wait: boolean;
  readonly waitTimeout: string;
  readonly output?: string;
}

/** Attempts of a read-change-write that others interrupt. */
const CONFLICTS_MAX = 5;

export function addServiceWriteCommands(service: Command, context: CliContext): void {
  withServiceFlags(service.command("create").summary("create a Service").argument("<name>", "name of the Service"))
    .option("-f, --filename <file>", "Service manifest; other flags are applied on top")
    .option("--force", "replace a Service that exists")
    .action((name: string, flags: WriteFlags) => create(name, flags, context));
  withServiceFlags(service.command("update").summary("update a Service").argument("<name>", "name of the Service"))
    .option("--traffic <ref=percent>", "share of the traffic, REF is @latest, a tag or a revision; may be repeated", collect)
    .option("--untag <tag>", "remove a tag; may be repeated", collect)
    .action((name: string, flags: WriteFlags) => update(name, flags, context));
  withServiceFlags(service.command("apply").summary("create or update a Service declaratively").argument("[name]", "name of the Service"))
    .option("-f, --filename <file>", "Service manifest; other flags are applied on top")
    .action((name: string | undefined, flags: WriteFlags) => apply(name, flags, context));
}

function withServiceFlags(command: Command): Command {
  return withConnection(command)
    .option("--image <name>", "image to run")
    .option("-e, --env <name=value>", "environment variable, NAME- removes one; may be repeated", collect)
    .option("-p, --port <port>", "[NAME:]PORT that the program listens on; NAME is h2c or http1")
    .option("--cmd <word>", "command to run instead of the image's; may be repeated", collect)
    .option("--arg <word>", "argument of the command; may be repeated", collect)
    .option("--scale <range>", "a..b, a.., ..b or n")
    .option("--scale-min <n>", "fewest pods")
    .option("--scale-max <n>", "most pods")
    .option("--scale-init <n>", "pods at the start")
    .option("--scale-target <n>", "requests a pod to scale by")
    .option("--scale-metric <name>", "concurrency or rps")
    .option("--scale-utilization <percent>", "share of the target to aim at")
    .option("--scale-window <duration>", "time that decisions look back, for instance 60s")
    .option("--concurrency-limit <n>", "most requests at once in a pod, 0 for no limit")
    .option("--timeout <seconds>", "longest time of a request")
    .option("--request <name=quantity>", "requested resources, for instance cpu=100m,memory=64Mi", collect)
    .option("--limit <name=quantity>", "limits of resources", collect)
    .option("-l, --label <key=value>", "label of Service and revision, KEY- removes one", collect)
    .option("-a, --annotation <key=value>", "annotation of Service and revision, KEY- removes one", collect)
    .addOption(new Option("--cluster-local", "not reachable from outside").conflicts("noClusterLocal"))
    .option("--no-cluster-local", "reachable from outside")
    .option("--revision-name <template>", "name of the revision, for instance {{.Service}}-v{{.Generation}}")
    .option("--service-account <name>", "service account to run as")
    .option("--tag <ref=tag>", "tag of a revision, REF is @latest or a revision; may be repeated", collect)
    .option("--no-wait", "do not wait until it is ready")
    .option("--wait-timeout <seconds>", "how long to wait", "600")
    .option("-o, --output <format>", "json, yaml or name");
}

/** commander sets a negatable flag to true when neither form was given; only what was asked for counts. */
function given(flags: WriteFlags, command: readonly string[]): ServiceFlags {
  const { clusterLocal, ...rest } = flags;
  const asked = command.some((word) => word === "--cluster-local" || word === "--no-cluster-local");
  return asked && clusterLocal !== undefined ? { ...rest, clusterLocal } : rest;
}

async function create(name: string, flags: WriteFlags, context: CliContext): Promise<void> {
  readFinishFlags(flags);
  if (flags.image === undefined && flags.filename === undefined)
    throw new CliError("usage", "'service create' requires the image name to run provided with the --image option");
  await connected(context, flags, async ({ client }, namespace) => {
    const base = flags.filename === undefined ? newService(namespace, name) : await manifest(flags.filename, context, { name, namespace });
    const wanted = withFlags(base, given(flags, context.argv), rfc3339(context.clock.wallMs()));
    const existing = await client.find(Service, namespace, name);
    if (existing !== undefined && flags.force !== true) {
      throw new CliError(
        "exists",
        `cannot create service '${name}' in namespace '${namespace}' because the service already exists and no --force option was given`,
      );
    }
    if (flags.output === undefined) context.out(`${existing === undefined ? "Creating" : "Replacing"} service '${name}' in namespace '${namespace}':\n\n`);
    const written =
      existing === undefined
        ? await client.create(Service, wanted)
        : await client.update<Service>(Service, { ...wanted, metadata: { ...wanted.metadata, resourceVersion: existing.metadata.resourceVersion } });
    await finish({ context, client, service: written, before: existing, verb: existing === undefined ? "created" : "replaced", flags });
  });
}

async function update(name: string, flags: WriteFlags, context: CliContext): Promise<void> {
  readFinishFlags(flags);
  await connected(context, flags, async ({ client }, namespace) => {
    if (flags.output === undefined) context.out(`Updating Service '${name}' in namespace '${namespace}':\n\n`);
    for (let attempt = 0; ; attempt++) {
      const before = await client.get(Service, namespace, name);
      try {
        const written = await client.update(
          Service,
          withFlags(before, given(flags, context.argv), updatesTemplate(flags) ? rfc3339(context.clock.wallMs()) : undefined),
        );
        return await finish({ context, client, service: written, before, verb: "updated", flags });
      } catch (error) {
        if (!isReason(error, "Conflict") || attempt >= CONFLICTS_MAX) throw error;
      }
    }
  });
}

/** Traffic and tags alone make no new revision. */
function updatesTemplate(flags: WriteFlags): boolean {
  const { traffic, tag, untag, wait, waitTimeout, output, kubeconfig, data, namespace, clusterLocal, ...template } = flags;
  void [traffic, tag, untag, wait, waitTimeout, output, kubeconfig, data, namespace, clusterLocal];
  return Object.values(template).some((value) => value !== undefined);
}

async function apply(name: string | undefined, flags: WriteFlags, context: CliContext): Promise<void> {
  readFinishFlags(flags);
  if (flags.image === undefined && flags.filename === undefined)
    throw new CliError("usage", "'service apply' requires the image name to run provided with the --image option");
  await connected(context, flags, async ({ client }, namespace) => {
    const base = flags.filename === undefined ? newService(namespace, nameOf(name)) : await manifest(flags.filename, context, { name, namespace });
    const wanted = withLastApplied(withFlags(base, given(flags, context.argv), undefined));
    const target = { namespace: wanted.metadata.namespace ?? namespace, name: wanted.metadata.name ?? "" };
    const before = await client.find(Service, target.namespace, target.name);
    if (flags.output === undefined)
      context.out(`${before === undefined ? "Creating" : "Applying"} service '${target.name}' in namespace '${target.namespace}':\n\n`);
    const written =
      before === undefined
        ? await client.create(Service, wanted)
        : await client.patch<Service>(Service, target, { type: "application/merge-patch+json", body: threeWayPatch(before, wanted) });
    if (before !== undefined && isSame(before, written) && flags.output === undefined) context.out(`No changes to apply to service '${target.name}'.\n`);
    await finish({ context, client, service: written, before, verb: before === undefined ? "created" : "applied", flags });
  });
}

function nameOf(name: string | undefined): string {
  if (name === undefined) throw new CliError("usage", "'service apply' requires the service name given as single argument");
  return name;
}

/** The Service in a manifest file. The name on the command line must agree with the one in the file. */
async function manifest(file: string, context: CliContext, target: { readonly name: string | undefined; readonly namespace: string }): Promise<Draft<Service>> {
  const text = await context.readText(file).catch((error: unknown) => {
    throw new CliError("usage", `cannot read ${file}: ${(error as Error).message}`, { cause: error });
  });
  const documents = parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw new CliError("usage", `${file} is not YAML: ${document.errors[0]?.message ?? ""}`);
    return document.toJS() as Partial<Draft<Service>> | null;
  });
  const found = documents.find((document) => document?.kind === "Service" && document.apiVersion === "serving.knative.dev/v1");
  if (found?.metadata === undefined) throw new CliError("usage", `${file} holds no serving.knative.dev/v1 Service`);
  if (target.name !== undefined && found.metadata.name !== undefined && found.metadata.name !== target.name) {
    throw new CliError("usage", `provided service name '${target.name}' doesn't match name from file '${found.metadata.name}'`);
  }
  const name = found.metadata.name ?? nameOf(target.name);
  return { ...found, metadata: { ...found.metadata, name, namespace: found.metadata.namespace ?? target.namespace } } as Draft<Service>;
}
