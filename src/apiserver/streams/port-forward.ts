// Forwarded ports: pairs of SPDY streams, one for data and one for an error text, each pair one connection to a port.
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { badRequest, type Clock } from "#core";
import type { ApiRequest, ApiResponse } from "../port.ts";
import { write } from "./inlet.ts";
import { isSpdyRequest, streamProtocol, switchToSpdy } from "./spdy-upgrade.ts";
import { SpdyConnection, StreamReset, type SpdyStream } from "./spdy.ts";
import { WebSocketTunnel } from "./tunnel.ts";
import { isWebSocketRequest, subprotocol, switchToWebSocket } from "./websocket.ts";

const PROTOCOL = "portforward.k8s.io";
/** SPDY frames inside of a websocket's binary messages. */
const TUNNEL_PROTOCOL = `SPDY/3.1+${PROTOCOL}`;
/** As the kubelet: the second stream of a pair comes within this time of the first. */
const PAIR_WAIT_MS = 30_000;
const PORT_MAX = 65_535;

export interface ForwardOptions {
  readonly clock: Clock;
  /** Connects to a port. Rejections are told to the client behind `where`. */
  readonly connect: (port: number) => Promise<Duplex>;
  /** How failures name the target, after the port: `to pod p, uid u`. */
  readonly where: string;
}

/** Answers a request for forwarded ports. Throws the refusal. */
export function acceptForward(request: ApiRequest, options: ForwardOptions): ApiResponse {
  if (isWebSocketRequest(request)) {
    const protocol = subprotocol(request, [TUNNEL_PROTOCOL]);
    return switchToWebSocket(request, protocol, (connection) => serve(new WebSocketTunnel(connection, options.clock), options));
  }
  if (isSpdyRequest(request)) return switchToSpdy(streamProtocol(request, [PROTOCOL]), (connection) => serve(connection, options));
  throw badRequest("Upgrade request required");
}

/** One of the two, or both. */
interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
  readonly complete: AbortController;
}

async function serve(connection: Duplex, options: ForwardOptions): Promise<void> {
  const pairs = new Map<string, Pair>();
  const spdy = new SpdyConnection(connection, {
    clock: options.clock,
    onStream(stream) {
      const type = stream.headers.get("streamtype");
      if ((type !== "data" && type !== "error") || portOf(stream) === undefined) return false;
      const id = requestIdOf(stream, type);
      const pair = pairs.get(id) ?? begin(id, pairs, options.clock);
      if (pair[type] !== undefined) return false;
      pair[type] = stream;
      // It says nothing, but only once its end has been read is its place free for another.
      if (type === "error") stream.resume();
      const { data, error } = pair;
      if (data === undefined || error === undefined) return true;
      pair.complete.abort();
      void forward(data, error, options);
      return true;
    },
  });
  await spdy.run();
  for (const { complete } of pairs.values()) complete.abort();
}

function begin(id: string, pairs: Map<string, Pair>, clock: Clock): Pair {
  const pair: Pair = { complete: new AbortController() };
  pairs.set(id, pair);
  const late = (): void => {
    pair.error?.end(`request ${id}: timed out waiting for streams`);
    pair.data?.destroy();
  };
  void clock
    .sleep(PAIR_WAIT_MS, pair.complete.signal)
    .then(late, () => undefined)
    .then(() => pairs.delete(id));
  return pair;
}

function portOf({ headers }: SpdyStream): number | undefined {
  const text = headers.get("port") ?? "";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= PORT_MAX ? port : undefined;
}

/** Old clients number nothing: they open the error stream first, and the data stream next. */
function requestIdOf({ id, headers }: SpdyStream, type: "data" | "error"): string {
  return headers.get("requestid") ?? String(type === "error" ? id : id - 2);
}

/**
 * Never rejects: what fails is told on the error stream, and both are reset so that the client does not wait. A client that
 * resets its data stream has what it wants: kubectl does so after each answer, and ends all connections when it is told an error.
 */
async function forward(data: SpdyStream, error: SpdyStream, { connect, where }: ForwardOptions): Promise<void> {
  let target: Duplex | undefined;
  try {
    target = await connect(portOf(data) ?? 0);
    // Each side may end its own direction first.
    const sent = pipeline(data, target, { end: true });
    const answered = pipeline(target, data);
    // A client that breaks off while the pod has not answered is an error, or a reset; afterwards nobody is to be told.
    await Promise.race([answered, sent.then(() => answered)]);
    // Once the pod has ended there is no error to come. kubectl before 1.32 gives its connection back when it hears of that, and ends its own direction then.
    error.end();
    await sent.catch(() => undefined);
  } catch (failure) {
    target?.destroy();
    if (failure instanceof StreamReset) return void error.end();
    await write(error, Buffer.from(`error forwarding port ${portOf(data)} ${where}: ${(failure as Error).message}`)).catch(() => undefined);
    data.destroy();
    error.destroy();
  }
}
