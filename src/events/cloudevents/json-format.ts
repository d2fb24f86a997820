// The JSON format (1.0), single and in batches; also what 0.3 had of it.
import { TextDecoder } from "node:util";
import type { AttributeValue, CloudEvent, EventData, EventFault } from "./event.ts";
import { elementSpans, memberSpan, type Span } from "./json-span.ts";
import { isJson } from "./media-type.ts";
import { writtenAs } from "./shown-as.ts";
import { attributeName, isUnset, validated } from "./validate.ts";

/** Of one batch. */
export const BATCH_EVENTS_MAX = 10_000;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function decodeJson(octets: Uint8Array): CloudEvent | EventFault {
  const read = parsed(octets);
  return "fault" in read ? read : eventOf(read.value, read.text, 0);
}

/** All events, or why one of them is none: nothing of a batch is taken then. */
export function decodeJsonBatch(octets: Uint8Array): readonly CloudEvent[] | EventFault {
  const read = parsed(octets);
  if ("fault" in read) return read;
  if (!Array.isArray(read.value)) return { fault: "a batch is a JSON array" };
  if (read.value.length > BATCH_EVENTS_MAX) return { fault: `a batch of more than ${BATCH_EVENTS_MAX} events` };
  const spans = elementSpans(read.text, 0);
  const events: CloudEvent[] = [];
  for (const [index, value] of (read.value as unknown[]).entries()) {
    const event = eventOf(value, read.text, spans[index]?.[0] ?? 0);
    if ("fault" in event) return { fault: `event ${index}: ${event.fault}` };
    events.push(event);
  }
  return events;
}

function parsed(octets: Uint8Array): { readonly value: unknown; readonly text: string } | EventFault {
  try {
    const text = UTF8.decode(octets);
    return { value: JSON.parse(text), text };
  } catch (error) {
    return { fault: `the body is no JSON: ${(error as Error).message}` };
  }
}

type Members = Readonly<Record<string, unknown>>;

/** `at` is where the event's object begins in the text. */
function eventOf(value: unknown, text: string, at: number): CloudEvent | EventFault {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { fault: "an event is a JSON object" };
  const members = value as Members;
  const attributes = new Map<string, AttributeValue>();
  for (const [member, content] of Object.entries(members)) {
    if (member === "data" || member === "data_base64" || content === null) continue;
    const name = attributeName(member);
    if (name === undefined) return { fault: `${JSON.stringify(member)} cannot be the name of an attribute: lower-case letters and digits are` };
    if (!isValue(content)) return { fault: `${name}: MUST be a string, a boolean or an integer` };
    if (!isUnset(name, content)) attributes.set(name, content);
  }
  const data = dataOf(members, attributes, () => memberSpan(text, at, "data") ?? [0, 0], text);
  if (data !== undefined && "fault" in data) return data;
  return validated({ form: "json", attributes, ...(data === undefined ? {} : { data }) });
}

const isValue = (content: unknown): content is AttributeValue => typeof content === "string" || typeof content === "boolean" || typeof content === "number";

function dataOf(members: Members, attributes: Map<string, AttributeValue>, span: () => Span, text: string): EventData | EventFault | undefined {
  const { data, data_base64: base64 } = members;
  const isOld = attributes.get("specversion") === "0.3";
  if (base64 !== undefined && base64 !== null) {
    if (data !== undefined) return { fault: "data and data_base64 exclude one another" };
    return fromBase64("data_base64", base64);
  }
  if (data === undefined) return undefined;
  if (isOld && attributes.get("datacontentencoding") === "base64") {
    // It speaks of this form only; other forms have the octets themselves.
    attributes.delete("datacontentencoding");
    return fromBase64("data", data);
  }
  const type = attributes.get("datacontenttype");
  if (typeof type !== "string" || isJson(type)) return { octets: Buffer.from(text.slice(...span())), is: "json" };
  if (typeof data !== "string") return { fault: `data: MUST be a string, for datacontenttype ${JSON.stringify(type)} is not JSON` };
  return { octets: Buffer.from(data), is: "text" };
}

function fromBase64(name: string, text: unknown): EventData | EventFault {
  if (typeof text !== "string" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return { fault: `${name}: MUST be a string of base64` };
  return { octets: Buffer.from(text, "base64"), is: "binary" };
}

/** One event as octets of the format. */
export function encodeJson(event: CloudEvent): Buffer {
  const { attributes, data } = event;
  const members = Object.fromEntries(attributes);
  if (data === undefined) return Buffer.from(JSON.stringify(members));
  const is = writtenAs(data, attributes.get("datacontenttype"));
  if (is === "json") return spliced(members, "data", data.octets);
  if (is === "text") return Buffer.from(JSON.stringify({ ...members, data: UTF8.decode(data.octets) }));
  const base64 = Buffer.from(data.octets.buffer, data.octets.byteOffset, data.octets.byteLength).toString("base64");
  const isOld = attributes.get("specversion") === "0.3";
  return Buffer.from(JSON.stringify(isOld ? { ...members, datacontentencoding: "base64", data: base64 } : { ...members, data_base64: base64 }));
}

/** The value's own text, untouched. */
function spliced(members: Members, name: string, octets: Uint8Array): Buffer {
  const head = JSON.stringify(members).slice(0, -1);
  return Buffer.concat([Buffer.from(`${head},"${name}":`), octets, Buffer.from("}")]);
}
