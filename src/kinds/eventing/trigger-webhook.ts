// Defaults and checks of Triggers (eventing.md §1.2).
import { jsonSyntaxError } from "#schema";
import { checkDelivery, deliveryDefaults } from "../duck/delivery.ts";
import { checkDestination, destinationDefaults } from "../duck/destination.ts";
import { fieldError, missingField, multipleOneOf, noErrors, type FieldErrors } from "../knative-field-error.ts";
import { eventing } from "../keys.ts";
import { ONLY_LOCAL, rulesFor, type EventingContext, type EventingWebhook } from "./admission-context.ts";
import { checkAttributeNames, checkFilters, filtersMisfit, typedFilters } from "./event-filter.ts";
import { diffTexts } from "./immutable.ts";
import type { Trigger, TriggerSpec } from "./trigger.ts";

const crossesNamespaces = ({ config: { features } }: EventingContext): boolean => features.crossNamespaceEventLinks === "Enabled";

/** The Broker's name as the label tells it. */
function brokerNameOf({ broker = "", brokerRef }: TriggerSpec, context: EventingContext): string {
  return crossesNamespaces(context) && brokerRef !== undefined ? (brokerRef.name ?? "") : broker;
}

function withLabel(trigger: Trigger, context: EventingContext): Trigger {
  const name = brokerNameOf(trigger.spec, context);
  if (name === "") return trigger;
  return { ...trigger, metadata: { ...trigger.metadata, labels: { ...trigger.metadata.labels, [eventing.broker]: name } } };
}

function checkBroker({ broker = "", brokerRef }: TriggerSpec, context: EventingContext): FieldErrors {
  let errors = noErrors;
  if (broker === "" && brokerRef === undefined) errors = missingField("broker");
  else if (broker !== "" && brokerRef !== undefined) errors = multipleOneOf("broker", "brokerRef");
  if (crossesNamespaces(context) || (brokerRef?.namespace ?? "") === "") return errors;
  return errors.also(fieldError("must not set the field(s)", "namespace", ONLY_LOCAL));
}

function checkSpec(trigger: Trigger, context: EventingContext): FieldErrors {
  const { spec } = trigger;
  // The subscriber's and the sink's namespaces are not compared with the Trigger's.
  const { namespace: _, ...rules } = rulesFor(trigger, context);
  return checkBroker(spec, context).also(
    checkAttributeNames(spec.filter?.attributes).viaField("filter", "attributes"),
    checkFilters(spec.filters).viaField("filters"),
    checkDestination(spec.subscriber, rules).viaField("subscriber"),
    checkDelivery(spec.delivery, rules).viaField("delivery"),
  );
}

function checkDependency(text: string, namespace: string): FieldErrors {
  let reference: unknown;
  const syntax = jsonSyntaxError(text);
  if (syntax === undefined) reference = JSON.parse(text);
  if (typeof reference !== "object" || reference === null || Array.isArray(reference)) {
    const found = Array.isArray(reference) ? "array" : typeof reference === "boolean" ? "bool" : typeof reference;
    const details = syntax ?? `json: cannot unmarshal ${found} into Go value of type v1.ObjectReference`;
    return fieldError(`The provided annotation was not a corev1.ObjectReference: ${JSON.stringify(text)}`, "", details);
  }
  const fields = reference as Readonly<Record<string, unknown>>;
  const given = (key: string): string => (typeof fields[key] === "string" ? fields[key] : "");
  const elsewhere = given("namespace") !== "" && given("namespace") !== namespace;
  const message = `Namespace must be empty or equal to the trigger namespace ${JSON.stringify(namespace)}`;
  const missing = ["kind", "name", "apiVersion"].filter((key) => given(key) === "");
  return (elsewhere ? fieldError(message, "namespace") : noErrors).also(...missing.map((key) => missingField(key)));
}

function checkInjection(value: string, { broker = "" }: TriggerSpec): FieldErrors {
  if (value !== "enabled" && value !== "disabled") {
    return fieldError(`The provided injection annotation value can only be "enabled" or "disabled", not ${JSON.stringify(value)}`);
  }
  if (broker === "default") return noErrors;
  return fieldError(`The provided injection annotation is only used for default broker, but non-default broker specified here: ${JSON.stringify(broker)}`);
}

function checkAnnotations({ metadata: { annotations = {}, namespace = "" }, spec }: Trigger): FieldErrors {
  const dependency = annotations[eventing.dependency];
  const injection = annotations[eventing.injection];
  return (dependency === undefined ? noErrors : checkDependency(dependency, namespace).viaField(`metadata.annotations[${eventing.dependency}]`)).also(
    injection === undefined ? noErrors : checkInjection(injection, spec).viaField(`metadata.annotations[${eventing.injection}]`),
  );
}

function checkImmutable({ spec }: Trigger, old: Trigger): FieldErrors {
  const details = diffTexts(old.spec.broker ?? "", spec.broker ?? "");
  return details === "" ? noErrors : fieldError("Immutable fields changed (-old +new)", ["spec", "broker"], details);
}

export const triggerWebhook: EventingWebhook<Trigger> = {
  subscribesTo: ({ spec }) => spec.brokerRef,
  misfit: ({ spec }) => filtersMisfit((spec as TriggerSpec | undefined)?.filters),
  defaults(trigger, context) {
    const { spec, metadata } = trigger;
    const namespace = metadata.namespace ?? "";
    const filled: TriggerSpec = {
      ...spec,
      filter: spec.filter ?? {},
      ...(spec.filters === undefined ? {} : { filters: typedFilters(spec.filters) as NonNullable<TriggerSpec["filters"]> }),
      subscriber: destinationDefaults((spec as Partial<TriggerSpec>).subscriber ?? {}, namespace),
      ...(spec.delivery === undefined ? {} : { delivery: deliveryDefaults(spec.delivery, namespace) }),
    };
    return withLabel({ ...trigger, spec: filled }, context);
  },
  validate: (trigger, old, context) =>
    checkSpec(trigger, context)
      .viaField("spec")
      .also(checkAnnotations(trigger), old === undefined ? noErrors : checkImmutable(trigger, old)),
};
