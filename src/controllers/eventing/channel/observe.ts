// What the plan of a Channel knows.
import { Channel } from "#kinds";
import type { World } from "#reconcile";
import type { Kind, ObjectKey } from "#schema";
import { findChannel, kindOfTemplate, type Channelable } from "../backing-channel.ts";
import type { ReferenceDeps } from "../references.ts";

export interface ObservedChannel {
  readonly channel: Channel;
  /** The kind of its template; undefined when nothing serves it. */
  readonly kind: Kind | undefined;
  /** The channel of its name and of that kind, whoever made it. */
  readonly backing: Channelable | undefined;
  readonly nowMs: number;
}

export async function observeChannel(key: ObjectKey, world: World, deps: ReferenceDeps): Promise<ObservedChannel | undefined> {
  const channel = await world.client.find(Channel, key.namespace, key.name);
  if (channel === undefined) return undefined;
  const kind = kindOfTemplate(channel.spec.channelTemplate ?? {}, deps);
  const backing = kind === undefined ? undefined : await findChannel(world.client, kind, key.namespace, key.name);
  return { channel, kind, backing, nowMs: world.nowMs.monotonic };
}
