// Knative Eventing's two webhooks of one kind (eventing.md §0.2): typed form, defaults and who did it, then checks.
import { badRequest } from "#core";
import { apiVersionOf, compileKind, type AdmissionRequest, type CompiledKind, type Kind, type KubeObject } from "#schema";
import type { AccessAuthority } from "../authorization/reviews.ts";
import type { EventingConfig } from "../eventing-config/eventing-config.ts";
import { parallelWebhook, sequenceWebhook } from "../flows/webhooks.ts";
import { channelWebhook, inMemoryChannelWebhook, subscriptionWebhook } from "../messaging/webhooks.ts";
import { noErrors } from "../knative-field-error.ts";
import { sameSpec } from "../serving/go-diff.ts";
import { goDecodeError } from "../serving/go-decode.ts";
import { roundTripped } from "../serving/round-trip.ts";
import { apiServerSourceWebhook, containerSourceWebhook, pingSourceWebhook, sinkBindingWebhook } from "../sources/webhooks.ts";
import type { KnativeWebhooks } from "../webhook-pair.ts";
import type { EventingContext, EventingWebhook } from "./admission-context.ts";
import { brokerWebhook } from "./broker-webhook.ts";
import { linkErrors } from "./cross-namespace.ts";
import { eventTypeWebhook, olderEventTypeWebhook } from "./event-type-webhooks.ts";
import { triggerWebhook } from "./trigger-webhook.ts";

export const EVENTING_NAMES = { defaulting: "webhook.eventing.knative.dev", validation: "validation.webhook.eventing.knative.dev" } as const;

/** By group, version and kind, or by group and kind for all versions. */
const WEBHOOKS: Readonly<Record<string, unknown>> = {
  "eventing.knative.dev Broker": brokerWebhook,
  "eventing.knative.dev EventType": olderEventTypeWebhook,
  "eventing.knative.dev/v1beta3 EventType": eventTypeWebhook,
  "eventing.knative.dev Trigger": triggerWebhook,
  "flows.knative.dev Parallel": parallelWebhook,
  "flows.knative.dev Sequence": sequenceWebhook,
  "messaging.knative.dev Channel": channelWebhook,
  "messaging.knative.dev InMemoryChannel": inMemoryChannelWebhook,
  "messaging.knative.dev Subscription": subscriptionWebhook,
  "sources.knative.dev ApiServerSource": apiServerSourceWebhook,
  "sources.knative.dev ContainerSource": containerSourceWebhook,
  "sources.knative.dev PingSource": pingSourceWebhook,
  "sources.knative.dev SinkBinding": sinkBindingWebhook,
};

function contextOf({ operation, user }: AdmissionRequest, config: EventingConfig): EventingContext {
  return { config, operation: operation === "CREATE" ? "CREATE" : "UPDATE", userName: user.name };
}

/** Who made it, and who changed its spec last, under the name of its group. */
function withUsers<O extends KubeObject>(object: O, old: O | undefined, { operation, userName }: EventingContext): O {
  const specOf = (of: O | undefined): unknown => (of as { readonly spec?: unknown } | undefined)?.spec;
  const isCreate = operation === "CREATE";
  if (!isCreate && sameSpec(specOf(object), specOf(old))) return object;
  const group = object.apiVersion.split("/")[0] ?? "";
  const users = { [`${group}/lastModifier`]: userName, ...(isCreate ? { [`${group}/creator`]: userName } : {}) };
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...users } } };
}

function mutated<O extends KubeObject>(kind: CompiledKind<O>, webhook: EventingWebhook<O>, request: AdmissionRequest<O>, config: EventingConfig): O {
  const { object, old } = request;
  const undecodable = goDecodeError(object, kind.kind.schema, kind.validate(object, old)) ?? webhook.misfit?.(object);
  if (undecodable !== undefined) throw badRequest(`mutation failed: cannot decode incoming new object: ${undecodable}`);
  const context = contextOf(request, config);
  return withUsers(webhook.defaults(roundTripped(object, kind.kind.schema), context), old, context);
}

/** What only tells a state is the controllers' word, and passes. */
function isLookedAt({ operation, subresource }: AdmissionRequest): boolean {
  return operation !== "DELETE" && subresource === "";
}

export interface EventingAdmissionDeps {
  /** Settings as they are when the request comes. */
  readonly config: () => EventingConfig;
  /** Who may subscribe to what lies in another namespace. */
  readonly refusal?: AccessAuthority["refusal"] | undefined;
}

async function checked<O extends KubeObject>(
  webhook: EventingWebhook<O>,
  request: AdmissionRequest<O>,
  deps: EventingAdmissionDeps,
): Promise<readonly string[]> {
  const { object, old, user } = request;
  const context = contextOf(request, deps.config());
  const reference = context.config.features.crossNamespaceEventLinks === "Enabled" ? webhook.subscribesTo?.(object) : undefined;
  const link = reference === undefined ? noErrors : await linkErrors({ reference, namespace: object.metadata.namespace ?? "", user }, deps.refusal);
  const errors = webhook.validate(object, old, context).also(link);
  if (!errors.isEmpty) throw badRequest(`validation failed: ${errors.render()}`);
  return [];
}

/** The webhooks of a kind of Eventing; undefined for kinds that have none. */
export function eventingWebhooks<O extends KubeObject>(kind: Kind<O>, deps: EventingAdmissionDeps): KnativeWebhooks<O> | undefined {
  const webhook = (WEBHOOKS[`${apiVersionOf(kind)} ${kind.kind}`] ?? WEBHOOKS[`${kind.group} ${kind.kind}`]) as EventingWebhook<O> | undefined;
  if (webhook === undefined) return undefined;
  const compiled = compileKind(kind);
  return {
    names: webhook.names ?? EVENTING_NAMES,
    mutate: (request) => (isLookedAt(request) ? mutated(compiled, webhook, request, deps.config()) : request.object),
    validate: (request) => (isLookedAt(request) ? checked(webhook, request, deps) : Promise.resolve([])),
  };
}
