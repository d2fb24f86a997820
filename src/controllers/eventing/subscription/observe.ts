// What the plan of a Subscription knows.
import { Channel, Subscription, type FindReferenced, type KReference } from "#kinds";
import type { World } from "#reconcile";
import { conditionOf, type Kind, type ObjectKey } from "#schema";
import type { Channelable } from "../backing-channel.ts";
import { findAll, referencesOf, type ReferenceDeps, type ReferenceTracker } from "../references.ts";

export interface SubscriptionControllerDeps extends ReferenceDeps {
  /** Whether channels of other namespaces may be named. */
  readonly crossesNamespaces: () => boolean;
}

/** The channel that keeps the events: the one that is named, or the one behind it. */
export interface FoundChannel {
  /** Undefined: it does not exist, and so has no entry of anybody. */
  readonly physical?: { readonly kind: Kind; readonly object: Channelable };
  /** Why nobody can be added to it now. */
  readonly error?: string;
}

export interface ObservedSubscription {
  readonly subscription: Subscription;
  readonly channel: FoundChannel;
  readonly find: FindReferenced;
  readonly nowMs: number;
}

type Deps = SubscriptionControllerDeps & { readonly references: ReferenceTracker };

export async function observeSubscription(key: ObjectKey, world: World, deps: Deps): Promise<ObservedSubscription | undefined> {
  const subscription = await world.client.find(Subscription, key.namespace, key.name);
  if (subscription === undefined) return undefined;
  const { channel, subscriber, reply, delivery } = subscription.spec;
  const elsewhere = deps.crossesNamespaces() ? (channel.namespace ?? "") : "";
  const namespace = elsewhere === "" ? key.namespace : elsewhere;
  const named: KReference = { ...channel, namespace };
  const found = await findAll(world.client, [named], deps);
  const behind = behindOf(found(named), namespace);
  const others = referencesOf([subscriber, reply, delivery?.deadLetterSink]);
  deps.references.track(key, [named, ...(behind === undefined ? [] : [behind]), ...others]);
  const find = await findAll(world.client, [...others, ...(behind === undefined ? [] : [behind])], deps);
  const looked = { find, named, kindOf: deps.kindOf };
  return { subscription, channel: channelOf(found(named), behind, looked), find, nowMs: world.nowMs.monotonic };
}

type Found = ReturnType<FindReferenced>;

function isChannel(object: Found): object is Channel {
  return "metadata" in object && object.kind === Channel.kind && object.apiVersion.startsWith(`${Channel.group}/`);
}

function behindOf(named: Found, namespace: string): KReference | undefined {
  if (!isChannel(named) || named.status?.channel === undefined) return undefined;
  const { apiVersion, kind, name } = named.status.channel;
  return { namespace, ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind }), ...(name === undefined ? {} : { name }) };
}

interface Looked {
  readonly find: FindReferenced;
  readonly named: KReference;
  readonly kindOf: Deps["kindOf"];
}

function channelOf(object: Found, behind: KReference | undefined, { find, named, kindOf }: Looked): FoundChannel {
  if (!isChannel(object)) return foundAs(object, kindOf(named));
  const physical = behind === undefined ? {} : foundAs(find(behind), kindOf(behind));
  const isReady = conditionOf(object.status?.conditions, "Ready")?.status === "True";
  return isReady && behind !== undefined ? physical : { ...physical, error: "channel is not ready." };
}

function foundAs(object: Found, kind: Kind | undefined): FoundChannel {
  if ("metadata" in object && kind !== undefined) return { physical: { kind, object: object as Channelable } };
  return { error: "metadata" in object ? "" : object.error };
}
