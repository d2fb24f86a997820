// Events of the log as documents. Pure.
import type { EventStory, LoggedEvent, StreamName } from "#protocol";
import { writtenAs } from "../cloudevents/shown-as.ts";
import { ORIGIN_KEY } from "../ingress/keys.ts";
import type { FoundRecord } from "../port.ts";
import type { StoredEvent } from "../stored-event.ts";

/** Of an event's data in a document. */
export const DATA_BYTES_MAX = 64 << 10;

type Placed = Pick<FoundRecord, "offset" | "timeMs" | "keys">;

export function loggedEvent({ offset, timeMs, keys }: Placed, { kind, namespace, name }: StreamName, { attributes, data }: StoredEvent): LoggedEvent {
  const origin = keys.find((key) => key.startsWith(ORIGIN_KEY));
  return {
    offset,
    stream: { kind, namespace, name },
    time: new Date(timeMs).toISOString(),
    attributes: Object.fromEntries(attributes),
    dataBytes: data?.octets.length ?? 0,
    ...(origin === undefined ? {} : { origin: Number(origin.slice(ORIGIN_KEY.length)) }),
  };
}

export function shownData({ attributes, data }: StoredEvent): Pick<EventStory, "data" | "dataCut"> {
  if (data === undefined) return {};
  const octets = Buffer.from(data.octets.buffer, data.octets.byteOffset, Math.min(data.octets.length, DATA_BYTES_MAX));
  const is = writtenAs(data, attributes.get("datacontenttype"));
  if (octets.length < data.octets.length) return { data: is === "binary" ? { base64: octets.toString("base64") } : { text: octets.toString() }, dataCut: true };
  if (is === "json") return { data: { json: JSON.parse(octets.toString()) as unknown } };
  return { data: is === "text" ? { text: octets.toString() } : { base64: octets.toString("base64") } };
}
