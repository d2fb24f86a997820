// What is measured belongs to a destination: a Broker or channel that takes events, or a subscriber that gets them. Its labels.
import type { EventStream, EventSubscriber } from "#protocol";

type Named = Pick<EventStream, "kind" | "namespace" | "name">;
type Labels = Readonly<Record<string, string>>;

/** Knative's programs and what they call their destinations (eventing.md 2.11). */
const SENT = { messaging_operation_name: "send", messaging_system: "knative" } as const;

function ofStream({ kind, namespace, name }: Named): Labels {
  const is = kind === "Broker" ? "broker" : "channel";
  return { [`kn_${is}_name`]: name, [`kn_${is}_namespace`]: namespace };
}

/** `broker:NAME.NAMESPACE`; the name of spans, too. */
export function streamDestination({ kind, namespace, name }: Named): string {
  return `${kind === "Broker" ? "broker" : "channel"}:${name}.${namespace}`;
}

/** `trigger:NAME.NAMESPACE` or `subscription:…`. */
export function subscriberDestination({ kind }: Pick<Named, "kind">, { namespace, name }: Pick<EventSubscriber, "namespace" | "name">): string {
  return `${kind === "Broker" ? "trigger" : "subscription"}:${name}.${namespace}`;
}

/** Of what a Broker takes, as Knative's ingress labels it. */
export function streamLabels(stream: Named): Labels {
  return { ...ofStream(stream), messaging_destination_name: streamDestination(stream), ...SENT, url_scheme: "http" };
}

/** Of what a Trigger or a Subscription gets, as Knative's filter and its channels' dispatcher label it. */
export function subscriberLabels(stream: Named, subscriber: Pick<EventSubscriber, "namespace" | "name">): Labels {
  return { ...ofStream(stream), messaging_destination_name: subscriberDestination(stream, subscriber), ...SENT, url_scheme: "http" };
}

/** Of our own metrics. */
export function ownLabels(kind: string, { namespace, name }: Pick<EventSubscriber, "namespace" | "name">): Labels {
  return { kind, namespace, name };
}
