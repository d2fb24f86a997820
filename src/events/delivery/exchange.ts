// One request to a subscriber and its answer, over a connection of its destination.
import { Unchunker, type Chunk, type PodConnection, type PodFailure, type ResponseHead, type ResponseSink, type Timed, type TimerWheel } from "#gateway/wire";
import type { Destination } from "./destination.ts";

export interface Answer {
  readonly head: ResponseHead;
  /** At most `bodyMax` octets; what came behind them is cut off. */
  readonly body: Buffer;
  readonly isCut: boolean;
}

export interface ExchangeOptions {
  readonly destination: Destination;
  readonly deadlines: TimerWheel;
  readonly nowMs: () => number;
  readonly head: string;
  readonly body: Uint8Array;
  /** Of the whole exchange. */
  readonly timeoutMs: number;
  /** Most that is read of an answer with this head. */
  readonly bodyMax: (head: ResponseHead) => number;
  /** Called once. */
  readonly done: (result: Answer | { readonly why: string }) => void;
}

/** Until a connection stands; an address where nobody is must not hold an event for as long as a subscriber may. */
const CONNECT_MS_MAX = 10_000;
/** A body of this size goes along with its head in one write. */
const TOGETHER_BYTES_MAX = 8 << 10;
const NOTHING = Buffer.alloc(0);

export class Exchange implements ResponseSink, Timed {
  dueMs = 0;
  bucket = -1;
  before: Timed | undefined = undefined;
  after: Timed | undefined = undefined;

  readonly #options: ExchangeOptions;
  readonly #untilMs: number;
  #connection: PodConnection | undefined;
  #head: ResponseHead | undefined;
  #bodyMax = 0;
  #parts: Buffer[] | undefined;
  #bytes = 0;
  #unchunker: Unchunker | undefined;
  #isOver = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const nowMs = options.nowMs();
    this.#untilMs = nowMs + options.timeoutMs;
    options.deadlines.add(this, Math.min(this.#untilMs, nowMs + CONNECT_MS_MAX));
    options.destination.take(this.#given);
  }

  /** No answer is wanted any more. */
  giveUp(why: string): void {
    if (!this.#isOver) this.#end({ why }, undefined);
  }

  expire(nowMs: number): void {
    const { timeoutMs, deadlines } = this.#options;
    if (nowMs >= this.#untilMs) return this.giveUp(`no answer within ${timeoutMs} ms`);
    // Who waits for the connection of another is not late yet.
    if (this.#connection?.isConnected === false) return this.giveUp(`no connection within ${CONNECT_MS_MAX} ms`);
    deadlines.add(this, this.#connection === undefined ? Math.min(this.#untilMs, nowMs + CONNECT_MS_MAX) : this.#untilMs);
  }

  readonly #given = (connection: PodConnection): void => {
    const { head, body } = this.#options;
    this.#connection = connection;
    connection.serve(this);
    const octets = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (octets.length <= TOGETHER_BYTES_MAX) {
      connection.write(head + octets.toString("latin1"));
      return;
    }
    connection.cork(() => {
      connection.write(head);
      connection.write(octets);
    });
  };

  framingOf(head: ResponseHead): ResponseHead["framing"] {
    return head.framing;
  }

  informational(): void {
    // The final head is what counts.
  }

  responseBegan(head: ResponseHead, body: Chunk): void {
    this.#head = head;
    this.#bodyMax = this.#options.bodyMax(head);
    this.#unchunker = head.framing === "chunked" ? new Unchunker() : undefined;
    this.responseBody(body);
  }

  responseBody(body: Chunk): void {
    if (this.#isOver) return;
    if (body.to > body.from) this.#keep(body);
    const isCut = this.#bytes > this.#bodyMax;
    if (!isCut && !body.done) return;
    const parts = this.#parts ?? [];
    const whole = parts.length === 1 ? (parts[0] ?? NOTHING) : Buffer.concat(parts);
    const head = this.#head;
    if (head !== undefined) this.#end({ head, body: whole.subarray(0, this.#bodyMax), isCut }, body.done ? head : undefined);
  }

  #keep(body: Chunk): void {
    const content = this.#unchunker?.contentOf(body).bytes ?? Buffer.from(body.bytes.subarray(body.from, body.to));
    if (this.#unchunker === undefined) body.release?.();
    if (content.length === 0) return;
    this.#bytes += content.length;
    (this.#parts ??= []).push(content);
  }

  upgraded(): void {
    this.giveUp("the answer is 101 and nobody asked for it");
  }

  tunnelData(): void {
    // There is none.
  }

  tunnelEnded(): void {
    // There is none.
  }

  podDrained(): void {
    // All that is sent is written at once.
  }

  podFailed({ error, unsent, malformed, connected, fresh }: PodFailure): void {
    const { destination } = this.#options;
    const connection = this.#connection;
    // Nobody has seen it: a kept connection was closed meanwhile, and the next one is as good.
    if (unsent && connected && !fresh && connection !== undefined) {
      this.#connection = undefined;
      destination.giveBack(connection, undefined);
      return destination.take(this.#given);
    }
    this.giveUp(malformed ? "the answer is no HTTP" : error === undefined ? "the connection was closed before the answer was whole" : said(error));
  }

  #end(result: Answer | { readonly why: string }, whole: ResponseHead | undefined): void {
    const { destination, deadlines, done } = this.#options;
    this.#isOver = true;
    deadlines.remove(this);
    if (this.#connection === undefined) destination.forget(this.#given);
    else destination.giveBack(this.#connection, whole);
    this.#connection = undefined;
    done(result);
  }
}

/** Messages of system errors are empty when several addresses were tried. */
export function said(error: unknown): string {
  const { message, code, cause } = error as { message?: string; code?: string; cause?: unknown };
  const own = message === undefined || message === "" ? (code ?? "unknown failure") : message;
  return cause instanceof Error && cause.message !== "" ? `${own}: ${cause.message}` : own;
}
