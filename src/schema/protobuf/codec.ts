// The protobuf form of a type, compiled when it is first needed.
import type { Node } from "../node.ts";
import { messageDecoder, type DecodeMessage } from "./decode.ts";
import { messageEncoder, type EncodeMessage } from "./encode.ts";
import { ProtoReader } from "./reader.ts";
import { ProtoWriter } from "./writer.ts";

/** Objects of one type as protobuf messages, without an envelope. */
export interface ProtobufCodec {
  /** The bytes that Go would write; `object` is one that the server itself made or decoded. */
  encode(object: unknown): Uint8Array;
  /** The same as a field of a message around it. */
  encodeField(field: number, object: unknown): Uint8Array;
  /** The JSON of a message, zero values included; throws `BadRequest` with Go's texts. */
  decode(bytes: Uint8Array): Record<string, unknown>;
}

/** Nothing is compiled before the first call; complaints name the type. */
export function protobufCodec(node: Node, definitions: Readonly<Record<string, Node>> = {}, name = "message"): ProtobufCodec {
  let encoder: EncodeMessage | undefined;
  let decoder: DecodeMessage | undefined;
  const write = (object: unknown): ProtoWriter => {
    encoder ??= messageEncoder(definitions)(node);
    const out = new ProtoWriter();
    encoder(object, out);
    return out;
  };
  return {
    encode: (object) => write(object).finish(),
    encodeField(field, object) {
      const out = write(object);
      out.endMessage(field, 0);
      return out.finish();
    },
    decode(bytes) {
      decoder ??= messageDecoder(definitions, { node, name })(node);
      const object: Record<string, unknown> = {};
      decoder(new ProtoReader(bytes), object);
      return object;
    },
  };
}
