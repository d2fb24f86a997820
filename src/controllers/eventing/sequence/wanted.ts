// Channels and Subscriptions of a Sequence: a channel before each step, whose answers go to the next channel. Pure.
import { sequenceStepName, type Destination, type Sequence, type SequenceStep, type SubscriptionSpec } from "#kinds";
import { channelReference, type FlowNames, type WantedFlow } from "../flow.ts";

/** A step's channel and its Subscription have the same name. */
export function sequenceNames({ metadata, spec }: Sequence): FlowNames {
  const names = spec.steps.map((_, index) => sequenceStepName(metadata.name, index));
  return { channels: names, subscriptions: names };
}

export function wantedOf(sequence: Sequence): WantedFlow {
  const { channels } = sequenceNames(sequence);
  const { steps } = sequence.spec;
  return { channels, subscriptions: steps.map((step, index) => ({ name: channels[index] ?? "", spec: specOf(sequence, step, index) })) };
}

function specOf({ metadata: { name, namespace = "" }, spec }: Sequence, { delivery, ...subscriber }: SequenceStep, index: number): SubscriptionSpec {
  const channelOf = (step: number): ReturnType<typeof channelReference> =>
    channelReference(spec.channelTemplate ?? {}, sequenceStepName(name, step), namespace);
  const { namespace: _namespace, ...channel } = channelOf(index);
  const reply: Destination | undefined = index < spec.steps.length - 1 ? { ref: channelOf(index + 1) } : spec.reply;
  return { channel, subscriber, ...(delivery === undefined ? {} : { delivery }), ...(reply === undefined ? {} : { reply }) };
}
