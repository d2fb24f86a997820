// What Sequences and Parallels have in common: they are channels and Subscriptions with names, and say how those are (eventing.md 1.10, 1.11).
import type { Client } from "#client";
import { Subscription, type ChannelTemplate, type SubscriptionSpec } from "#kinds";
import type { Child, Refusal } from "#reconcile";
import { apiVersionOf, conditionOf, type Condition, type Kind, type KubeObject, type ObjectMeta } from "#schema";
import { channelFor, findChannel, isControlledBy, kindOfTemplate, type Channelable } from "./backing-channel.ts";
import type { ReferenceDeps } from "./references.ts";

/** Users' kinds are not watched: until the flow is ready, its channels are looked at again. */
export const AGAIN_MS = 5_000;

/** What is there of a flow, whoever made it, by name. */
export interface FlowParts {
  /** The kind of its channels; undefined when nothing serves it. */
  readonly kind: Kind | undefined;
  readonly channels: ReadonlyMap<string, Channelable>;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
}

export interface FlowNames {
  readonly channels: readonly string[];
  readonly subscriptions: readonly string[];
}

interface Place {
  readonly namespace: string;
  readonly template: ChannelTemplate;
  readonly deps: ReferenceDeps;
}

export async function findFlow(client: Client, names: FlowNames, { namespace, template, deps }: Place): Promise<FlowParts> {
  const kind = kindOfTemplate(template, deps);
  const [channels, subscriptions] = await Promise.all([
    kind === undefined ? new Map<string, Channelable>() : byName(names.channels, (name) => findChannel(client, kind, namespace, name)),
    byName(names.subscriptions, (name) => client.find(Subscription, namespace, name)),
  ]);
  return { kind, channels, subscriptions };
}

async function byName<T>(names: readonly string[], find: (name: string) => Promise<T | undefined>): Promise<ReadonlyMap<string, T>> {
  const found = await Promise.all(names.map(async (name) => [name, await find(name)] as const));
  return new Map(found.flatMap(([name, object]) => (object === undefined ? [] : [[name, object] as const])));
}

interface WantedSubscription {
  readonly name: string;
  readonly spec: SubscriptionSpec;
}

export interface WantedFlow {
  readonly channels: readonly string[];
  readonly subscriptions: readonly WantedSubscription[];
}

/**
 * Channels that somebody else made are used as they are. A Subscription whose channel is another one now cannot be changed:
 * it is left out, so that it goes, and is made anew in the pass that its going wakes.
 */
export function flowChildren(parent: ObjectMeta, template: ChannelTemplate, wanted: WantedFlow, parts: FlowParts & { readonly kind: Kind }): Child[] {
  const channels = wanted.channels.flatMap((name) => {
    const there = parts.channels.get(name);
    return there !== undefined && !isControlledBy(there, parent.uid) ? [] : [channelFor(parts.kind, { name, parent, template })];
  });
  const subscriptions = wanted.subscriptions.flatMap(({ name, spec }) => {
    const there = parts.subscriptions.get(name);
    const isSame = ["apiVersion", "kind", "name"].every((key) => {
      const field = key as "apiVersion" | "kind" | "name";
      return there === undefined || there.spec.channel[field] === spec.channel[field];
    });
    return isSame ? [subscriptionFor(parent, name, spec)] : [];
  });
  return [...channels, ...subscriptions];
}

function subscriptionFor({ namespace }: ObjectMeta, name: string, spec: SubscriptionSpec): Child {
  return {
    kind: KIND,
    object: {
      apiVersion: apiVersionOf(Subscription),
      kind: Subscription.kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      spec,
    } as Child["object"],
    // Who made it and who changed it last is the server's to say.
    merge: (current) => ({ ...current, spec }) as KubeObject,
  };
}

const KIND = Subscription as unknown as Kind;

/** The name of the first Subscription that belongs to somebody else. */
export function foreignSubscription(parent: ObjectMeta, wanted: WantedFlow, { subscriptions }: FlowParts): number | undefined {
  const at = wanted.subscriptions.findIndex(({ name }) => {
    const there = subscriptions.get(name);
    return there !== undefined && !isControlledBy(there, parent.uid);
  });
  return at < 0 ? undefined : at;
}

export function isSubscription({ child }: Refusal): boolean {
  return child.kind.kind === Subscription.kind;
}

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

export function channelReference({ apiVersion = "", kind = "" }: ChannelTemplate, name: string, namespace: string): Named {
  return { apiVersion, kind, name, namespace };
}

export function subscriptionReference(name: string, namespace: string): Named {
  return { apiVersion: apiVersionOf(Subscription), kind: Subscription.kind, name, namespace };
}

/** Of a part that says nothing yet, that it says nothing. */
export function readyOf(part: { readonly status?: { readonly conditions?: readonly Condition[] } } | undefined, what: "Channel" | "Subscription"): Condition {
  const ready = conditionOf(part?.status?.conditions, "Ready");
  return ready ?? { type: "Ready", status: "Unknown", reason: "NoReady", message: `${what} does not have Ready condition` };
}
