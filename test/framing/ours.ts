// How the gateway's own parsers frame a stream of requests, and one of responses.
import { BodyTracker } from "../../src/gateway/http/body-tracker.ts";
import { findHeadEnd, HEAD_BYTES_MAX } from "../../src/gateway/http/head-scan.ts";
import { RequestReader } from "../../src/gateway/http/request-reader.ts";
import { parseResponseHead, type ResponseHead } from "../../src/gateway/http/response-head.ts";
import type { RequestHead } from "../../src/gateway/http/request-head.ts";
import type { Input } from "./inputs.ts";

/** A message that was accepted; `end` is the index after it, or -1 while its body is not complete. */
export interface Message {
  /** Method and target of a request, status of a response. */
  readonly start: string;
  readonly fields: number;
  readonly body: string;
  readonly end: number;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** Of a response only: it said both. */
  readonly chunkedWithLength: boolean;
}

export interface Framed {
  readonly messages: readonly Message[];
  /** Why the stream was refused after these messages; undefined when it was not. */
  readonly refused: string | undefined;
  /** Nothing behind the last message is looked at: the connection closes or changes its protocol. */
  readonly stopped: boolean;
}

/** The content of a chunked body as any reader gets it; of a part of one as far as it goes. */
function unchunked(raw: Buffer): string {
  let content = "";
  for (let at = 0; at < raw.length;) {
    const lineEnd = raw.indexOf(10, at);
    const size = Number.parseInt(raw.toString("latin1", at, lineEnd < 0 ? raw.length : lineEnd), 16);
    if (lineEnd < 0 || size === 0) break;
    content += raw.toString("latin1", lineEnd + 1, Math.min(raw.length, lineEnd + 1 + size));
    at = lineEnd + 1 + size + 2;
  }
  return content;
}

function requestMessage(head: RequestHead, raw: Buffer, end: number): Message {
  const space = head.text.indexOf(" ");
  return {
    start: head.text.slice(0, head.text.indexOf(" ", space + 1)),
    fields: head.fields.length / 4,
    body: head.framing === "chunked" ? unchunked(raw) : raw.toString("latin1"),
    end,
    keepAlive: head.keepAlive,
    upgrade: head.upgrade !== "",
    chunkedWithLength: false,
  };
}

/** Feeds the reader as a connection does, read by read. */
export function frameRequests({ bytes, cuts }: Input): Framed {
  const reader = new RequestReader();
  const messages: Message[] = [];
  let head: RequestHead | undefined;
  let headEnd = 0;
  let from = 0;
  for (let read = 0; read <= cuts.length; read++) {
    const to = cuts[read] ?? bytes.length;
    if (to === from) continue;
    const part = bytes.subarray(from, to);
    from = to;
    if (head === undefined) reader.push(part);
    else reader.feed(part);
    for (;;) {
      if (head === undefined) {
        if (reader.ahead === 0) break;
        head = reader.take();
        if (reader.fault !== undefined) return { messages, refused: reader.fault.reason, stopped: true };
        if (head === undefined) break;
        headEnd = to - reader.ahead;
        if (!reader.body.done && reader.ahead > 0) reader.bodyAhead();
      }
      if (reader.body.failed) return { messages, refused: "malformed chunked body", stopped: true };
      if (!reader.body.done) break;
      const end = to - reader.ahead;
      messages.push(requestMessage(head, bytes.subarray(headEnd, end), end));
      if (!head.keepAlive || head.upgrade !== "") return { messages, refused: undefined, stopped: true };
      head = undefined;
    }
  }
  if (head !== undefined) messages.push(requestMessage(head, bytes.subarray(headEnd), -1));
  return { messages, refused: undefined, stopped: false };
}

/** What a connection to a pod does with the octets of one response and those before it. */
export function frameResponses({ bytes, method }: Input): Framed {
  const messages: Message[] = [];
  const message = (head: ResponseHead, raw: Buffer, end: number): Message => ({
    start: String(head.status),
    fields: (head.text.match(/\r\n/g)?.length ?? 0) - 2,
    body: head.framing === "chunked" && method !== "HEAD" ? unchunked(raw) : raw.toString("latin1"),
    end,
    keepAlive: head.keepAlive && (method === "HEAD" || head.framing !== "close"),
    upgrade: head.status === 101,
    chunkedWithLength: /^content-length:/im.test(head.text) && /^transfer-encoding:/im.test(head.text),
  });
  for (let from = 0; from < bytes.length;) {
    const headEnd = findHeadEnd(bytes, from, bytes.length);
    if (headEnd === -2 || (headEnd < 0 ? bytes.length : headEnd) - from > HEAD_BYTES_MAX)
      return { messages, refused: "malformed response head", stopped: true };
    if (headEnd < 0) return { messages, refused: undefined, stopped: false };
    const head = parseResponseHead(bytes.toString("latin1", from, headEnd));
    if (head === undefined) return { messages, refused: "malformed response head", stopped: true };
    if (head.status === 101 || head.status >= 200) {
      const tracker = new BodyTracker();
      tracker.begin(head.status === 101 || method === "HEAD" ? 0 : head.framing);
      const end = tracker.feed(bytes, headEnd, bytes.length);
      if (tracker.failed) return { messages, refused: "malformed response body", stopped: true };
      messages.push(message(head, bytes.subarray(headEnd, end), tracker.done ? end : -1));
      return { messages, refused: undefined, stopped: tracker.done };
    }
    messages.push(message(head, bytes.subarray(headEnd, headEnd), headEnd));
    from = headEnd;
  }
  return { messages, refused: undefined, stopped: false };
}
