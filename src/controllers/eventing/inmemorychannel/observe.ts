// What the plan of an InMemoryChannel knows.
import { channelServiceName, CoreService, InMemoryChannel, type FindReferenced } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";
import { findNamed, type ReferenceDeps, type ReferenceTracker } from "../references.ts";

/** What the events thread has put into force of an entry of a channel. */
export interface SubscriberStanding {
  /** Of the Subscription. */
  readonly generation: number;
  readonly subscriberUri?: string;
  readonly replyUri?: string;
  readonly deadLetterSinkUri?: string;
}

export interface ChannelStanding {
  readonly uid: string;
  /** By the uid of the Subscription. */
  readonly subscribers: ReadonlyMap<string, SubscriberStanding>;
}

export interface InMemoryChannelControllerDeps extends ReferenceDeps {
  /** What is in force of the channel (`namespace/name`); its changes are told by `requeue`. */
  readonly standing: (key: string) => ChannelStanding | undefined;
}

export interface ObservedInMemoryChannel {
  readonly channel: InMemoryChannel;
  readonly find: FindReferenced;
  readonly standing: ChannelStanding | undefined;
  /** What has the name of its Service. */
  readonly service: CoreService | undefined;
}

export async function observeInMemoryChannel(
  key: ObjectKey,
  world: World,
  deps: InMemoryChannelControllerDeps & { readonly references: ReferenceTracker },
): Promise<ObservedInMemoryChannel | undefined> {
  const channel = await world.client.find(InMemoryChannel, key.namespace, key.name);
  if (channel === undefined) return undefined;
  const [find, service] = await Promise.all([
    findNamed(world.client, { key, destinations: [channel.spec.delivery?.deadLetterSink] }, deps),
    world.client.find(CoreService, key.namespace, channelServiceName(channel.metadata.name)),
  ]);
  return { channel, find, service, standing: deps.standing(`${key.namespace}/${key.name}`) };
}
