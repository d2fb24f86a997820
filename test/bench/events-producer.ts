// Process of the bench of events: producers that each have one request under way, or one that sends by the clock. What they need is made before.
// Usage: events-producer.ts OPTIONS, as JSON; prints a ProducerResult.
import { connect } from "node:net";
import { once } from "node:events";
import { attributesOf, eventBody, nowMs, stamp, STAMP_AT } from "./events-body.ts";
import { NatsConnection, natsHeaders } from "./events-nats.ts";
import { quantile } from "./paced-load.ts";

export type ProducerWay =
  /** POSTs, each connection one after the other. `batch`: events in a request; 1: binary mode. */
  | { readonly over: "http"; readonly port: number; readonly host: string; readonly path: string; readonly batch: number }
  /** Publishes on one connection, each acknowledged by the stream. */
  | { readonly over: "nats"; readonly port: number; readonly subject: string };

export interface ProducerOptions {
  readonly way: ProducerWay;
  /** Requests under way. */
  readonly atOnce: number;
  readonly events: number;
  /** From the start of one request to the next, with one under way; 0: as soon as it is answered. */
  readonly everyMs: number;
}

export interface ProducerResult {
  /** Events that were taken. */
  readonly answers: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Sends one request; resolves with whether it was taken. */
type Send = () => Promise<boolean>;

const IDS = 1_024;
const HEAD_END = "\r\n\r\n";

async function httpSender({ port, host, path, batch }: ProducerWay & { readonly over: "http" }): Promise<Send> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let answered: (taken: boolean) => void = () => undefined;
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (!text.includes(HEAD_END)) return;
    // Answers of brokers to events have no content, or some words that came with the head.
    const taken = /^HTTP\/1\.1 20[02] /.test(text);
    text = "";
    answered(taken);
  });
  socket.on("close", () => answered(false));
  const requests = batch === 1 ? singleRequests(host, path) : batchRequests(host, path, batch);
  let next = Math.floor(Math.random() * requests.length);
  return () => {
    const { octets, stampAt } = requests[next++ % requests.length] as Request;
    if (socket.destroyed) return Promise.resolve(false);
    octets.write(stamp(nowMs()), stampAt, "latin1");
    return new Promise((resolve) => {
      answered = resolve;
      socket.write(octets);
    });
  };
}

interface Request {
  readonly octets: Buffer;
  readonly stampAt: number;
}

const headOf = (host: string, path: string, more: readonly (readonly [string, string])[], bytes: number): string =>
  `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: bench\r\n${more.map(([name, value]) => `${name}: ${value}\r\n`).join("")}content-length: ${bytes}${HEAD_END}`;

function singleRequests(host: string, path: string): Request[] {
  const body = eventBody();
  return Array.from({ length: IDS }, (_, id) => {
    const head = headOf(host, path, [...attributesOf(`event-${id}`), ["content-type", "application/json"]], body.length);
    return { octets: Buffer.concat([Buffer.from(head, "latin1"), body]), stampAt: head.length + STAMP_AT };
  });
}

function batchRequests(host: string, path: string, batch: number): Request[] {
  return Array.from({ length: Math.ceil(IDS / batch) }, (_, request) => {
    const events = Array.from({ length: batch }, (__, index) => {
      const attributes = attributesOf(`event-${request * batch + index}`).map(([name, value]) => `"${name.slice(3)}":"${value}"`);
      return `{${attributes.join(",")},"datacontenttype":"application/json","data":${eventBody().toString("latin1")}}`;
    });
    const body = Buffer.from(`[${events.join(",")}]`, "latin1");
    const octets = Buffer.concat([Buffer.from(headOf(host, path, [["content-type", "application/cloudevents-batch+json"]], body.length), "latin1"), body]);
    return { octets, stampAt: octets.indexOf('"sentMs":') + STAMP_AT - 1 };
  });
}

async function natsSender({ port, subject }: ProducerWay & { readonly over: "nats" }): Promise<Send> {
  const connection = await NatsConnection.open(port);
  const body = eventBody();
  const headers = Array.from({ length: IDS }, (_, id) => natsHeaders([...attributesOf(`event-${id}`), ["content-type", "application/json"]]));
  let next = 0;
  return () =>
    new Promise((resolve) => {
      body.write(stamp(nowMs()), STAMP_AT, "latin1");
      connection.publishAsked(subject, headers[next++ % IDS] ?? "", body, ({ octets, from, to }) =>
        resolve(octets.toString("latin1", from, to).includes('"seq"')),
      );
    });
}

async function senders({ way, atOnce }: ProducerOptions): Promise<Send[]> {
  if (way.over === "http") return Promise.all(Array.from({ length: atOnce }, () => httpSender(way)));
  const send = await natsSender(way);
  return Array.from({ length: atOnce }, () => send);
}

async function produce(options: ProducerOptions): Promise<ProducerResult> {
  const { way, events, everyMs } = options;
  const all = await senders(options);
  const each = way.over === "http" ? way.batch : 1;
  const latencies: number[] = [];
  let left = Math.ceil(events / each);
  let taken = 0;
  let failed = 0;
  const begin = performance.now();
  await Promise.all(
    all.map(async (send) => {
      while (left > 0) {
        left--;
        const from = performance.now();
        if (await send()) taken += each;
        else failed += each;
        const tookMs = performance.now() - from;
        latencies.push(tookMs);
        if (everyMs > 0) await new Promise((resume) => setTimeout(resume, Math.max(1, everyMs - tookMs)));
      }
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  latencies.sort((a, b) => a - b);
  return { answers: taken, failed, seconds, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}

console.log(JSON.stringify(await produce(JSON.parse(process.argv[2] ?? "") as ProducerOptions)));
process.exit(0);
