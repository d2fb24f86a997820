// What a cluster holds before controllers run there: definitions of our kinds, a namespace with the settings, webhooks.
import type { Client } from "#client";
import { isReason, StatusError, type Clock } from "#core";
import { ConfigMap, CustomResourceDefinition, defaultConfigMaps, Namespace, webhookConfigurations, WRITTEN } from "#kinds";
import { crdFor, type Draft, type Kind, type KubeObject } from "#schema";

/** In whose name we write definitions and webhooks. */
const FIELD_MANAGER = "eider";
const LOOK_AGAIN_MS = 250;
/** A definition that is not served by then is not going to be. */
const ESTABLISHED_MS_MAX = 60_000;

export interface ClusterObjectsOptions {
  /** Ours, to be defined. */
  readonly kinds: readonly Kind[];
  readonly namespace: string;
  /** For the settings that are missing. */
  readonly domain: string;
  readonly version: string;
  readonly ingressClass?: string;
  /** Takes over what other programs have applied. */
  readonly force: boolean;
  readonly clock: Clock;
  readonly progress: (line: string) => void;
}

/** Safe to run again, and by several at a time. Throws `Conflict` where others own what would be applied, `Timeout` when a kind is not served. */
export async function ensureClusterObjects(client: Client, options: ClusterObjectsOptions, signal: AbortSignal): Promise<void> {
  const { kinds, namespace, progress } = options;
  for (const kind of kinds) await client.apply(CustomResourceDefinition, definitionOf(kind), { fieldManager: FIELD_MANAGER, force: options.force });
  progress(`applied the definitions of ${kinds.length} kinds`);
  for (const kind of kinds) await untilServed(client, kind, options, signal);
  progress("all of them are served");
  if (await ensure(client, Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } } as Draft<Namespace>)) {
    progress(`made the namespace ${namespace}`);
  }
  const { domain, version, ingressClass } = options;
  const maps = defaultConfigMaps({ domain, version, namespace, ...(ingressClass === undefined ? {} : { ingressClass }) });
  let made = 0;
  for (const map of maps) if (await ensure(client, ConfigMap, map as Draft<ConfigMap>)) made++;
  if (made > 0) progress(`made ${made} missing ConfigMaps in ${namespace}`);
}

/** What is ours to say of a definition: all but what the server adds. */
function definitionOf(kind: Kind): Draft<CustomResourceDefinition> {
  const { metadata, status: _, ...definition } = crdFor(kind, 0) as unknown as Draft<CustomResourceDefinition>;
  const { name = "", labels } = metadata;
  return { ...definition, metadata: { name, ...(labels === undefined ? {} : { labels }) } };
}

async function untilServed(client: Client, kind: Kind, { clock }: ClusterObjectsOptions, signal: AbortSignal): Promise<void> {
  const name = `${kind.plural}.${kind.group}`;
  const untilMs = clock.monotonicMs() + ESTABLISHED_MS_MAX;
  for (;;) {
    const definition = await client.get(CustomResourceDefinition, "", name);
    const conditions = definition.status?.conditions ?? [];
    if (conditions.some(({ type, status }) => type === "Established" && status === "True") && (await isServed(client, kind))) return;
    if (clock.monotonicMs() > untilMs) {
      const why = conditions.filter(({ status }) => status === "False").map(({ type, message = "" }) => `${type}: ${message}`);
      throw new StatusError("Timeout", `${name} is not served after ${ESTABLISHED_MS_MAX / 1000} s${why.length === 0 ? "" : ` (${why.join("; ")})`}`);
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** An API server serves a kind some moments after it has accepted it. */
async function isServed(client: Client, kind: Kind): Promise<boolean> {
  try {
    await client.list(kind, { limit: 1 });
    return true;
  } catch (error) {
    if (isReason(error, "NotFound") || isReason(error, "TooManyRequests")) return false;
    throw error;
  }
}

/** True when it was missing. */
export async function ensure<O extends KubeObject>(client: Client, kind: Kind<O>, object: Draft<O>): Promise<boolean> {
  if ((await client.find(kind, object.metadata.namespace ?? "", object.metadata.name ?? "")) !== undefined) return false;
  try {
    await client.create(kind, object);
    return true;
  } catch (error) {
    if (isReason(error, "AlreadyExists")) return false;
    throw error;
  }
}

export interface ClusterWebhooksOptions {
  readonly url: string;
  readonly caPem: string;
  readonly kinds: readonly Kind[];
  readonly force: boolean;
}

/** Tells the cluster to ask our webhooks at `url`. */
export async function applyWebhooks(client: Client, { force, ...at }: ClusterWebhooksOptions): Promise<void> {
  for (const configuration of webhookConfigurations(at)) {
    await client.apply(WRITTEN[configuration.kind], configuration as unknown as Draft<KubeObject>, { fieldManager: FIELD_MANAGER, force });
  }
}

/** Takes back what `applyWebhooks` told, where it still says `url`: with nobody to answer, every write would be refused. */
export async function removeWebhooks(client: Client, at: Omit<ClusterWebhooksOptions, "force">): Promise<void> {
  for (const { kind, metadata } of webhookConfigurations(at)) {
    const current = await client.find(WRITTEN[kind], "", metadata.name);
    const webhooks = (current as { readonly webhooks?: readonly { readonly clientConfig?: { readonly url?: string } }[] } | undefined)?.webhooks ?? [];
    if (current === undefined || !webhooks.some(({ clientConfig }) => clientConfig?.url?.startsWith(`${at.url}/`) === true)) continue;
    await client.delete(WRITTEN[kind], { namespace: "", name: metadata.name }, { preconditions: { uid: current.metadata.uid } });
  }
}
