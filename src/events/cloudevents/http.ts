// Events in HTTP messages: which mode it is, and the way back.
import { decodeAvro, encodeAvro } from "./avro-format.ts";
import { decodeBinary, encodeBinary, isBinaryMode } from "./binary-mode.ts";
import type { CloudEvent, EventFault, EventForm } from "./event.ts";
import type { Headers, HttpMessage } from "./http-message.ts";
import { decodeJson, decodeJsonBatch, encodeJson } from "./json-format.ts";
import { charsetOf, essence } from "./media-type.ts";
import { decodeProtobuf, decodeProtobufBatch, encodeProtobuf } from "./protobuf-format.ts";

export type DecodedMessage =
  | { readonly is: "event"; readonly event: CloudEvent }
  | { readonly is: "batch"; readonly events: readonly CloudEvent[] }
  /** It claims to be no event: neither a known format nor `ce-specversion`. */
  | { readonly is: "none" }
  | { readonly is: "fault"; readonly fault: string };

const PREFIX = "application/cloudevents";

interface StructuredFormat {
  readonly form: EventForm;
  readonly decode: (octets: Uint8Array) => CloudEvent | EventFault;
  readonly encode: (event: CloudEvent) => Uint8Array;
  readonly contentType: string;
}

const SINGLE: ReadonlyMap<string, StructuredFormat> = new Map([
  [`${PREFIX}+json`, { form: "json", decode: decodeJson, encode: encodeJson, contentType: `${PREFIX}+json` }],
  [`${PREFIX}+protobuf`, { form: "protobuf", decode: decodeProtobuf, encode: encodeProtobuf, contentType: `${PREFIX}+protobuf` }],
  [`${PREFIX}+avro`, { form: "avro", decode: decodeAvro, encode: encodeAvro, contentType: `${PREFIX}+avro` }],
]);
const BATCHES: ReadonlyMap<string, (octets: Uint8Array) => readonly CloudEvent[] | EventFault> = new Map([
  [`${PREFIX}-batch+json`, decodeJsonBatch],
  [`${PREFIX}-batch+protobuf`, decodeProtobufBatch],
]);

/** A format that is not known may still be an event in binary mode, and is passed on as such (HTTP binding, 3). Never throws. */
export function decodeMessage(headers: Headers, body: Uint8Array): DecodedMessage {
  const type = headers["content-type"] ?? "";
  const name = essence(type);
  if (name.startsWith(PREFIX)) {
    const decode = SINGLE.get(name)?.decode ?? BATCHES.get(name);
    const charset = charsetOf(type) ?? "utf-8";
    if (decode !== undefined && charset !== "utf-8" && charset !== "us-ascii")
      return { is: "fault", fault: `charset ${JSON.stringify(charset)} is not supported` };
    if (decode !== undefined) return told(decode(body));
  }
  return isBinaryMode(headers) ? told(decodeBinary(headers, body)) : { is: "none" };
}

function told(decoded: CloudEvent | readonly CloudEvent[] | EventFault): DecodedMessage {
  if ("fault" in decoded) return { is: "fault", fault: decoded.fault };
  return "attributes" in decoded ? { is: "event", event: decoded } : { is: "batch", events: decoded };
}

/** In the form in which it came, or in another one. */
export function encodeMessage(event: CloudEvent, form: EventForm = event.form): HttpMessage {
  if (form === "binary") return encodeBinary(event);
  for (const { form: known, encode, contentType } of SINGLE.values()) {
    if (known === form) return { headers: { "content-type": contentType }, body: encode(event) };
  }
  return encodeBinary(event);
}
