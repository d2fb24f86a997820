// CloudEvents: events, what makes one valid, and its forms in HTTP.
export { canonical, withAttributes, type AttributeValue, type CloudEvent, type EventData, type EventForm } from "./event.ts";
export { HANDSHAKE_HEADERS } from "./handshake.ts";
export type { Headers, HttpMessage } from "./http-message.ts";
export { decodeMessage, encodeMessage, type DecodedMessage } from "./http.ts";
