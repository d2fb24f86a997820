// Flags of `service create` and `service update` on a Service's spec: pure, with kn's meanings and words.
import type { Draft } from "#schema";
import type { Service } from "#kinds";
import { CliError } from "./exit.ts";
import { planTraffic, type TrafficTarget } from "./traffic.ts";

/** What can be set; a flag that was not given changes nothing. */
export interface ServiceFlags {
  readonly image?: string;
  readonly env?: readonly string[];
  readonly port?: string;
  readonly cmd?: readonly string[];
  readonly arg?: readonly string[];
  readonly scale?: string;
  readonly scaleMin?: string;
  readonly scaleMax?: string;
  readonly scaleInit?: string;
  readonly scaleTarget?: string;
  readonly scaleMetric?: string;
  readonly scaleUtilization?: string;
  readonly scaleWindow?: string;
  readonly concurrencyLimit?: string;
  readonly timeout?: string;
  readonly request?: readonly string[];
  readonly limit?: readonly string[];
  readonly label?: readonly string[];
  readonly annotation?: readonly string[];
  readonly clusterLocal?: boolean;
  readonly revisionName?: string;
  readonly serviceAccount?: string;
  readonly traffic?: readonly string[];
  readonly tag?: readonly string[];
  readonly untag?: readonly string[];
}

const AUTOSCALING = "autoscaling.knative.dev/";
const VISIBILITY = "networking.knative.dev/visibility";

type Texts = Readonly<Record<string, string>>;

/** A loose view of what the flags touch; everything else of the Service is kept as it is. */
interface Editable {
  apiVersion: string;
  kind: string;
  metadata: { name?: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string>; [other: string]: unknown };
  spec: { template: Template; traffic?: TrafficTarget[]; [other: string]: unknown };
  [other: string]: unknown;
}

interface Template {
  metadata?: { name?: string; labels?: Record<string, string>; annotations?: Record<string, string>; [other: string]: unknown };
  spec: { containers: Container[]; [other: string]: unknown };
}

interface Container {
  env?: { name: string; value?: string; [other: string]: unknown }[];
  resources?: { requests?: Record<string, string>; limits?: Record<string, string>; [other: string]: unknown };
  [other: string]: unknown;
}

/** An empty Service for `create`. */
export function newService(namespace: string, name: string): Draft<Service> {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { template: { spec: { containers: [{}] } } },
  } as unknown as Draft<Service>;
}

/** `service` with the flags applied; the argument is not changed. `updatedAt` (RFC 3339) makes each update a new revision, as kn does. */
export function withFlags(service: Service | Draft<Service>, flags: ServiceFlags, updatedAt: string | undefined): Draft<Service> {
  const edited = structuredClone(service) as unknown as Editable;
  const template = edited.spec.template;
  const templateMeta = (template.metadata ??= {});
  applyContainer(template.spec.containers[0] ?? (template.spec.containers[0] = {}), flags);
  const scaling = scaleAnnotations(flags);
  const own = Object.fromEntries(keyed(flags.annotation ?? [], "annotation").filter(([key]) => !key.startsWith(AUTOSCALING)));
  const all = Object.fromEntries(keyed(flags.annotation ?? [], "annotation"));
  const stamp: Texts = updatedAt === undefined ? {} : { "client.knative.dev/updateTimestamp": updatedAt };
  templateMeta.annotations = merged(templateMeta.annotations, { ...stamp, ...all, ...scaling });
  edited.metadata.annotations = merged(edited.metadata.annotations, own);
  const labels = Object.fromEntries(keyed(flags.label ?? [], "label"));
  templateMeta.labels = merged(templateMeta.labels, labels);
  const visible: Texts = flags.clusterLocal === undefined ? {} : { [VISIBILITY]: flags.clusterLocal ? "cluster-local" : "-" };
  edited.metadata.labels = merged(edited.metadata.labels, { ...labels, ...visible });
  if (flags.concurrencyLimit !== undefined) template.spec["containerConcurrency"] = integer(flags.concurrencyLimit, "--concurrency-limit");
  if (flags.timeout !== undefined) template.spec["timeoutSeconds"] = integer(flags.timeout, "--timeout");
  if (flags.serviceAccount !== undefined) template.spec["serviceAccountName"] = flags.serviceAccount;
  delete templateMeta.name;
  if (flags.revisionName !== undefined && flags.revisionName !== "") templateMeta.name = revisionName(flags.revisionName, edited);
  applyTraffic(edited, flags);
  return withoutEmpty(edited) as unknown as Draft<Service>;
}

function applyTraffic(service: Editable, flags: ServiceFlags): void {
  const { traffic = [], tag = [], untag = [] } = flags;
  if (traffic.length + tag.length + untag.length === 0) return;
  const current = service.spec.traffic ?? [{ latestRevision: true, percent: 100 }];
  service.spec.traffic = planTraffic(current, { traffic, tag, untag }, service.metadata.name ?? "");
}

function applyContainer(container: Container, flags: ServiceFlags): void {
  if (flags.image !== undefined) container["image"] = flags.image;
  if (flags.cmd !== undefined) container["command"] = [...flags.cmd];
  if (flags.arg !== undefined) container["args"] = [...flags.arg];
  if (flags.port !== undefined) container["ports"] = [port(flags.port)];
  if (flags.env !== undefined) container.env = environment(container.env ?? [], flags.env);
  if (flags.request !== undefined)
    container.resources = { ...container.resources, requests: quantities(container.resources?.requests, flags.request, "--request") };
  if (flags.limit !== undefined) container.resources = { ...container.resources, limits: quantities(container.resources?.limits, flags.limit, "--limit") };
}

function environment(current: NonNullable<Container["env"]>, changes: readonly string[]): NonNullable<Container["env"]> {
  let env = [...current];
  for (const [name, value] of keyed(changes, "env")) {
    if (value === "-") env = env.filter((entry) => entry.name !== name);
    else if (env.some((entry) => entry.name === name)) env = env.map((entry) => (entry.name === name ? { name, value } : entry));
    else env.push({ name, value });
  }
  return env;
}

function quantities(current: Texts | undefined, changes: readonly string[], flag: string): Record<string, string> {
  return merged(
    current,
    Object.fromEntries(
      keyed(
        changes.flatMap((change) => change.split(",")),
        flag,
      ),
    ),
  );
}

/** `NAME=VALUE` pairs; `NAME-` is the removal of NAME and comes back with the value `-`. */
function keyed(values: readonly string[], what: string): [string, string][] {
  return values.map((value) => {
    const at = value.indexOf("=");
    if (at > 0) return [value.slice(0, at), value.slice(at + 1)];
    if (at < 0 && value.endsWith("-") && value.length > 1) return [value.slice(0, -1), "-"];
    throw new CliError("usage", `Invalid ${what}: argument requires a value that contains the "=" character; got ${JSON.stringify(value)}`);
  });
}

/** Values of `changes` over those of `current`; the value `-` removes. */
function merged(current: Texts | undefined, changes: Texts): Record<string, string> {
  return Object.fromEntries(Object.entries({ ...current, ...changes }).filter(([, value]) => value !== "-"));
}

function port(text: string): object {
  const [name, number] = text.includes(":") ? [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)] : [undefined, text];
  const containerPort = integer(number, "--port");
  return name === undefined ? { containerPort } : { name, containerPort };
}

function integer(text: string, flag: string): number {
  if (!/^\d+$/.test(text)) throw new CliError("usage", `invalid value ${JSON.stringify(text)} for ${flag}: a whole number is wanted`);
  return Number(text);
}

/** `a..b`, `a..`, `..b` or `n`. */
function scaleAnnotations(flags: ServiceFlags): Record<string, string> {
  const given: Record<string, string | undefined> = {
    "min-scale": flags.scaleMin,
    "max-scale": flags.scaleMax,
    "initial-scale": flags.scaleInit,
    target: flags.scaleTarget,
    metric: flags.scaleMetric,
    "target-utilization-percentage": flags.scaleUtilization,
    window: flags.scaleWindow,
  };
  if (flags.scale !== undefined) {
    const match = /^(?:(\d+)|(\d*)\.\.(\d*))$/.exec(flags.scale);
    if (match === null || flags.scale === "..") throw new CliError("usage", "Scale must be of the format x..y or x");
    if (flags.scaleMin !== undefined) throw new CliError("usage", "only --scale or --scale-min can be specified");
    if (flags.scaleMax !== undefined) throw new CliError("usage", "only --scale or --scale-max can be specified");
    const [, exact, low, high] = match;
    given["min-scale"] = exact ?? (low === "" ? undefined : low);
    given["max-scale"] = exact ?? (high === "" ? undefined : high);
  }
  return Object.fromEntries(Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[AUTOSCALING + key, value]])));
}

/** `{{.Service}}`, `{{.Generation}}` (of the next revision); the service's name is put in front when it is missing. */
function revisionName(template: string, service: Editable): string {
  const name = service.metadata.name ?? "";
  const generation = Number(service.metadata["generation"] ?? 0) + 1;
  const text = template.replaceAll(/\{\{\s*\.Service\s*\}\}/g, name).replaceAll(/\{\{\s*\.Generation\s*\}\}/g, String(generation));
  return text.startsWith(`${name}-`) ? text : `${name}-${text}`;
}

/** Label and annotation maps that became empty are left out. */
function withoutEmpty(service: Editable): Editable {
  for (const meta of [service.metadata, service.spec.template.metadata]) {
    if (meta === undefined) continue;
    if (Object.keys(meta.labels ?? {}).length === 0) delete meta.labels;
    if (Object.keys(meta.annotations ?? {}).length === 0) delete meta.annotations;
  }
  return service;
}
