// In what order a subscriber gets its events: an annotation of a Trigger, or of a channel for all that subscribe to it.
import type { DeliveryOrder } from "#protocol";

const ORDER = "eider.dev/delivery-order";

export function orderOf(annotations: Readonly<Record<string, string>> | undefined): DeliveryOrder {
  const text = annotations?.[ORDER];
  return text === "key" || text === "whole" ? text : "none";
}
