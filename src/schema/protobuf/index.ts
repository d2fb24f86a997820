// Kubernetes' protobuf, driven by the field numbers of schemas.
export { protobufCodec, type ProtobufCodec } from "./codec.ts";
export { envelope, openEnvelope, watchFrame, type TypeMeta } from "./envelope.ts";
export * as messages from "./messages.ts";
