// What a ServerlessService's plan knows: the pods' selector, ready pods, activators, and who holds the children's names.
import { CoreService, Deployment, Endpoints, Pod, ServerlessService, type EndpointAddress } from "#kinds";
import type { ShellWorld } from "#reconcile";
import type { Kind, KubeObject, ObjectKey } from "#schema";
import { isControlledBy } from "../ownership.ts";
import { privateServiceName } from "./children.ts";

export interface ServerlessServiceOptions {
  /** IP addresses of the activators; in the embedded product the gateway's own. */
  readonly activators: () => readonly string[];
  /** Where the gateway serves requests for revisions by name: all ways lead through it. Undefined: activators and pods have Knative's ports. */
  readonly gatewayPort?: number;
}

export interface ObservedServerlessService {
  readonly service: ServerlessService;
  /** Undefined: there is no Deployment. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  /** Ready pods, by name. */
  readonly backends: readonly EndpointAddress[];
  readonly activators: readonly string[];
  readonly gatewayPort: number | undefined;
  /** A child's name that somebody else holds. */
  readonly foreign: { readonly kind: string; readonly name: string } | undefined;
}

function addressOf(pod: Pod): EndpointAddress | undefined {
  const ip = pod.status?.podIP;
  const isReady = pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
  if (ip === undefined || ip === "" || !isReady || pod.status?.phase !== "Running" || pod.metadata.deletionTimestamp !== undefined) return undefined;
  const { name, namespace = "", uid } = pod.metadata;
  const nodeName = pod.spec?.nodeName;
  return { ip, ...(nodeName === undefined ? {} : { nodeName }), targetRef: { kind: "Pod", name, namespace, uid } };
}

async function backendsOf(selector: Readonly<Record<string, string>>, world: ShellWorld): Promise<EndpointAddress[]> {
  const selected = (await world.watched(Pod)).filter(({ metadata: { labels } }) => Object.entries(selector).every(([key, value]) => labels?.[key] === value));
  const sorted = [...selected].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return sorted.map(addressOf).filter((address) => address !== undefined);
}

async function foreignOf(service: ServerlessService, world: ShellWorld): Promise<ObservedServerlessService["foreign"]> {
  const { name, namespace = "" } = service.metadata;
  const held = async <O extends KubeObject>(kind: Kind<O>, child: string): Promise<ObservedServerlessService["foreign"]> => {
    const object = await world.client.find(kind, namespace, child);
    return object === undefined || isControlledBy(object, service) ? undefined : { kind: kind.kind, name: child };
  };
  return (await held(CoreService, privateServiceName(service))) ?? (await held(CoreService, name)) ?? (await held(Endpoints, name));
}

export async function observeServerlessService(
  key: ObjectKey,
  world: ShellWorld,
  options: ServerlessServiceOptions,
): Promise<ObservedServerlessService | undefined> {
  const service = await world.client.find(ServerlessService, key.namespace, key.name);
  if (service === undefined) return undefined;
  const deployment = await world.client.find(Deployment, key.namespace, service.spec.objectRef.name ?? "");
  const selector = deployment?.spec?.selector.matchLabels;
  return {
    service,
    selector,
    backends: selector === undefined ? [] : await backendsOf(selector, world),
    activators: options.activators(),
    gatewayPort: options.gatewayPort,
    foreign: await foreignOf(service, world),
  };
}
