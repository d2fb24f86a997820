// Defaults and checks of EventTypes in their versions (eventing.md §1.3).
import type { KubeObject } from "#schema";
import { withNamespace, type KReference } from "../duck/reference.ts";
import { missingField, noErrors } from "../knative-field-error.ts";
import type { EventingWebhook } from "./admission-context.ts";
import type { EventType } from "./event-type.ts";

type Referring = KubeObject & { readonly spec: { readonly reference?: KReference } };

function withReference<O extends Referring>(object: O): O {
  const { reference } = object.spec;
  return reference === undefined ? object : { ...object, spec: { ...object.spec, reference: withNamespace(reference, object.metadata.namespace ?? "") } };
}

/** Attributes that every event has. */
const ALWAYS = ["type", "source", "specversion", "id"];

export const eventTypeWebhook: EventingWebhook<EventType> = {
  defaults: (object) => withReference(object.spec.attributes === undefined ? { ...object, spec: { ...object.spec, attributes: [] } } : object),
  validate({ spec }) {
    const missing = ALWAYS.filter((name) => !spec.attributes.some((attribute) => attribute.name === name));
    return missing.length === 0 ? noErrors : missingField(...missing).viaField("spec", "attributes");
  },
};

export const olderEventTypeWebhook: EventingWebhook<Referring & { readonly spec: { readonly type?: string } }> = {
  defaults: withReference,
  validate: ({ spec }) => ((spec.type ?? "") === "" ? missingField("type").viaField("spec") : noErrors),
};
