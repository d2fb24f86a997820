// Names of what Brokers and Triggers own (eventing.md §0.5).
import { childName } from "../child-name.ts";

/** The channel behind a Broker. */
export const brokerChannelName = (broker: string): string => childName(broker, "-kne-trigger");

/** A Trigger's Subscription. */
export const triggerSubscriptionName = (trigger: { readonly broker: string; readonly name: string; readonly uid: string }): string =>
  childName(`${trigger.broker}-${trigger.name}-`, trigger.uid);
