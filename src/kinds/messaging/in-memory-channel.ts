// InMemoryChannel (messaging.knative.dev/v1): the channel that is always there; the name is Knative's, ours is durable.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { ADDRESS_URL, AGE, READY } from "../eventing/group.ts";
import { channelGroup } from "./group.ts";
import { channelableSpec, channelableStatus } from "./subscribable.ts";

const Spec = s.object(channelableSpec);
export type InMemoryChannelSpec = ValueOf<typeof Spec>;

const Status = s.object(channelableStatus);
export type InMemoryChannelStatus = ValueOf<typeof Status>;

export const InMemoryChannel = defineKind({
  ...channelGroup,
  kind: "InMemoryChannel",
  plural: "inmemorychannels",
  shortNames: ["imc"],
  columns: [ADDRESS_URL, AGE, ...READY],
  spec: Spec,
  status: Status,
});
export type InMemoryChannel = ObjectOf<typeof InMemoryChannel>;

/** `DispatcherReady` is told, too, and only informs. */
export const inMemoryChannelConditions = conditionSet({
  happy: "Ready",
  dependents: ["ServiceReady", "EndpointsReady", "Addressable", "ChannelServiceReady", "DeadLetterSinkResolved", "EventPoliciesReady"],
});
