// An event as a record of the log: its attributes and what else is known of it as JSON, then the octets of its data as they came.
import type { AttributeValue, CloudEvent, DataIs, EventForm, TypedText } from "./cloudevents/event.ts";

export interface StoredEvent extends CloudEvent {
  /** Of the request that brought it: those that are passed on to subscribers. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Head {
  readonly form: EventForm;
  readonly attributes: readonly (readonly [name: string, value: AttributeValue])[];
  readonly types?: readonly (readonly [name: string, type: TypedText])[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: there are no data. */
  readonly is?: DataIs;
  readonly typeUrl?: string;
}

const LENGTH_BYTES = 4;

export function encodeStored({ form, attributes, types, headers, data }: StoredEvent): Uint8Array {
  const said: Head = {
    form,
    attributes: [...attributes],
    ...(types === undefined ? {} : { types: [...types] }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(data === undefined ? {} : { is: data.is }),
    ...(data?.typeUrl === undefined ? {} : { typeUrl: data.typeUrl }),
  };
  const head = JSON.stringify(said);
  const begin = LENGTH_BYTES + Buffer.byteLength(head);
  const octets = Buffer.allocUnsafe(begin + (data?.octets.length ?? 0));
  octets.writeUInt32LE(begin - LENGTH_BYTES, 0);
  octets.write(head, LENGTH_BYTES);
  if (data !== undefined) octets.set(data.octets, begin);
  return octets;
}

/** The octets of the data are a view of `value`. */
export function decodeStored(value: Uint8Array): StoredEvent {
  const octets = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const begin = LENGTH_BYTES + octets.readUInt32LE(0);
  const { form, attributes, types, headers = {}, is, typeUrl } = JSON.parse(octets.toString("utf8", LENGTH_BYTES, begin)) as Head;
  return {
    form,
    attributes: new Map(attributes),
    ...(types === undefined ? {} : { types: new Map(types) }),
    headers,
    ...(is === undefined ? {} : { data: { octets: octets.subarray(begin), is, ...(typeUrl === undefined ? {} : { typeUrl }) } }),
  };
}
