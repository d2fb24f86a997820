// What takes events and brings them to subscribers in the bench of events: Eider, and NATS JetStream.
import { execFileSync, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { once } from "node:events";
import { systemClock } from "#host";
import { Broker, Trigger } from "#kinds";
import type { Draft } from "#schema";
import type { ProducerWay } from "./events-producer.ts";
import type { SubscriberOptions, SubscriberReady, SubscriberResult } from "./events-subscriber.ts";
import { NatsConnection } from "./events-nats.ts";
import { freePort, start, stopped } from "./gateway-contenders.ts";
import { BenchPlatform } from "./platform.ts";
import { familyOf } from "./proc.ts";
import { programPath } from "./programs.ts";

/** `kept`: has no subscriber. `delivered`: all its events go to one. */
export type Place = "kept" | "delivered";

export interface EventsContender {
  readonly name: string;
  /** Whose CPU time counts. */
  readonly pids: () => readonly number[];
  readonly wayTo: (place: Place) => ProducerWay;
  readonly subscriber: Subscriber;
  stop(): Promise<void>;
}

export interface EventsGround {
  readonly folder: string;
  /** Commands that bind to a core: producers and subscribers to one, contenders to the other. */
  readonly loadPin: readonly string[];
  readonly pin: readonly string[];
}

export const NAMESPACE = "default";
const HOST = "broker-ingress.knative-eventing.svc.cluster.local";
const ATTEMPTS = 200;
const EVERY_MS = 50;
const forever = new AbortController().signal;

/** A subscriber's process. */
export class Subscriber {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly port: number;

  constructor(child: ChildProcess, lines: Interface, { port }: SubscriberReady) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
  }

  static async start(ground: EventsGround, options: SubscriberOptions): Promise<Subscriber> {
    const argv = [...ground.loadPin, process.execPath, "--conditions=source", join(import.meta.dirname, "events-subscriber.ts"), JSON.stringify(options)];
    const child = start(ground, argv, { log: "subscriber.log", piped: true });
    if (child.stdout === null) throw new Error("the output is a pipe");
    const lines = createInterface({ input: child.stdout });
    return new Subscriber(child, lines, JSON.parse(await lineOf(lines, forever)) as SubscriberReady);
  }

  /** Resolves once it has got so many events since it was asked last. */
  async received(events: number, signal: AbortSignal): Promise<SubscriberResult> {
    const line = lineOf(this.#lines, signal);
    this.#child.stdin?.write(`${events}\n`);
    return JSON.parse(await line) as SubscriberResult;
  }

  stop(): Promise<void> {
    return stopped(this.#child);
  }
}

async function lineOf(lines: Interface, signal: AbortSignal): Promise<string> {
  const [line] = (await Promise.race([once(lines, "line", { signal }), once(lines, "close", { signal }).then(() => [undefined])])) as [string?];
  if (line === undefined) throw new Error("a subscriber of this bench has ended: see its log");
  return line;
}

export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    await systemClock.sleep(EVERY_MS, forever);
  }
  throw new Error(`${what}: not within ${(ATTEMPTS * EVERY_MS) / 1000} s`);
}

export interface EiderContender extends EventsContender {
  readonly platform: BenchPlatform;
  /** Makes a Broker, with Triggers of which `matching` tells which events they want; resolves once all are Ready. */
  broker(name: string, triggers: readonly object[]): Promise<ProducerWay>;
}

const isReady = (status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } | undefined): true | undefined =>
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true ? true : undefined;

/** Triggers that are made at once. */
const MADE_AT_ONCE = 20;

export async function eider(ground: EventsGround, command: string): Promise<EiderContender> {
  const subscriber = await Subscriber.start(ground, { over: "http" });
  const platform = await BenchPlatform.start(command, ground.pin);
  const port = Number(new URL(platform.state.internal).port);
  const wayTo = (name: string): ProducerWay => ({ over: "http", port, host: HOST, path: `/${NAMESPACE}/${name}`, batch: 1 });
  const broker: EiderContender["broker"] = async (name, triggers) => {
    const { client } = platform;
    const apiVersion = "eventing.knative.dev/v1";
    await client.create(Broker, { apiVersion, kind: "Broker", metadata: { name, namespace: NAMESPACE }, spec: {} } as unknown as Draft<Broker>);
    const names = triggers.map((_, index) => `${name}-${index}`);
    const left = [...triggers.entries()];
    const make = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const [index, selection] = next;
        const spec = { broker: name, subscriber: { uri: `http://127.0.0.1:${subscriber.port}/` }, ...selection };
        const metadata = { name: names[index] ?? "", namespace: NAMESPACE };
        await client.create(Trigger, { apiVersion, kind: "Trigger", metadata, spec } as unknown as Draft<Trigger>);
      }
    };
    await Promise.all(Array.from({ length: MADE_AT_ONCE }, make));
    await eventually(`Broker ${name} is ready`, async () => isReady((await client.get(Broker, NAMESPACE, name)).status));
    for (const each of names) await eventually(`Trigger ${each} is ready`, async () => isReady((await client.get(Trigger, NAMESPACE, each)).status));
    return wayTo(name);
  };
  await broker("kept", []);
  await broker("delivered", [{}]);
  return {
    name: "eider",
    platform,
    broker,
    pids: () => familyOf(platform.state.keeperPid),
    wayTo,
    subscriber,
    async stop() {
      await platform.stop();
      await subscriber.stop();
    },
  };
}

/** Of a server that is older than the setting, none. */
const SYNCED = "sync_interval: always";

/** Somebody else. */
export interface Peer extends EventsContender {
  readonly version: string;
  /** What a reader has to know of it. */
  readonly notes: readonly string[];
}

/** The server that NATS_SERVER names, or the machine's; why not, when there is none. */
export async function nats(ground: EventsGround): Promise<Peer | string> {
  const program = process.env["NATS_SERVER"] ?? programPath("nats-server");
  if (program === undefined) return "neither NATS_SERVER nor a nats-server on the PATH";
  const folder = join(ground.folder, "nats");
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, "nats.conf");
  const config = (sync: string): string => `listen: 127.0.0.1:${port}\njetstream { store_dir: ${JSON.stringify(folder)}\n${sync}\n}\n`;
  writeFileSync(file, config(SYNCED));
  const isSynced = spawnSync(program, ["-t", "-c", file]).status === 0;
  if (!isSynced) writeFileSync(file, config(""));
  const child = start(ground, [...ground.pin, program, "-c", file], { log: "nats.log" });
  const api = await eventually("NATS listens", () => NatsConnection.open(port));
  const deliver = "bench.deliver";
  for (const place of ["kept", "delivered"] satisfies Place[]) {
    await api.ask(`$JS.API.STREAM.CREATE.${place}`, { name: place, subjects: [`bench.${place}`], storage: "file", retention: "limits" });
  }
  const subscriber = await Subscriber.start(ground, { over: "nats", port, subject: deliver });
  const consumer = { durable_name: "one", deliver_subject: deliver, deliver_policy: "new", ack_policy: "explicit", max_ack_pending: 1_000 };
  await api.ask("$JS.API.CONSUMER.DURABLE.CREATE.delivered.one", { stream_name: "delivered", config: consumer });
  api.close();
  return {
    name: "nats",
    version: execFileSync(program, ["--version"], { encoding: "utf8" }).trim().replace("nats-server: ", ""),
    notes: isSynced ? [] : [`nats does not know "${SYNCED}": it acknowledges what is not on the disk yet (NATS_SERVER names another one)`],
    pids: () => [child.pid ?? 0],
    wayTo: (place) => ({ over: "nats", port, subject: `bench.${place}` }),
    subscriber,
    async stop() {
      await stopped(child);
      await subscriber.stop();
    },
  };
}
