// Channel (messaging.knative.dev/v1): events for all its Subscriptions, whatever kind of channel keeps them.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { KReferenceSchema } from "../duck/reference.ts";
import { ADDRESS_URL, AGE, READY } from "../eventing/group.ts";
import { channelGroup } from "./group.ts";
import { channelableSpec, channelableStatus } from "./subscribable.ts";

/** The kind of channel that stands behind another object, and its spec. */
export const ChannelTemplateSchema = s.object({ apiVersion: s.optional(s.string()), kind: s.optional(s.string()), spec: s.optional(s.anything()) });
export type ChannelTemplate = ValueOf<typeof ChannelTemplateSchema>;

const Spec = s.object({ ...channelableSpec, channelTemplate: s.optional(ChannelTemplateSchema) });
export type ChannelSpec = ValueOf<typeof Spec>;

const Status = s.object({ ...channelableStatus, channel: s.optional(KReferenceSchema) });
export type ChannelStatus = ValueOf<typeof Status>;

export const Channel = defineKind({
  ...channelGroup,
  kind: "Channel",
  plural: "channels",
  shortNames: ["ch"],
  columns: [ADDRESS_URL, AGE, ...READY],
  spec: Spec,
  status: Status,
});
export type Channel = ObjectOf<typeof Channel>;

export const channelConditions = conditionSet({
  happy: "Ready",
  dependents: ["BackingChannelReady", "Addressable", "DeadLetterSinkResolved", "EventPoliciesReady"],
});
