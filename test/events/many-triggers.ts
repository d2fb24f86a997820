// Thousands of Triggers of one Broker in this process: the events thread's own code over the real log on a simulated disk. What is judged
// are counts: who got which event, and how many readers of the log that took.
import { SeededRng, silentLogger, SimClock } from "#core";
import { EventsNode } from "#events";
import { openLog, type Log } from "#log";
import type { EventSubscriber } from "#protocol";
import type { Outgoing, Sender, Sent } from "../../src/events/delivery/send.ts";
import type { DeliveryCursor, EventLog, StreamLog, StreamReader } from "../../src/events/port.ts";
import { encodeStored } from "../../src/events/stored-event.ts";
import { SimDisk } from "../log/sim-disk.ts";

export const TRIGGERS = 10_000;
/** The first ones share a type, all others have one of their own. */
export const SHARED = 10;
const ACCEPTED: Sent = { result: { is: "answer", status: 200 }, headers: {}, body: new Uint8Array() };

/** Answers at once, or holds what one Trigger gets; keeps who got what. */
export class Receivers implements Sender {
  readonly got = new Map<string, number>();
  /** Of this Trigger nothing is answered while it is set. */
  held: number | undefined;
  #total = 0;
  #waiting: { readonly total: number; readonly resolve: () => void } | undefined;
  #letGo = Promise.withResolvers<void>();

  async send({ target, headers }: Outgoing): Promise<Sent> {
    const trigger = Number(new URL(target.url).pathname.slice(1));
    if (trigger === this.held) await this.#letGo.promise;
    const key = `${trigger} ${headers["ce-id"]}`;
    this.got.set(key, (this.got.get(key) ?? 0) + 1);
    this.#total++;
    if (this.#total >= (this.#waiting?.total ?? Infinity)) this.#waiting?.resolve();
    return ACCEPTED;
  }

  letGo(): void {
    this.held = undefined;
    this.#letGo.resolve();
  }

  /** Resolves once so many were answered. */
  async answered(total: number): Promise<void> {
    if (this.#total < total) await new Promise<void>((resolve) => (this.#waiting = { total, resolve }));
  }
}

/**
 * - `behind`: every Trigger is taken for one that is far behind at the start, and reads for itself.
 * - `apart`: cursors do not move with what was handed out (but that of the one in order, which falls behind).
 */
export type Planted = "behind" | "apart";

/** Counts who reads. */
export class Watched {
  readers = 0;
  readonly #planted: Planted | undefined;

  constructor(planted?: Planted) {
    this.#planted = planted;
  }

  log(log: Log): EventLog {
    const stream = async (...args: Parameters<Log["stream"]>): Promise<StreamLog> => this.#stream(await log.stream(...args));
    return instead<EventLog>(log, { stream });
  }

  #stream(of: Awaited<ReturnType<Log["stream"]>>): StreamLog {
    const reader = (from: number | "end"): StreamReader => {
      if (from !== "end") this.readers++;
      return of.reader(from);
    };
    return instead<StreamLog>(of, { reader, cursor: async (name, from) => this.#cursor(name, await of.cursor(name, from)) });
  }

  #cursor(name: string, of: DeliveryCursor): DeliveryCursor {
    if (this.#planted === "apart" && name !== `t${SHARED}`) return instead<DeliveryCursor>(of, { follow: () => undefined });
    if (this.#planted !== "behind") return of;
    // The feed looks twice: for the slowest, and whether this one is behind it.
    let looks = 2;
    return instead<DeliveryCursor>(of, {
      get next() {
        return looks-- > 0 ? -Infinity : of.next;
      },
    });
  }
}

/** The object but for some of its members. */
function instead<T extends object>(of: T, members: Partial<T>): T {
  return new Proxy(of, {
    get(target, name) {
      const value: unknown = name in members ? members[name as keyof T] : target[name as keyof T];
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

export interface Life {
  readonly node: EventsNode;
  readonly disk: SimDisk;
  readonly log: Log;
  emit(events: readonly { readonly id: string; readonly type: string }[]): Promise<void>;
  /** Resolves once nothing is open at anybody, and the disk knows. */
  settled(): Promise<void>;
}

export async function begin(disk: SimDisk, sender: Sender, watched: Watched, triggers: number): Promise<Life> {
  const clock = new SimClock();
  const log = await openLog({ disk, clock, logger: silentLogger });
  const node = new EventsNode({
    log: watched.log(log),
    sender,
    brokersUrl: "http://brokers",
    sightings: { saw: () => undefined },
    clock,
    logger: silentLogger,
  });
  const streams = [{ id: "b", kind: "Broker", namespace: "ns", name: "b", version: 1 }] as const;
  const subscribers = Array.from({ length: triggers }, (_, index) => triggerOf(index));
  await node.apply({ type: "events", generation: 1, reset: true, streams, streamsRemoved: [], subscribers, subscribersRemoved: [] });
  const emit: Life["emit"] = async (events) => {
    const intake = node.intakeAt({ kind: "Broker", namespace: "ns", name: "b" });
    const records = events.map(({ id, type }) => ({
      value: encodeStored({ form: "binary", attributes: new Map(Object.entries({ specversion: "1.0", id, source: "/x", type })), headers: {} }),
    }));
    await intake?.stream.appendAll(records);
  };
  const settled: Life["settled"] = async () => {
    while (node.view.subscribers.some(({ open }) => [...open].length > 0)) await new Promise(setImmediate);
    await log.sync();
  };
  return { node, disk, log, emit, settled };
}

export function newDisk(): SimDisk {
  return new SimDisk(new SeededRng(1));
}

function triggerOf(index: number): EventSubscriber {
  return {
    id: `t${index}`,
    stream: "b",
    namespace: "ns",
    name: `t${index}`,
    version: 1,
    selection: { attributes: {}, filters: [{ exact: { type: index < SHARED ? "shared" : `own-${index}` } }] },
    target: { url: `http://receivers/${index}` },
    rules: { retries: 0, backoff: "linear", backoffMs: 1_000, timeoutMs: 1_000 },
    order: index === SHARED ? "whole" : "none",
  };
}
