// The same streams in Node's own parser (llhttp), asked for exactly what we accepted: the same messages, ending at the same octets.
import { createRequire } from "node:module";
import type { Framed, Message } from "./ours.ts";

interface Parser {
  initialize(type: number, resource: object, headBytesMax: number, lenient: number): void;
  execute(bytes: Buffer): number | Error;
  [callback: number]: (...args: never[]) => unknown;
}

interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnMessageBegin: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

// Node warns that the module is internal; that is what is wanted here, and in tests only.
const { HTTPParser, methods } = createRequire(import.meta.url)("_http_common") as { HTTPParser: ParserClass; methods: readonly string[] };

const HEAD_BYTES_MAX = 1 << 20;

/** In what way Node framed the stream otherwise. */
export interface Difference {
  /** What it is, the same for all inputs of its kind. */
  readonly kind: string;
  /** The message that we understood, and the place in the stream. */
  readonly message: Message | undefined;
  readonly index: number;
  readonly detail: string;
}

/** One parser that is used again and again. */
export class NodeParser {
  readonly #parser = new HTTPParser();
  readonly #type: number;
  #begun = 0;
  #headed = 0;
  #complete = 0;
  #start = "";
  #fields = 0;
  #body = "";
  #keepAlive = false;
  #upgrade = false;
  /** Answers like Node's client: no body behind HEAD and informational responses. */
  #bodiless = false;

  constructor(sort: "requests" | "responses") {
    this.#type = sort === "requests" ? HTTPParser.REQUEST : HTTPParser.RESPONSE;
    const parser = this.#parser;
    let url = "";
    parser[HTTPParser.kOnMessageBegin] = () => {
      this.#begun++;
      this.#body = "";
      this.#fields = 0;
      url = "";
    };
    parser[HTTPParser.kOnHeaders] = (fields: readonly string[], part: string) => {
      // Trailers come this way, too, behind the head.
      if (this.#headed === this.#begun) return;
      this.#fields += fields.length / 2;
      url += part;
    };
    parser[HTTPParser.kOnHeadersComplete] = (...args: unknown[]) => {
      const [, , fields, method, target, status, , upgrade, keepAlive] = args as [0, 0, string[]?, number?, string?, number?, string?, boolean?, boolean?];
      this.#headed++;
      this.#fields += (fields?.length ?? 0) / 2;
      this.#start = method === undefined || method === null ? String(status) : `${methods[method]} ${target ?? url}`;
      this.#upgrade = upgrade === true;
      this.#keepAlive = keepAlive === true;
      return this.#bodiless || (status !== undefined && status !== null && status < 200 && status !== 101) ? 1 : 0;
    };
    parser[HTTPParser.kOnBody] = (bytes: Buffer) => void (this.#body += bytes.toString("latin1"));
    parser[HTTPParser.kOnMessageComplete] = () => void this.#complete++;
  }

  /** The first thing in which Node disagrees with what we accepted; undefined when there is none. */
  differs(bytes: Buffer, ours: Framed, method: string): Difference | undefined {
    this.#parser.initialize(this.#type, {}, HEAD_BYTES_MAX, 0);
    this.#begun = this.#headed = this.#complete = 0;
    this.#bodiless = method === "HEAD";
    let from = 0;
    for (const [index, message] of ours.messages.entries()) {
      const difference = this.#message(bytes, message, { index, from });
      if (difference !== undefined) return difference;
      if (message.upgrade || this.#upgrade || message.end < 0) return undefined;
      from = message.end;
    }
    if (ours.stopped || from === bytes.length) return undefined;
    // We wait for the rest of a head: Node may refuse it already, but must not have a message.
    this.#parser.execute(bytes.subarray(from));
    if (this.#complete === ours.messages.length) return undefined;
    return { kind: "node has a message that we wait for", message: undefined, index: ours.messages.length, detail: this.#start };
  }

  #message(bytes: Buffer, message: Message, place: { readonly index: number; readonly from: number }): Difference | undefined {
    const { index, from } = place;
    const differ = (kind: string, detail: string): Difference => ({ kind, message, index, detail });
    const whole = message.end >= 0;
    const end = whole ? message.end : bytes.length;
    // All but the last octet, then that one: the end is exactly there.
    const last = whole ? end - 1 : end;
    const first = this.#parser.execute(bytes.subarray(from, last));
    if (typeof first !== "number") return differ(`node refuses: ${codeOf(first)}`, first.message);
    if (this.#complete !== index) return differ("node ends the message before us", this.#start);
    if (whole) {
      const second = this.#parser.execute(bytes.subarray(last, end));
      if (typeof second !== "number") return differ(`node refuses: ${codeOf(second)}`, second.message);
      if (this.#complete !== index + 1) return differ("node does not end the message with us", this.#start);
      if (this.#begun !== index + 1) return differ("node sees another number of messages", String(this.#begun));
    } else if (this.#headed !== index + 1) {
      return differ("node does not end the head with us", String(this.#headed));
    }
    if (this.#start !== message.start) return differ("node sees another start", `${this.#start} / ${message.start}`);
    if (this.#body !== message.body) return differ("node sees another body", `${JSON.stringify(this.#body)} / ${JSON.stringify(message.body)}`);
    if (this.#fields !== message.fields) return differ("node sees another number of fields", `${this.#fields} / ${message.fields}`);
    // Before it is told that the request was HEAD, Node's parser takes a response without a length for one that ends with the connection.
    if (message.keepAlive && !this.#keepAlive && !this.#bodiless) return differ("node closes where we go on", this.#start);
    return undefined;
  }
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
