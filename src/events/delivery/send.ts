// Sends events over HTTP: names inside the cluster by way of the gateway (where Services wake from zero), all others directly.
import type { Clock } from "#core";
import { octetsOf, Outbox, ReadBuffers, scanFields, TimerWheel, type ResponseHead, type Surroundings } from "#gateway/wire";
import type { EventTarget } from "#protocol";
import { headerRecord } from "../header-record.ts";
import { Destination } from "./destination.ts";
import { Exchange, type Answer } from "./exchange.ts";
import { requestHead, routeOf, type Route } from "./request-head.ts";
import { isAccepted, type AttemptResult } from "./retry.ts";

export interface Outgoing {
  readonly target: EventTarget;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Of the whole attempt, the answer's body included. */
  readonly timeoutMs: number;
}

export interface Sent {
  readonly result: AttemptResult;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The port that deliveries send through. Never rejects: what goes wrong is a result. */
export interface Sender {
  send(outgoing: Outgoing, signal: AbortSignal): Promise<Sent>;
}

export interface HttpSenderOptions {
  readonly gateway: { readonly host: string; readonly port: number };
  /** `svc.cluster.local` */
  readonly localSuffix: string;
  readonly clock: Clock;
  /** Most that is read of an accepted answer; a longer one is a failure. */
  readonly replyBytesMax: number;
}

/** Destinations that are remembered while nothing is open there. */
const UNUSED_MAX = 1_024;
/** Read of an answer that tells of a failure. */
const ERROR_BYTES_MAX = 4_096;
const TICK_MS = 25;
const NOTHING = new Uint8Array();
const NO_HEADERS: Readonly<Record<string, string>> = {};

interface Way {
  readonly route: Route;
  readonly destination: Destination;
}

export class HttpSender implements Sender {
  readonly #options: HttpSenderOptions;
  /** What all connections share; its wheel has the deadlines of requests, too. */
  readonly #around: Surroundings;
  readonly #closing = new AbortController();
  /** By host and port. */
  readonly #destinations = new Map<string, Destination>();
  /** Of targets, which live as long as their subscribers. */
  readonly #routes = new WeakMap<EventTarget, Route>();
  /** What is under way, by the signal that ends it: one listener each. */
  readonly #underWay = new WeakMap<AbortSignal, Set<Exchange>>();
  readonly #open = new Set<Exchange>();
  readonly #headers = new WeakMap<ResponseHead, Readonly<Record<string, string>>>();
  #secure: Promise<Sender & { close(): Promise<void> }> | undefined;

  constructor(options: HttpSenderOptions) {
    this.#options = options;
    const idles = new TimerWheel(options.clock, TICK_MS);
    this.#around = { buffers: new ReadBuffers(), outbox: new Outbox(), idles, clock: options.clock };
    void idles.run(this.#closing.signal);
  }

  async send(outgoing: Outgoing, signal: AbortSignal): Promise<Sent> {
    // Nothing would end it: no deadline is looked at any more.
    if (signal.aborted || this.#closing.signal.aborted) return sentOf({ why: "given up" });
    if (!outgoing.target.url.startsWith("http:")) return (await this.#secureSender()).send(outgoing, signal);
    const way = this.#wayTo(outgoing.target);
    const head = requestHead(way.route, outgoing.headers, outgoing.body.length);
    if ("fault" in head) return sentOf({ why: head.fault });
    const result = await this.#exchange(outgoing, { destination: way.destination, head: head.text }, signal);
    return "why" in result
      ? sentOf(result)
      : sentOf({ status: result.head.status, headers: this.#headersOf(result.head), body: result.body, isCut: result.isCut });
  }

  /** What is under way is given up. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const exchange of this.#open) exchange.giveUp("given up");
    for (const destination of this.#destinations.values()) destination.close();
    await (await this.#secure)?.close();
  }

  #exchange(
    { body, timeoutMs }: Outgoing,
    { destination, head }: { readonly destination: Destination; readonly head: string },
    signal: AbortSignal,
  ): Promise<Answer | { readonly why: string }> {
    const together = this.#endingWith(signal);
    return new Promise((resolve) => {
      const exchange: Exchange = new Exchange({
        destination,
        deadlines: this.#around.idles,
        nowMs: () => this.#options.clock.monotonicMs(),
        head,
        body,
        timeoutMs,
        bodyMax: ({ status }) => this.#bodyMax(status),
        done: (result) => {
          together.delete(exchange);
          this.#open.delete(exchange);
          resolve(result);
        },
      });
      together.add(exchange);
      this.#open.add(exchange);
    });
  }

  /** What the signal ends; listening once is enough for all of it. */
  #endingWith(signal: AbortSignal): Set<Exchange> {
    const known = this.#underWay.get(signal);
    if (known !== undefined) return known;
    const together = new Set<Exchange>();
    this.#underWay.set(signal, together);
    signal.addEventListener("abort", () => together.forEach((exchange) => exchange.giveUp("given up")), { once: true });
    return together;
  }

  #bodyMax(status: number): number {
    return isAccepted({ is: "answer", status }) ? this.#options.replyBytesMax : ERROR_BYTES_MAX;
  }

  #wayTo(target: EventTarget): Way {
    const { gateway, localSuffix } = this.#options;
    let route = this.#routes.get(target);
    if (route === undefined) {
      const url = new URL(target.url);
      // A name inside the cluster is resolved by nobody but the gateway.
      route = routeOf(url, url.hostname.endsWith(`.${localSuffix}`) ? gateway : undefined);
      this.#routes.set(target, route);
    }
    return { route, destination: this.#destinationAt(route) };
  }

  #destinationAt({ host, port }: Route): Destination {
    const key = `${host} ${port}`;
    const known = this.#destinations.get(key);
    if (known !== undefined) return known;
    if (this.#destinations.size >= UNUSED_MAX) for (const [each, destination] of this.#destinations) if (destination.isUnused) this.#destinations.delete(each);
    const made = new Destination({ host, port }, this.#around);
    this.#destinations.set(key, made);
    return made;
  }

  /** A connection has the same head again and again, but for its date. */
  #headersOf(head: ResponseHead): Readonly<Record<string, string>> {
    const known = this.#headers.get(head) ?? headersOf(head);
    this.#headers.set(head, known);
    return known;
  }

  #secureSender(): Promise<Sender & { close(): Promise<void> }> {
    const { clock } = this.#options;
    return (this.#secure ??= import("./secure-sender.ts").then(({ SecureSender }) => new SecureSender({ clock, bodyMax: (status) => this.#bodyMax(status) })));
  }
}

function headersOf({ text }: ResponseHead): Readonly<Record<string, string>> {
  const fields = scanFields(octetsOf(text), text.indexOf("\r\n") + 2);
  return Array.isArray(fields) ? headerRecord(text, fields) : NO_HEADERS;
}

/** An answer, with what was read of it, or why there is none. */
export function sentOf(
  got:
    | { readonly why: string }
    | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array; readonly isCut: boolean },
): Sent {
  if ("why" in got) return { result: { is: "failure", why: got.why }, headers: NO_HEADERS, body: NOTHING };
  const { status, headers, body, isCut } = got;
  const accepted: AttemptResult = { is: "answer", status };
  if (isCut && isAccepted(accepted)) return sentOf({ why: `the answer has more than ${body.length} bytes` });
  const retryAfter = headers["retry-after"];
  return { result: retryAfter === undefined ? accepted : { ...accepted, retryAfter }, headers, body };
}
