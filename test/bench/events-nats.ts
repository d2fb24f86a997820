// What the bench of events speaks with NATS: connect, publish with an answer, subscribe. One connection.
import { connect, type Socket } from "node:net";
import { once } from "node:events";

export interface NatsMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  /** Valid during the call. */
  readonly octets: Buffer;
  /** Where the payload lies in them, behind the headers. */
  readonly from: number;
  readonly to: number;
}

const LINE_END = Buffer.from("\r\n");
const INBOX = "_INBOX.bench";

export class NatsConnection {
  readonly #socket: Socket;
  readonly #took = new Map<string, (message: NatsMessage) => void>();
  readonly #answers = new Map<string, (message: NatsMessage) => void>();
  #rest: Buffer = Buffer.alloc(0);
  #ponged: (() => void) | undefined;
  #next = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("close", () => {
      // Nobody waits for what cannot come any more.
      for (const answer of this.#answers.values()) answer({ subject: "", reply: undefined, octets: Buffer.from("-ERR closed"), from: 0, to: 11 });
    });
  }

  static async open(port: number): Promise<NatsConnection> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    const connection = new NatsConnection(socket);
    socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"lang":"bench","version":"1"}\r\n');
    connection.subscribe(`${INBOX}.*`, ({ subject, ...message }) => {
      const answer = connection.#answers.get(subject);
      connection.#answers.delete(subject);
      answer?.({ subject, ...message });
    });
    await connection.flushed();
    return connection;
  }

  /** Resolves once the server has read all of it. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#ponged = resolve;
      this.#socket.write("PING\r\n");
    });
  }

  subscribe(subject: string, take: (message: NatsMessage) => void): void {
    const id = String(this.#took.size + 1);
    this.#took.set(id, take);
    this.#socket.write(`SUB ${subject} ${id}\r\n`);
  }

  publish(subject: string, payload = ""): void {
    this.#socket.write(`PUB ${subject} ${payload.length}\r\n${payload}\r\n`);
  }

  /** `headers` ends with an empty line; both are ASCII. */
  publishAsked(subject: string, headers: string, payload: Buffer, answered: (message: NatsMessage) => void): void {
    const inbox = `${INBOX}.${this.#next++}`;
    this.#answers.set(inbox, answered);
    const octets = headers.length + payload.length;
    const verb = headers === "" ? `PUB ${subject} ${inbox} ${octets}` : `HPUB ${subject} ${inbox} ${headers.length} ${octets}`;
    this.#socket.write(Buffer.concat([Buffer.from(`${verb}\r\n${headers}`, "latin1"), payload, LINE_END]));
  }

  /** An answer of the server's own API; throws what it refuses. */
  async ask(subject: string, request: object): Promise<void> {
    const text = await new Promise<string>((resolve) => {
      this.publishAsked(subject, "", Buffer.from(JSON.stringify(request)), ({ octets, from, to }) => resolve(octets.toString("utf8", from, to)));
    });
    if (!text.startsWith("{") || text.includes('"error"')) throw new Error(`NATS refuses ${subject}: ${text}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const octets = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const end = this.#one(octets, at);
      if (end === undefined) break;
      at = end;
    }
    this.#rest = octets.subarray(at);
  }

  /** Where the message at `at` ends; undefined while it is not whole. */
  #one(octets: Buffer, at: number): number | undefined {
    const lineEnd = octets.indexOf(LINE_END, at);
    if (lineEnd < 0) return undefined;
    const line = octets.toString("latin1", at, lineEnd);
    const begin = lineEnd + LINE_END.length;
    if (line === "PONG") this.#ponged?.();
    else if (line === "PING") this.#socket.write("PONG\r\n");
    else if (line.startsWith("-ERR")) throw new Error(`NATS: ${line}`);
    const [verb, subject = "", id = "", ...more] = line.split(" ");
    if (verb !== "MSG" && verb !== "HMSG") return begin;
    const length = Number(more.pop());
    const headers = verb === "HMSG" ? Number(more.pop()) : 0;
    const end = begin + length;
    if (octets.length < end + LINE_END.length) return undefined;
    this.#took.get(id)?.({ subject, reply: more[0], octets, from: begin + headers, to: end });
    return end + LINE_END.length;
  }
}

/** The headers of a message. */
export const natsHeaders = (headers: readonly (readonly [string, string])[]): string =>
  `NATS/1.0\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
