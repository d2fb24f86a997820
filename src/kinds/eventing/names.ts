// Names of what the kinds of Eventing own (eventing.md §0.5).
import { createHash } from "node:crypto";
import { childName } from "../child-name.ts";

/** The channel behind a Broker. */
export const brokerChannelName = (broker: string): string => childName(broker, "-kne-trigger");

/** A Trigger's Subscription. */
export const triggerSubscriptionName = (trigger: { readonly broker: string; readonly name: string; readonly uid: string }): string =>
  childName(`${trigger.broker}-${trigger.name}-`, trigger.uid);

/** The Service of an InMemoryChannel. */
export const channelServiceName = (channel: string): string => childName(channel, "-kn-channel");

/** A Sequence's channel and the Subscription to it, by the step's index. */
export const sequenceStepName = (sequence: string, index: number): string => childName(sequence, `-kn-sequence-${index}`);

/** The channel that all branches of a Parallel are fed from. */
export const parallelIngressName = (parallel: string): string => childName(parallel, "-kn-parallel");

/** A branch's channel and the Subscription of its subscriber. */
export const parallelBranchName = (parallel: string, index: number): string => childName(parallel, `-kn-parallel-${index}`);

/** The Subscription of a branch's filter. */
export const parallelFilterName = (parallel: string, index: number): string => childName(parallel, `-kn-parallel-filter-${index}`);

/** The Deployment of a ContainerSource. */
export const containerSourceDeploymentName = (source: string): string => childName(source, "-deployment");

/** The SinkBinding of a ContainerSource. */
export const containerSourceBindingName = (source: string): string => childName(source, "-sinkbinding");

/** An EventType that a source tells of. */
export function sourceEventTypeName(of: { readonly type: string; readonly source: string; readonly schema: string; readonly uid: string }): string {
  return createHash("md5")
    .update(of.type + of.source + of.schema + of.uid)
    .digest("hex");
}

/** An EventType that is made when an event of its type first comes by. */
export function seenEventTypeName(seen: { readonly type: string; readonly source: string; readonly namespace: string; readonly name: string }): string {
  const { type, source, namespace, name } = seen;
  const hash = createHash("md5")
    .update(type + source + namespace + name)
    .digest("hex");
  return `et-${name}-${hash}`.toLowerCase().replaceAll(/[^a-z0-9.-]/g, "");
}
