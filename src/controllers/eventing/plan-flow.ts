// Sequences and Parallels are planned alike: what cannot be, and otherwise the parts and how they are. What they say of it is their own.
import type { ChannelTemplate } from "#kinds";
import type { Plan, Refusal } from "#reconcile";
import type { ObjectMeta } from "#schema";
import { unservedText } from "./backing-channel.ts";
import { AGAIN_MS, flowChildren, foreignSubscription, isSubscription, type FlowParts, type WantedFlow } from "./flow.ts";

export interface ObservedFlow {
  readonly metadata: ObjectMeta;
  readonly template: ChannelTemplate;
  readonly wanted: WantedFlow;
  readonly parts: FlowParts;
  readonly nowMs: number;
}

export interface FlowFailure {
  /** Its place among the channels or the Subscriptions. */
  readonly at: number;
  readonly why: string;
}

export type FailedFlow = Required<Pick<Plan, "status" | "events">>;

/** How one of the two kinds says it. */
export interface FlowVoice {
  readonly status: NonNullable<Plan["status"]>;
  readonly isReady: boolean;
  failedChannel(failure: FlowFailure): FailedFlow;
  failedSubscription(failure: FlowFailure): FailedFlow;
}

export function planFlow({ metadata, template, wanted, parts, nowMs }: ObservedFlow, voice: FlowVoice): Plan {
  const { kind } = parts;
  const again = { wakeAtMs: nowMs + AGAIN_MS };
  if (kind === undefined) return { desired: undefined, ...voice.failedChannel({ at: 0, why: unservedText(template) }), ...again };
  const foreign = foreignSubscription(metadata, wanted, parts);
  if (foreign !== undefined) {
    const why = `subscriptions.messaging.knative.dev ${JSON.stringify(wanted.subscriptions[foreign]?.name)} already exists`;
    return { desired: undefined, ...voice.failedSubscription({ at: foreign, why }), ...again };
  }
  return {
    desired: flowChildren(metadata, template, wanted, { ...parts, kind }),
    status: voice.status,
    afterRefusal: ([refusal]) => refused(wanted, refusal, voice),
    ...(voice.isReady ? {} : again),
  };
}

function refused({ channels, subscriptions }: WantedFlow, refusal: Refusal | undefined, voice: FlowVoice): FailedFlow {
  const name = refusal?.child.object.metadata.name ?? "";
  const why = refusal?.error.message ?? "";
  const placeIn = (names: readonly string[]): number => Math.max(0, names.indexOf(name));
  if (refusal !== undefined && isSubscription(refusal)) return voice.failedSubscription({ at: placeIn(subscriptions.map((one) => one.name)), why });
  return voice.failedChannel({ at: placeIn(channels), why: `failed to create channel ${name}: ${why}` });
}
