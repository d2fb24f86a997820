// eider explain scale: why a Service has as many pods as it has, and the recording of what that came from.
import { resolve } from "node:path";
import type { Command } from "commander";
import { scaleBoundsOf, type ScaleFile, type Recording } from "#autoscaler";
import {
  annotationOf,
  autoscaling,
  ConfigMap,
  HorizontalPodAutoscaler,
  parseAutoscalerConfig,
  PodAutoscaler,
  Revision,
  Service,
  SYSTEM_NAMESPACE,
  type AutoscalerConfig,
} from "#kinds";
import { conditionOf } from "#schema";
import type { CliContext, Connection } from "../context.ts";
import { CliError } from "../exit.ts";
import { horizontalText } from "../horizontal-text.ts";
import { parsePlainFormat, structured } from "../output.ts";
import { scaleText, type ScaleBounds, type ScaleDocument } from "../scale-text.ts";
import { connected, withConnection, type ConnectOptions } from "./shared.ts";

interface ExplainFlags extends ConnectOptions {
  readonly output?: string;
  readonly revision?: string;
  readonly last: string;
  readonly record?: string;
}

export function addExplainCommands(program: Command, context: CliContext): void {
  const explain = program.command("explain").summary("why things are as they are");
  withConnection(explain.command("scale").summary("why a Service has as many pods as it has").argument("<name>", "name of the Service, or of a revision"))
    .option("--revision <name>", "another revision than the latest ready one")
    .option("--last <count>", "decisions to show", "5")
    .option("--record <file>", "also write what the decisions came from, for `eider simulate scale`")
    .option("-o, --output <format>", "json or yaml")
    .action((name: string, flags: ExplainFlags) => explainScale(name, flags, context));
}

async function explainScale(name: string, flags: ExplainFlags, context: CliContext): Promise<void> {
  const format = parsePlainFormat(flags.output);
  if (!/^[1-9]\d{0,2}$/.test(flags.last))
    throw new CliError("usage", `invalid value ${JSON.stringify(flags.last)} for --last: a number from 1 to 999 is wanted`);
  await connected(context, flags, async (connection, namespace) => {
    const revision = flags.revision ?? (await revisionOf(name, namespace, connection));
    const key = `${namespace}/${revision}`;
    const found = await autoscalerOf(revision, namespace, connection);
    if (found !== undefined && isHorizontal(found)) return explainHorizontal({ revision, namespace, record: flags.record, format }, connection, context);
    const document = await get<ScaleDocument>(connection, `/debug/eider/explain?revision=${encodeURIComponent(key)}`, context);
    if (found === undefined) throw new CliError("notFound", `revision "${key}" has no PodAutoscaler`);
    if (flags.record !== undefined) {
      const recording = await get<Recording>(connection, `/debug/eider/recording?revision=${encodeURIComponent(key)}`, context);
      const { annotations = {} } = found.autoscaler.metadata;
      const source = { annotations, containerConcurrency: found.autoscaler.spec.containerConcurrency ?? 0, config: found.config };
      await context.writeText(resolve(flags.record), `${JSON.stringify({ ...recording, source } satisfies ScaleFile)}\n`);
    }
    if (format !== undefined) return context.out(structured(format, { ...document, bounds: boundsOf(found) }));
    context.out(scaleText(document, boundsOf(found), Number(flags.last)));
    if (flags.record !== undefined) context.out(`\nRecorded in ${flags.record}. Try other settings: eider simulate scale ${flags.record} --set target=50\n`);
  });
}

function isHorizontal({ autoscaler, config }: Found): boolean {
  return (annotationOf(autoscaler.metadata.annotations, autoscaling.class) ?? settingsOf(config).podAutoscalerClass) === autoscaling.hpaClass;
}

interface HorizontalAsked {
  readonly revision: string;
  readonly namespace: string;
  readonly record: string | undefined;
  readonly format: ReturnType<typeof parsePlainFormat>;
}

/** Kubernetes' autoscaler decides, and tells in its object how. */
async function explainHorizontal({ revision, namespace, record, format }: HorizontalAsked, { client }: Connection, context: CliContext): Promise<void> {
  if (record !== undefined)
    throw new CliError("usage", `revision "${revision}" is scaled by a HorizontalPodAutoscaler, whose decisions are not recorded`, {
      hint: `eider explain scale ${revision}`,
    });
  const autoscaler = await client.find(HorizontalPodAutoscaler, namespace, revision);
  if (format === undefined) return context.out(horizontalText({ name: revision, namespace }, autoscaler, context.clock.wallMs()));
  const { spec, status } = autoscaler ?? {};
  context.out(structured(format, { key: `${namespace}/${revision}`, horizontalPodAutoscaler: autoscaler?.metadata.name, spec, status }));
}

/** A Service's latest ready revision, or the revision of that name. */
async function revisionOf(name: string, namespace: string, { client }: Connection): Promise<string> {
  const service = await client.find(Service, namespace, name);
  const ready = service?.status?.latestReadyRevisionName ?? service?.status?.latestCreatedRevisionName;
  if (ready !== undefined) return ready;
  if ((await client.find(Revision, namespace, name)) !== undefined) return name;
  const missing =
    service === undefined ? `neither a Service nor a revision "${name}" exists in namespace "${namespace}"` : `Service "${name}" has no revision yet`;
  throw new CliError("notFound", missing, { hint: "eider revision list" });
}

interface Found {
  readonly autoscaler: PodAutoscaler;
  /** Data of config-autoscaler. */
  readonly config: Readonly<Record<string, string>>;
}

async function autoscalerOf(revision: string, namespace: string, { client }: Connection): Promise<Found | undefined> {
  const [autoscaler, settings] = await Promise.all([
    client.find(PodAutoscaler, namespace, revision),
    client.find(ConfigMap, SYSTEM_NAMESPACE, "config-autoscaler"),
  ]);
  return autoscaler === undefined ? undefined : { autoscaler, config: settings?.data ?? {} };
}

function settingsOf(config: Found["config"]): AutoscalerConfig {
  const parsed = parseAutoscalerConfig(config);
  if ("error" in parsed) throw new CliError("failed", `config-autoscaler: ${parsed.error}`);
  return parsed;
}

function boundsOf({ autoscaler, config }: Found): ScaleBounds {
  const { annotations = {} } = autoscaler.metadata;
  const active = conditionOf(autoscaler.status?.conditions, "Active");
  return {
    ...scaleBoundsOf({ annotations, config: settingsOf(config), reachability: autoscaler.spec.reachability ?? "" }),
    wanted: autoscaler.status?.desiredScale,
    inactive: active === undefined || active.status === "True" ? undefined : `${active.reason ?? active.status}: ${active.message ?? ""}`,
  };
}

async function get<T>(connection: Connection, path: string, context: CliContext): Promise<T> {
  let text = "";
  for await (const part of connection.openText(path, context.signal)) text += part;
  return JSON.parse(text) as T;
}
