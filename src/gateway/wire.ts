// HTTP/1 on sockets, as the gateway has it, for rooms that take or send requests themselves: framing, connections, deadlines.
export { findHeadEnd, scanFields, octetsOf, type HeadFault } from "./http/head-scan.ts";
export type { Framing, RequestHead } from "./http/request-head.ts";
export { RequestReader } from "./http/request-reader.ts";
export { ResponseHeads, type ResponseHead } from "./http/response-head.ts";
export { Unchunker } from "./http/without-chunks.ts";
export { PodConnection, type Chunk, type PodFailure, type ResponseSink, type Surroundings } from "./pods/pod-connection.ts";
export { Outbox, Sender } from "./sockets/outbox.ts";
export { ReadBuffers, READ_BYTES } from "./sockets/read-buffers.ts";
export { readInto, type BufferedReader } from "./sockets/read-into.ts";
export { TimerWheel, type Timed } from "./sockets/timer-wheel.ts";
