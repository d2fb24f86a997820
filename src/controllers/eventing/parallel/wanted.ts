// Channels and Subscriptions of a Parallel: one channel in front, and for each branch a filter into its channel and a subscriber behind it. Pure.
import { parallelBranchName, parallelFilterName, parallelIngressName, type Parallel, type ParallelBranch, type SubscriptionSpec } from "#kinds";
import { channelReference, type FlowNames, type WantedFlow } from "../flow.ts";

/** The channel in front is the first one; of each branch the filter's Subscription comes before the subscriber's. */
export function parallelNames({ metadata: { name }, spec }: Parallel): FlowNames {
  return {
    channels: [parallelIngressName(name), ...spec.branches.map((_, index) => parallelBranchName(name, index))],
    subscriptions: spec.branches.flatMap((_, index) => [parallelFilterName(name, index), parallelBranchName(name, index)]),
  };
}

export function wantedOf(parallel: Parallel): WantedFlow {
  const { name } = parallel.metadata;
  const subscriptions = parallel.spec.branches.flatMap((branch, index) => [
    { name: parallelFilterName(name, index), spec: filterSpec(parallel, branch, index) },
    { name: parallelBranchName(name, index), spec: subscriberSpec(parallel, branch, index) },
  ]);
  return { channels: parallelNames(parallel).channels, subscriptions };
}

function channelOf({ metadata: { namespace = "" }, spec }: Parallel, name: string): ReturnType<typeof channelReference> {
  return channelReference(spec.channelTemplate ?? {}, name, namespace);
}

function subscribedTo(parallel: Parallel, name: string): SubscriptionSpec["channel"] {
  const { namespace: _namespace, ...channel } = channelOf(parallel, name);
  return channel;
}

/** What a filter answers goes into the branch's channel; without a filter everything does. */
function filterSpec(parallel: Parallel, { filter }: ParallelBranch, index: number): SubscriptionSpec {
  const { name } = parallel.metadata;
  const channel = subscribedTo(parallel, parallelIngressName(name));
  const branch = { ref: channelOf(parallel, parallelBranchName(name, index)) };
  return filter === undefined ? { channel, subscriber: branch } : { channel, subscriber: filter, reply: branch };
}

function subscriberSpec(parallel: Parallel, { subscriber, delivery, reply = parallel.spec.reply }: ParallelBranch, index: number): SubscriptionSpec {
  const channel = subscribedTo(parallel, parallelBranchName(parallel.metadata.name, index));
  return { channel, subscriber, ...(delivery === undefined ? {} : { delivery }), ...(reply === undefined ? {} : { reply }) };
}
