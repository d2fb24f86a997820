// An event as it is carried: attributes and the octets of its data, with what is needed to send it on exactly as it came.

/** Of other types of CloudEvents (URI, Timestamp, Binary) the canonical string form. */
export type AttributeValue = boolean | number | string;

/** Types whose values are strings here and are something else in protobuf and Avro. */
export type TypedText = "binary" | "uri" | "uriReference" | "timestamp";

export type EventForm = "binary" | "json" | "protobuf" | "avro";

/**
 * What a structured form said of the data.
 * `opaque`: nothing (binary mode)   `json`: the octets are the text of a JSON value   `text`: the octets of a string
 * `binary`: octets                  `proto`: a protobuf message, whose type stands beside it
 */
export type DataIs = "opaque" | "json" | "text" | "binary" | "proto";

export interface EventData {
  readonly octets: Uint8Array;
  readonly is: DataIs;
  /** With `proto`. */
  readonly typeUrl?: string;
}

export interface CloudEvent {
  /** In which it came. */
  readonly form: EventForm;
  /** In the order in which they came; a valid event has specversion, id, source and type, all strings. */
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** Of attributes whose type the form has told. */
  readonly types?: ReadonlyMap<string, TypedText>;
  readonly data?: EventData;
}

/** Why octets are no event; in words for the producer. */
export interface EventFault {
  readonly fault: string;
}

/** The canonical string form of a value (CloudEvents 1.0, type system). */
export function canonical(value: AttributeValue): string {
  return typeof value === "string" ? value : String(value);
}

/** The same event with other attributes; undefined takes one away. */
export function withAttributes(event: CloudEvent, changes: Readonly<Record<string, AttributeValue | undefined>>): CloudEvent {
  const attributes = new Map(event.attributes);
  const types = new Map(event.types);
  for (const [name, value] of Object.entries(changes)) {
    types.delete(name);
    if (value === undefined) attributes.delete(name);
    else attributes.set(name, value);
  }
  return { ...event, attributes, ...(event.types === undefined ? {} : { types }) };
}
