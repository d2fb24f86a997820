// The streams of a command over SPDY/3.1: the client opens one for each, `streamType` says which.
//
//   v4.channel.k8s.io   the end of the command is a Status in JSON
//   v3.channel.k8s.io   terminal sizes on a stream of their own
//   v2.channel.k8s.io, channel.k8s.io   neither
import type { Duplex, Writable } from "node:stream";
import type { Clock } from "#core";
import { endText, type ClientStreams, type WantedStreams } from "./client-streams.ts";
import { Inlet, write } from "./inlet.ts";
import { SpdyConnection, type SpdyStream } from "./spdy.ts";
import { terminalSizes } from "./terminal-sizes.ts";

/** In the order in which refusals name them. */
export const COMMAND_PROTOCOLS = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];
/** As the kubelet: a client has this long to open its streams. */
const STREAMS_WAIT_MS = 30_000;

export interface CommandStreamsOptions {
  readonly protocol: string;
  readonly wanted: WantedStreams;
  readonly clock: Clock;
}

/** Waits for the client's streams; undefined when they do not come, the connection is closed then. */
export async function openCommandStreams(connection: Duplex, { protocol, wanted, clock }: CommandStreamsOptions): Promise<ClientStreams | undefined> {
  const sized = protocol === "v4.channel.k8s.io" || protocol === "v3.channel.k8s.io";
  const { stdin, stdout, stderr, tty } = wanted;
  const expected = Object.entries({ error: true, stdin, stdout, stderr, resize: tty && sized }).flatMap(([type, is]) => (is ? [type] : []));
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<"complete">();
  const spdy = new SpdyConnection(connection, {
    clock,
    onStream(stream) {
      const type = stream.headers.get("streamtype") ?? "";
      if (!expected.includes(type) || streams.has(type)) return false;
      streams.set(type, stream);
      if (streams.size === expected.length) complete.resolve("complete");
      return true;
    },
  });
  const gone = new AbortController();
  const serving = spdy.run().then(() => gone.abort());
  if ((await first(complete.promise, serving, clock)) !== "complete") {
    await spdy.close();
    await serving;
    return undefined;
  }
  return {
    stdin: streams.get("stdin"),
    stdout: streams.get("stdout"),
    stderr: streams.get("stderr"),
    sizes: terminalSizes(streams.get("resize") ?? new Inlet()),
    gone: gone.signal,
    async finish(end) {
      const text = endText(end, protocol === "v4.channel.k8s.io");
      const error = streams.get("error");
      if (error !== undefined && text !== undefined) await write(error, Buffer.from(text)).catch(() => undefined);
      await Promise.all([...streams.values()].map(ended));
      await spdy.close();
    },
  };
}

async function first<T>(complete: Promise<T>, gone: Promise<unknown>, clock: Clock): Promise<T | undefined> {
  const over = new AbortController();
  const late = clock.sleep(STREAMS_WAIT_MS, over.signal).catch(() => undefined);
  const answer = await Promise.race([complete, gone.then(() => undefined), late.then(() => undefined)]);
  over.abort();
  return answer;
}

/** The end of our side is on its way. */
function ended(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableFinished) return resolve();
    stream.once("finish", resolve);
    stream.once("close", resolve);
    stream.end();
  });
}
