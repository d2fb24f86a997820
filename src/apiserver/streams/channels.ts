// The channel subprotocols: the streams of a command in one websocket, the first byte of a message says whose it is.
//
//   v5.channel.k8s.io             255 and a channel's number end that channel: the client's half-close
//   v4.channel.k8s.io             the end of the command is a Status in JSON
//   channel.k8s.io, or none       the end is a text, and there is none for success
//   v4.base64.…, base64.…         the same in text messages: a digit, then base64
import { Writable, type Duplex } from "node:stream";
import type { Clock } from "#core";
import { endText, type ClientStreams, type WantedStreams } from "./client-streams.ts";
import { endWhenIdle } from "./idle.ts";
import { Inlet } from "./inlet.ts";
import { terminalSizes } from "./terminal-sizes.ts";
import { CLOSE_CODES, WebSocketError } from "./websocket-frames.ts";
import { WebSocketConnection, type WebSocketData } from "./websocket.ts";

interface ChannelProtocol {
  readonly base64: boolean;
  readonly halfClose: boolean;
  readonly statusInJson: boolean;
}

const plain = { base64: false, halfClose: false, statusInJson: false };

export const CHANNEL_PROTOCOLS: Readonly<Record<string, ChannelProtocol>> = {
  "v5.channel.k8s.io": { base64: false, halfClose: true, statusInJson: true },
  "v4.channel.k8s.io": { base64: false, halfClose: false, statusInJson: true },
  "v4.base64.channel.k8s.io": { base64: true, halfClose: false, statusInJson: true },
  "channel.k8s.io": plain,
  "base64.channel.k8s.io": { ...plain, base64: true },
  "": plain,
};

const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
const CHANNEL_COUNT = 5;
/** The first byte of a half-close. */
const CLOSE = 255;
/** A client that answers no ping gets its output after that all the same. */
const HEARS_MS_MAX = 1_000;
/** A message in base64 is decoded as a whole. */
const BASE64_MESSAGE_LENGTH_MAX = 1 << 20;
const DIGIT_ZERO = 48;

/** Takes messages apart into the pieces of channels. Throws WebSocketError for what the subprotocol does not allow. */
export class ChannelReader {
  readonly #protocol: ChannelProtocol;
  /** The channel of the message that is under way, or the start of a half-close. */
  #channel: number | undefined;
  #text = "";

  constructor(protocol: ChannelProtocol) {
    this.#protocol = protocol;
  }

  /** `end` is a half-close. Channels that do not exist are as they come: the caller knows them. */
  push({
    first,
    last,
    bytes,
  }: Pick<WebSocketData, "first" | "last" | "bytes">): { readonly channel: number; readonly bytes: Uint8Array; readonly end: boolean } | undefined {
    if (first) this.#channel = undefined;
    return this.#protocol.base64 ? this.#pushText(bytes, first, last) : this.#pushBinary(bytes, last);
  }

  #pushBinary(bytes: Uint8Array, last: boolean): ReturnType<ChannelReader["push"]> {
    let rest = bytes;
    if (this.#channel === undefined) {
      this.#channel = bytes[0];
      rest = bytes.subarray(1);
    }
    if (this.#channel === undefined) return undefined;
    if (this.#channel !== CLOSE || !this.#protocol.halfClose) return { channel: this.#channel, bytes: rest, end: false };
    this.#text += Buffer.from(rest.subarray(0, 2)).toString("latin1");
    if (this.#text.length > 1 || (last && this.#text.length !== 1)) throw new WebSocketError(CLOSE_CODES.protocolError, "a half-close names one channel");
    if (!last) return undefined;
    const channel = this.#text.charCodeAt(0);
    this.#text = "";
    if (channel >= CHANNEL_COUNT) throw new WebSocketError(CLOSE_CODES.protocolError, `a half-close names channel ${channel}, which does not exist`);
    return { channel, bytes: rest.subarray(0, 0), end: true };
  }

  #pushText(bytes: Uint8Array, first: boolean, last: boolean): ReturnType<ChannelReader["push"]> {
    this.#text = (first ? "" : this.#text) + Buffer.from(bytes).toString("latin1");
    if (this.#text.length > BASE64_MESSAGE_LENGTH_MAX) throw new WebSocketError(CLOSE_CODES.tooBig, `a message is longer than ${BASE64_MESSAGE_LENGTH_MAX}`);
    if (!last || this.#text === "") return undefined;
    const text = this.#text.slice(1);
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw new WebSocketError(CLOSE_CODES.invalidData, "a message is not base64");
    return { channel: this.#text.charCodeAt(0) - DIGIT_ZERO, bytes: Buffer.from(text, "base64"), end: false };
  }
}

/** One message of a channel, and whether it is text. */
export function encodeChannel(protocol: ChannelProtocol, channel: number, bytes: Uint8Array): { readonly kind: "text" | "binary"; readonly bytes: Uint8Array } {
  if (!protocol.base64) return { kind: "binary", bytes: Buffer.concat([Uint8Array.of(channel), bytes]) };
  return { kind: "text", bytes: Buffer.from(`${channel}${Buffer.from(bytes).toString("base64")}`) };
}

export interface ChannelOptions {
  /** A key of `CHANNEL_PROTOCOLS`. */
  readonly protocol: string;
  readonly wanted: WantedStreams;
  readonly clock: Clock;
}

/** The client's streams over a connection that is a websocket from now on. */
export function openChannels(connection: Duplex, { protocol: name, wanted, clock }: ChannelOptions): ClientStreams {
  const protocol = CHANNEL_PROTOCOLS[name] ?? plain;
  const socket = new WebSocketConnection(connection, clock);
  const gone = new AbortController();
  const stdin = wanted.stdin ? new Inlet() : undefined;
  const resize = new Inlet();
  const sendNow = (channel: number, bytes: Uint8Array): Promise<void> => {
    const message = encodeChannel(protocol, channel, bytes);
    idle.touch();
    return socket.send(message.kind, message.bytes);
  };
  const send = async (channel: number, bytes: Uint8Array): Promise<void> => {
    await hears;
    return sendNow(channel, bytes);
  };
  const output = (channel: number): Writable =>
    new Writable({ write: (bytes: Uint8Array, _encoding, done) => void send(channel, bytes).then(() => done(), done), emitClose: true });
  const idle = endWhenIdle(connection, { clock, ping: () => socket.ping() });
  const inlets = new Map<number, Inlet | undefined>([
    [CHANNELS.stdin, stdin],
    [CHANNELS.resize, resize],
  ]);
  void readChannels(socket, { protocol, inlets, onData: () => idle.touch() }).then(() => {
    gone.abort();
    stdin?.destroy();
    resize.feed.finish();
  });
  // An empty message tells the client that it is connected.
  void sendNow(wanted.stdout ? CHANNELS.stdout : wanted.stderr ? CHANNELS.stderr : CHANNELS.error, new Uint8Array(0)).catch(() => undefined);
  const hears = untilItHears(socket, gone.signal, clock);
  return {
    stdin,
    stdout: wanted.stdout ? output(CHANNELS.stdout) : undefined,
    stderr: wanted.stderr ? output(CHANNELS.stderr) : undefined,
    sizes: terminalSizes(resize),
    gone: gone.signal,
    async finish(end) {
      const text = endText(end, protocol.statusInJson);
      if (text !== undefined) await send(CHANNELS.error, Buffer.from(text)).catch(() => undefined);
      stdin?.destroy();
      await socket.close(CLOSE_CODES.normal);
    },
  };
}

/**
 * kubectl 1.30 to 1.33 begins to read before it has made the streams that it reads into, and drops what comes for one that is not there yet
 * (kubernetes/kubernetes#131189): a short command's whole output. The answer to a ping says that it reads; its next steps are shorter than our way back.
 */
async function untilItHears(socket: WebSocketConnection, gone: AbortSignal, clock: Clock): Promise<void> {
  const over = new AbortController();
  const late = clock.sleep(HEARS_MS_MAX, AbortSignal.any([gone, over.signal])).catch(() => undefined);
  await socket.ping().catch(() => undefined);
  await Promise.race([socket.ponged, late]);
  over.abort();
}

interface Reading {
  readonly protocol: ChannelProtocol;
  readonly inlets: ReadonlyMap<number, Inlet | undefined>;
  readonly onData: () => void;
}

/** Feeds the channels until the client closes, goes or breaks the protocol. */
async function readChannels(socket: WebSocketConnection, { protocol, inlets, onData }: Reading): Promise<void> {
  const channels = new ChannelReader(protocol);
  try {
    for await (const data of socket.incoming()) {
      onData();
      const piece = channels.push(data);
      if (piece === undefined) continue;
      const inlet = inlets.get(piece.channel);
      if (piece.end) inlet?.feed.finish();
      else await inlet?.feed.give(piece.bytes);
    }
  } catch (error) {
    const known = error instanceof WebSocketError;
    await socket.close(known ? error.code : CLOSE_CODES.goingAway, known ? error.message : "");
  }
}
