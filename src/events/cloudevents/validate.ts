// What makes attributes those of a valid event (CloudEvents 1.0 and 0.3, "context attributes"), as the Go SDK checks it and the specification words it.
import { canonical, type AttributeValue, type CloudEvent, type EventFault } from "./event.ts";

/** Of one event, extensions included. */
export const ATTRIBUTES_MAX = 128;
/** Names and values of one event together: what the specification wants every intermediary to carry, and attributes are not for data. */
export const ATTRIBUTE_BYTES_MAX = 65_536;

const VERSIONS: ReadonlySet<AttributeValue> = new Set(["1.0", "0.3"]);
const REQUIRED = ["id", "source", "type"] as const;
/** Absent when empty. */
const OPTIONAL: ReadonlySet<string> = new Set(["datacontenttype", "dataschema", "schemaurl", "subject", "time", "datacontentencoding"]);
const NAME = /^[a-z0-9]+$/;
/** Names that formats have for data. */
const RESERVED: ReadonlySet<string> = new Set(["data"]);
/** Control characters, code points that are no characters, and halves of pairs (type String). */
const FORBIDDEN = /[\p{Cc}\p{Noncharacter_Code_Point}\p{Cs}]/u;

/** A name as it is kept (the SDK takes capitals), or undefined when it can be none. */
export function attributeName(text: string): string | undefined {
  const name = text.toLowerCase();
  return NAME.test(name) && !RESERVED.has(name) ? name : undefined;
}

/** An attribute that counts as not set. */
export function isUnset(name: string, value: AttributeValue): boolean {
  return value === "" && OPTIONAL.has(name);
}

/** The event itself, or what is wrong with its attributes. */
export function validated(event: CloudEvent): CloudEvent | EventFault {
  const fault = attributesFault(event.attributes);
  return fault === undefined ? event : { fault };
}

function attributesFault(attributes: ReadonlyMap<string, AttributeValue>): string | undefined {
  const version = attributes.get("specversion");
  if (version === undefined) return "specversion: missing";
  if (!VERSIONS.has(version)) return `specversion: ${JSON.stringify(version)} is not supported, 1.0 and 0.3 are`;
  for (const name of REQUIRED) {
    const value = attributes.get(name);
    if (value === undefined) return `${name}: missing`;
    if (typeof value !== "string" || value.trim() === "") return `${name}: MUST be a non-empty string`;
  }
  if (attributes.size > ATTRIBUTES_MAX) return `more than ${ATTRIBUTES_MAX} attributes`;
  let bytes = 0;
  for (const [name, value] of attributes) {
    const fault = valueFault(name, value);
    if (fault !== undefined) return `${name}: ${fault}`;
    bytes += name.length + (typeof value === "string" ? Buffer.byteLength(value) : canonical(value).length);
  }
  return bytes > ATTRIBUTE_BYTES_MAX ? `attributes of more than ${ATTRIBUTE_BYTES_MAX} bytes` : undefined;
}

function valueFault(name: string, value: AttributeValue): string | undefined {
  if (typeof value !== "string") {
    if (OPTIONAL.has(name)) return "MUST be a string";
    return typeof value === "number" && value !== (value | 0) ? "MUST be an integer of 32 bits" : undefined;
  }
  if (FORBIDDEN.test(value)) return "has a control character or what is no character of Unicode";
  switch (name) {
    case "source":
      return isUriReference(value) ? undefined : "MUST be a URI-reference";
    case "dataschema":
      return isAbsolute(value) ? undefined : "MUST be an absolute URI";
    case "schemaurl":
      return isUriReference(value) ? undefined : "MUST be a URI-reference";
    case "time":
      return isTimestamp(value) ? undefined : "MUST be a timestamp of RFC 3339";
    case "datacontenttype":
      return MEDIA_TYPE.test(value) ? undefined : "MUST be a media type";
    default:
      return undefined;
  }
}

/** As Go reads one: a scheme of letters, no colon in a first segment without it, and whole percent-encodings in the path. */
export function isUriReference(text: string): boolean {
  const colon = /^([^/?#:]*):/.exec(text);
  if (colon !== null && !isScheme(colon[1] ?? "")) return false;
  const path = text.split(/[?#]/, 1)[0] ?? "";
  const isOpaque = colon !== null && path[colon[0].length] !== "/";
  return isOpaque || !/%(?![0-9A-Fa-f]{2})/.test(path);
}

function isAbsolute(text: string): boolean {
  return isUriReference(text) && isScheme(/^([^/?#:]*):/.exec(text)?.[1] ?? "");
}

const isScheme = (text: string): boolean => /^[A-Za-z][A-Za-z0-9+.-]*$/.test(text);

/** Printable only: it becomes a header as it stands. */
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)? *(;[\x20-\x7E]*)?$/;

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](\d\d):(\d\d))$/;

export function isTimestamp(text: string): boolean {
  const match = TIMESTAMP.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offsetHour = 0, offsetMinute = 0] = match.slice(1).map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false;
  return hour < 24 && minute < 60 && second < 60 && offsetHour < 24 && offsetMinute < 60;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
