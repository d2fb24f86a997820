// What checks and defaults of Eventing's kinds need to know beside the object.
import type { KubeObject } from "#schema";
import type { DeliveryRules } from "../duck/delivery.ts";
import type { KReference } from "../duck/reference.ts";
import type { EventingConfig } from "../eventing-config/eventing-config.ts";
import type { FieldErrors } from "../knative-field-error.ts";
import type { WebhookNames } from "../webhook-pair.ts";

/** Why a namespace is refused. */
export const ONLY_LOCAL = "only name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled";

export interface EventingContext {
  readonly config: EventingConfig;
  readonly operation: "CREATE" | "UPDATE";
  readonly userName: string;
}

/** The webhook's part of a kind; never asked about a change of status. All are pure: the object is never changed. */
export interface EventingWebhook<O extends KubeObject> {
  /** Where they are not those of most kinds. */
  readonly names?: WebhookNames;
  /** Why the object cannot be decoded, where its schema is open; undefined when it can. */
  misfit?(object: O): string | undefined;
  /** The object with all defaults; called after the round trip. */
  defaults(object: O, context: EventingContext): O;
  validate(object: O, old: O | undefined, context: EventingContext): FieldErrors;
  /** What the object subscribes to, where that may lie in another namespace. */
  subscribesTo?(object: O): KReference | undefined;
}

/** What the delivery and the references of an object are judged by. */
export function rulesFor(object: KubeObject, { config: { features } }: EventingContext): DeliveryRules & { readonly namespace: string } {
  return {
    namespace: object.metadata.namespace ?? "",
    groupAllowed: features.kreferenceGroup === "Enabled",
    timeoutAllowed: features.deliveryTimeout === "Enabled",
    retryAfterAllowed: features.deliveryRetryAfter === "Enabled",
  };
}
