// What lies around objects in Kubernetes' protobuf: the envelope that says what they are, and the frames of a watch.
import { badRequest } from "#core";
import { ProtoReader } from "./reader.ts";
import { LENGTH_DELIMITED, ProtoWriter } from "./writer.ts";

/** What an object says it is; "" where it says nothing. */
export interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Every body begins with it. */
const MAGIC = Buffer.from("k8s\0", "latin1");

/** Content encoding and content type, which are never set. */
const TAIL = Buffer.from([0x1a, 0, 0x22, 0]);

const sizeOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** The body of an answer: `runtime.Unknown` around a message, which may come in pieces. */
export function envelope({ apiVersion, kind }: TypeMeta, message: readonly Uint8Array[]): Uint8Array {
  const head = new ProtoWriter();
  head.varint(sizeOf(message));
  head.tag(2, LENGTH_DELIMITED);
  const before = head.length;
  head.text(kind);
  head.tag(2, LENGTH_DELIMITED);
  head.text(apiVersion);
  head.tag(1, LENGTH_DELIMITED);
  head.endMessage(1, before);
  return Buffer.concat([MAGIC, head.finish(), ...message, TAIL]);
}

function typeMetaOf(bytes: Uint8Array): TypeMeta {
  const reader = new ProtoReader(bytes);
  const found = { apiVersion: "", kind: "" };
  while (!reader.done) {
    const { field, wire } = reader.tag("TypeMeta");
    if (wire === LENGTH_DELIMITED && field === 1) found.apiVersion = reader.text();
    else if (wire === LENGTH_DELIMITED && field === 2) found.kind = reader.text();
    else reader.skip(wire);
  }
  return found;
}

/** Opens the envelope of a request's body. Throws `BadRequest` with Go's texts. */
export function openEnvelope(bytes: Uint8Array): { readonly type: TypeMeta; readonly message: Uint8Array } {
  if (bytes.length === 0) throw badRequest("empty data");
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    throw badRequest(`provided data does not appear to be a protobuf message, expected prefix [${[...MAGIC].join(" ")}]`);
  }
  if (bytes.length === MAGIC.length) throw badRequest("empty body");
  const reader = new ProtoReader(bytes.subarray(MAGIC.length));
  let type: TypeMeta = { apiVersion: "", kind: "" };
  let message: Uint8Array = new Uint8Array(0);
  while (!reader.done) {
    const { field, wire } = reader.tag("Unknown");
    if (wire === LENGTH_DELIMITED && field === 1) type = typeMetaOf(reader.bytes());
    else if (wire === LENGTH_DELIMITED && field === 2) message = reader.bytes();
    else reader.skip(wire);
  }
  return { type, message };
}

/** One event of a watch: its length in four bytes, then `metav1.WatchEvent` with the object in its envelope. */
export function watchFrame(type: string, object: Uint8Array): Uint8Array {
  const head = new ProtoWriter();
  head.varint(object.length);
  head.tag(1, LENGTH_DELIMITED);
  head.varint(head.length + object.length);
  head.tag(2, LENGTH_DELIMITED);
  head.text(type);
  head.tag(1, LENGTH_DELIMITED);
  const bytes = head.finish();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length + object.length);
  return Buffer.concat([length, bytes, object]);
}
