// The binary content mode: attributes in headers, data as the body.
import { canonical, type AttributeValue, type CloudEvent, type EventFault } from "./event.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./header-value.ts";
import type { Headers, HttpMessage } from "./http-message.ts";
import { attributeName, isUnset, validated } from "./validate.ts";

const PREFIX = "ce-";

export function isBinaryMode(headers: Headers): boolean {
  return headers["ce-specversion"] !== undefined;
}

/** A body without octets is no data: nobody can tell whether there was any. */
export function decodeBinary(headers: Headers, body: Uint8Array): CloudEvent | EventFault {
  const attributes = new Map<string, AttributeValue>();
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(PREFIX) || value === undefined) continue;
    const name = attributeName(header.slice(PREFIX.length));
    if (name === undefined)
      return { fault: `${JSON.stringify(header.slice(PREFIX.length))} cannot be the name of an attribute: lower-case letters and digits are` };
    const decoded = decodeHeaderValue(value);
    if (decoded === undefined) return { fault: `${name}: its octets are not UTF-8` };
    if (!isUnset(name, decoded)) attributes.set(name, decoded);
  }
  const type = headers["content-type"]?.trim() ?? "";
  if (type !== "") attributes.set("datacontenttype", type);
  return validated({ form: "binary", attributes, ...(body.length === 0 ? {} : { data: { octets: body, is: "opaque" } }) });
}

export function encodeBinary({ attributes, data }: CloudEvent): HttpMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of attributes) {
    if (name === "datacontenttype") headers["content-type"] = canonical(value);
    else headers[`${PREFIX}${name}`] = encodeHeaderValue(canonical(value));
  }
  // What the JSON format leaves unsaid has to be said here (JSON format 1.0, 3.1.2).
  if (data?.is === "json") headers["content-type"] ??= "application/json";
  return { headers, body: data?.octets ?? new Uint8Array() };
}
