// Defaults and checks of Brokers (eventing.md §1.1).
import { checkDelivery, deliveryDefaults, type DeliverySpec } from "../duck/delivery.ts";
import { checkKReference, withNamespace, type KReference } from "../duck/reference.ts";
import { brokerClassFor, brokerDefaultsFor, mayConfigElsewhere, type BrokerClassDefaults } from "../eventing-config/broker-defaults.ts";
import { fieldError, missingField, noErrors, type FieldErrors } from "../knative-field-error.ts";
import { eventing } from "../keys.ts";
import { diffSpecs, diffTexts } from "./immutable.ts";
import { rulesFor, type EventingContext, type EventingWebhook } from "./admission-context.ts";
import type { Broker, BrokerSpec } from "./broker.ts";

const classOf = ({ metadata }: Broker): string => metadata.annotations?.[eventing.brokerClass] ?? "";

/** The part of a default delivery that a Broker gets; the rest is for those who ask for it themselves. */
function defaultDelivery({ delivery }: BrokerClassDefaults): DeliverySpec | undefined {
  if (delivery === undefined) return undefined;
  const given = (["deadLetterSink", "retry", "backoffPolicy", "backoffDelay"] as const).filter((key) => delivery[key] !== undefined);
  return Object.fromEntries(given.map((key) => [key, delivery[key]]));
}

function defaultReference(found: BrokerClassDefaults): KReference | undefined {
  const { delivery: _, ...reference } = found;
  return Object.keys(reference).length === 0 ? undefined : reference;
}

function specDefaults({ spec, metadata: { namespace = "" } }: Broker, found: BrokerClassDefaults = {}): BrokerSpec {
  const config = spec.config ?? defaultReference(found);
  const delivery = spec.delivery ?? defaultDelivery(found);
  return {
    ...(config === undefined ? {} : { config: withNamespace(config, namespace) }),
    ...(delivery === undefined ? {} : { delivery: deliveryDefaults(delivery, namespace) }),
  };
}

function checkImmutable(broker: Broker, old: Broker): FieldErrors {
  const changed = diffSpecs("{v1.BrokerSpec}", { config: old.spec.config }, { config: broker.spec.config });
  if (changed !== "") return fieldError("Immutable fields changed (-old +new)", "spec", changed);
  const details = diffTexts(classOf(old), classOf(broker));
  return details === "" ? noErrors : fieldError("Immutable annotations changed (-old +new)", "annotations", details);
}

function checkSpec(broker: Broker, context: EventingContext): FieldErrors {
  const rules = rulesFor(broker, context);
  const { namespace, ...anywhere } = rules;
  const { config, delivery } = broker.spec;
  const ofConfig = mayConfigElsewhere(context.config.brokerDefaults, namespace) ? anywhere : rules;
  const inConfig = config === undefined ? noErrors : checkKReference(config, ofConfig).viaField("config");
  // A dead-letter sink may be elsewhere by the same word, as in Knative.
  return inConfig.also(checkDelivery(delivery, { ...anywhere, ...ofConfig }).viaField("delivery"));
}

export const brokerWebhook: EventingWebhook<Broker> = {
  defaults(broker, { config: { brokerDefaults } }) {
    const { metadata } = broker;
    const namespace = metadata.namespace ?? "";
    const own = classOf(broker);
    const name = own === "" ? (brokerClassFor(brokerDefaults, namespace) ?? "") : own;
    const annotations = name === own ? metadata.annotations : { ...metadata.annotations, [eventing.brokerClass]: name };
    return {
      ...broker,
      metadata: { ...metadata, ...(annotations === undefined ? {} : { annotations }) },
      spec: specDefaults(broker, brokerDefaultsFor(brokerDefaults, namespace, name)),
    };
  },
  validate(broker, old, context) {
    const noClass = classOf(broker) === "" ? missingField(eventing.brokerClass) : noErrors;
    return noClass.also(checkSpec(broker, context).viaField("spec"), old === undefined ? noErrors : checkImmutable(broker, old));
  },
};
