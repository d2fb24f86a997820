// Defaults and checks of channels and Subscriptions (eventing.md §1.7 to §1.9).
import { equal, goText, type KubeObject } from "#schema";
import { checkDelivery, deliveryDefaults, type DeliverySpec } from "../duck/delivery.ts";
import { checkDestination, destinationDefaults, type Destination } from "../duck/destination.ts";
import { checkKReference, type KReference } from "../duck/reference.ts";
import { ONLY_LOCAL, rulesFor, type EventingContext, type EventingWebhook } from "../eventing/admission-context.ts";
import { diffSpecs } from "../eventing/immutable.ts";
import { eventing, messaging } from "../keys.ts";
import { disallowedFields, fieldError, invalidValue, noErrors, type FieldErrors } from "../knative-field-error.ts";
import { checkTemplate, withTemplate } from "./channel-template.ts";
import type { Channel } from "./channel.ts";
import type { InMemoryChannel } from "./in-memory-channel.ts";
import type { ChannelSubscriber } from "./subscribable.ts";
import type { Subscription, SubscriptionSpec } from "./subscription.ts";

const KNATIVE_CONTROLLER = "system:serviceaccount:knative-eventing:eventing-controller";
/** In whose name controllers write: Knative's, and those of this platform. */
const CONTROLLERS: readonly string[] = [KNATIVE_CONTROLLER, "system:serviceaccount:knative-serving:controller"];

const namespaceOf = ({ metadata }: KubeObject): string => metadata.namespace ?? "";

/** The object with the version of the subscribable duck type that its kind speaks. */
function withDuckVersion<O extends KubeObject>(object: O): O {
  const { annotations } = object.metadata;
  if (annotations?.[messaging.subscribable] !== undefined) return object;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [messaging.subscribable]: "v1" } } };
}

function withDelivery<S extends { readonly delivery?: DeliverySpec }>(spec: S, namespace: string): S {
  return spec.delivery === undefined ? spec : { ...spec, delivery: deliveryDefaults(spec.delivery, namespace) };
}

function immutable(details: string): FieldErrors {
  return details === "" ? noErrors : fieldError("Immutable fields changed (-old +new)", "spec", details);
}

export const channelWebhook: EventingWebhook<Channel> = {
  defaults(channel, context) {
    const namespace = namespaceOf(channel);
    return withDuckVersion({ ...channel, spec: withDelivery(withTemplate(channel.spec, namespace, context), namespace) });
  },
  validate(channel, old, context) {
    const { spec } = channel;
    const subscribed = (spec.subscribers ?? []).length > 0 ? disallowedFields("subscribers").viaField("subscribable") : noErrors;
    const inSpec = checkTemplate(spec).also(subscribed, checkDelivery(spec.delivery, rulesFor(channel, context)).viaField("delivery"));
    if (old === undefined) return inSpec.viaField("spec");
    // Whom it delivers to is not the user's to say; all else stays as it was made.
    const { subscribers: _before, ...before } = old.spec;
    const { subscribers: _after, ...after } = spec;
    return inSpec.viaField("spec").also(immutable(diffSpecs("{v1.ChannelSpec}", before, after)));
  },
};

function checkSubscriber({ replyUri = "", subscriberUri = "" }: ChannelSubscriber): FieldErrors {
  if (replyUri !== "" || subscriberUri !== "") return noErrors;
  return fieldError("missing field(s)", ["replyURI", "subscriberURI"], "expected at least one of, got none");
}

function checkScope({ metadata: { annotations } }: InMemoryChannel): FieldErrors {
  const scope = annotations?.[eventing.scope];
  if (scope === undefined || scope === "cluster" || scope === "namespace") return noErrors;
  return invalidValue(scope, "", "expected either 'cluster' or 'namespace'").viaField(`metadata.annotations[${eventing.scope}]`);
}

/** Subscribers are the controllers' word: somebody else's would be lost events. */
function checkWhoSubscribes(channel: InMemoryChannel, old: InMemoryChannel, { userName }: EventingContext): FieldErrors {
  const [before, after] = [old.spec.subscribers ?? [], channel.spec.subscribers ?? []];
  if (equal(before, after) || CONTROLLERS.includes(userName)) return noErrors;
  const message = `Channel.Spec.Subscribers changed by user ${userName} which was not the ${KNATIVE_CONTROLLER} service account`;
  return fieldError(message, "spec.subscribers", `{[]v1.SubscriberSpec}:\n\t-: "${goText(before)}"\n\t+: "${goText(after)}"\n`);
}

export const inMemoryChannelWebhook: EventingWebhook<InMemoryChannel> = {
  names: { defaulting: "inmemorychannel.eventing.knative.dev", validation: "validation.inmemorychannel.eventing.knative.dev" },
  defaults: (channel) => withDuckVersion({ ...channel, spec: withDelivery(channel.spec, namespaceOf(channel)) }),
  validate(channel, old, context) {
    const { spec } = channel;
    // `subscriber`, without an s, is how Knative names the list.
    const subscribers = noErrors.also(
      ...(spec.subscribers ?? []).map((each, index) => checkSubscriber(each).viaFieldIndex("subscriber", index).viaField("subscribable")),
    );
    const inSpec = subscribers.also(checkDelivery(spec.delivery, rulesFor(channel, context)).viaField("delivery"));
    return inSpec.viaField("spec").also(checkScope(channel), old === undefined ? noErrors : checkWhoSubscribes(channel, old, context));
  },
};

const isNone = (value: Destination | KReference | undefined): boolean => Object.values(value ?? {}).every((text) => text === undefined || text === "");

function checkChannel(channel: KReference, context: EventingContext, groupAllowed: boolean): FieldErrors {
  const elsewhere = (channel.namespace ?? "") !== "" && context.config.features.crossNamespaceEventLinks !== "Enabled";
  const namespace = elsewhere ? fieldError("must not set the field(s)", "namespace", ONLY_LOCAL) : noErrors;
  return checkKReference(channel, { groupAllowed }).also(namespace).viaField("channel");
}

function checkSubscriptionSpec(subscription: Subscription, context: EventingContext): FieldErrors {
  const { channel, subscriber, reply, delivery } = subscription.spec as Partial<SubscriptionSpec>;
  const { namespace: _, ...rules } = rulesFor(subscription, context);
  if (channel === undefined || isNone(channel)) return fieldError("missing field(s)", "channel", "the Subscription must reference a channel");
  const noSubscriber = fieldError("missing field(s)", "subscriber", "the Subscription must reference a subscriber");
  return checkChannel(channel, context, rules.groupAllowed).also(
    isNone(subscriber) ? noSubscriber : checkDestination(subscriber, rules).viaField("subscriber"),
    isNone(reply) ? noErrors : checkDestination(reply, rules).viaField("reply"),
    checkDelivery(delivery, rules).viaField("delivery"),
  );
}

export const subscriptionWebhook: EventingWebhook<Subscription> = {
  subscribesTo: ({ spec }) => (spec as Partial<SubscriptionSpec>).channel,
  defaults(subscription) {
    const namespace = namespaceOf(subscription);
    const { spec } = subscription;
    const filled: SubscriptionSpec = {
      ...spec,
      ...(spec.subscriber === undefined ? {} : { subscriber: destinationDefaults(spec.subscriber, namespace) }),
      ...(spec.reply === undefined ? {} : { reply: destinationDefaults(spec.reply, namespace) }),
    };
    return { ...subscription, spec: withDelivery(filled, namespace) };
  },
  validate(subscription, old, context) {
    const errors = checkSubscriptionSpec(subscription, context).viaField("spec");
    if (old === undefined) return errors;
    const changed = diffSpecs("{v1.SubscriptionSpec}", { channel: old.spec.channel }, { channel: subscription.spec.channel });
    return errors.also(immutable(changed));
  },
};
