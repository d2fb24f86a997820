// Process of the bench of events: a subscriber that accepts everything at once. For each line with a number on its input it prints a
// SubscriberResult as soon as it has got so many events since the last one. Usage: events-subscriber.ts OPTIONS, as JSON.
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { nowMs, sentMsIn } from "./events-body.ts";
import { NatsConnection } from "./events-nats.ts";
import { quantile } from "./paced-load.ts";

export type SubscriberOptions = { readonly over: "http" } | { readonly over: "nats"; readonly port: number; readonly subject: string };

export interface SubscriberReady {
  /** Where it takes requests; 0 when it does not. */
  readonly port: number;
}

export interface SubscriberResult {
  readonly received: number;
  /** From the moment that stands in an event until it is here. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From the moment that stands in the first until the last is here. */
  readonly seconds: number;
}

const ACCEPTED = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");
const NO_CHUNK = Buffer.from("0\r\n\r\n");

let latencies: number[] = [];
let firstSentMs = Infinity;
let wanted = Infinity;

function told(): void {
  if (latencies.length < wanted) return;
  const sorted = latencies.toSorted((a, b) => a - b);
  const seconds = (nowMs() - firstSentMs) / 1000;
  const result: SubscriberResult = { received: sorted.length, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), seconds };
  latencies = [];
  firstSentMs = Infinity;
  wanted = Infinity;
  console.log(JSON.stringify(result));
}

function took(octets: Buffer, at: number): void {
  const sentMs = sentMsIn(octets, at);
  firstSentMs = Math.min(firstSentMs, sentMs);
  latencies.push(nowMs() - sentMs);
  told();
}

/** Where the request at `at` and its content end; undefined while it is not whole. Brokers send one length or one chunk. */
function requestEnd(octets: Buffer, at: number): { readonly body: number; readonly end: number } | undefined {
  const headEnd = octets.indexOf(HEAD_END, at);
  if (headEnd < 0) return undefined;
  const begin = headEnd + HEAD_END.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(octets.toString("latin1", at, headEnd))?.[1];
  if (length !== undefined) return octets.length < begin + Number(length) ? undefined : { body: begin, end: begin + Number(length) };
  const last = octets.indexOf(NO_CHUNK, begin);
  return last < 0 ? undefined : { body: octets.indexOf("{", begin), end: last + NO_CHUNK.length };
}

function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    const octets = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (;;) {
      const found = requestEnd(octets, at);
      if (found === undefined) break;
      took(octets, found.body);
      socket.write(ACCEPTED);
      at = found.end;
    }
    rest = octets.subarray(at);
  });
}

async function open(options: SubscriberOptions): Promise<SubscriberReady> {
  if (options.over === "nats") {
    const connection = await NatsConnection.open(options.port);
    connection.subscribe(options.subject, ({ octets, from, reply }) => {
      took(octets, from);
      if (reply !== undefined) connection.publish(reply, "+ACK");
    });
    await connection.flushed();
    return { port: 0 };
  }
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port };
}

const ready = await open(JSON.parse(process.argv[2] ?? "") as SubscriberOptions);
createInterface({ input: process.stdin })
  .on("line", (line) => {
    wanted = Number(line);
    told();
  })
  .on("close", () => process.exit(0));
console.log(JSON.stringify(ready));
