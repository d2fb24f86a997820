// The pods' resolver: answers for names of the cluster, and asks the machine's resolvers for all others.
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import type { Answer, DecodedPacket, Packet } from "dns-packet";
import type { Logger } from "#core";
import { answerFor, TTL_SECONDS, type NameAnswer, type NameRecord } from "./answers.ts";
import type { Forwarder } from "./forwarder.ts";
import type { ServiceBook } from "./service-book.ts";

export interface ResolverOptions {
  readonly address: string;
  readonly port?: number;
  readonly book: ServiceBook;
  readonly domain: string;
  readonly forwarder: Pick<Forwarder, "ask">;
  readonly mayEnter: (address: string) => boolean;
  /** A Service's address is about to be given away. */
  readonly onNamed: (key: string) => Promise<void>;
  readonly logger: Logger;
}

export interface Resolver {
  readonly port: number;
  close(): void;
}

const PORT = 53;
const UDP_BYTES = 512;
/** What goes through every network in one piece. */
const UDP_BYTES_MAX = 1_232;
const QUERIES_MAX = 1_024;
const CONNECTIONS_MAX = 128;
const CONNECTION_QUERIES_MAX = 32;
const IDLE_MS = 10_000;
const NXDOMAIN = 3;
const SERVFAIL = 2;
const TRUNCATED = 1 << 9;
const AUTHORITATIVE = 1 << 10;
const RECURSION_WANTED = 1 << 8;
const RECURSION = 1 << 7;

type Codec = Pick<typeof import("dns-packet"), "decode" | "encode">;

/** Listens on both; throws when it cannot. */
export async function startResolver(options: ResolverOptions): Promise<Resolver> {
  const codec: Codec = (await import("dns-packet")).default;
  const answering = new Answering(options, codec);
  const server = createServer((socket) => serveConnection(socket, answering));
  server.maxConnections = CONNECTIONS_MAX;
  await listening(server, { host: options.address, port: options.port ?? PORT });
  const { port } = server.address() as { port: number };
  const udp = createSocket({ type: "udp4" });
  try {
    await bound(udp, { address: options.address, port });
  } catch (error) {
    server.close();
    throw error;
  }
  udp.on("message", (query, from) => void answering.datagram(udp, query, from));
  for (const each of [server, udp]) each.on("error", (err: Error) => options.logger.warn("the pods' resolver has a failing socket", { err }));
  return {
    port,
    close() {
      server.close();
      udp.close();
    },
  };
}

class Answering {
  readonly options: ResolverOptions;
  readonly #codec: Codec;
  #queries = 0;

  constructor(options: ResolverOptions, codec: Codec) {
    this.options = options;
    this.#codec = codec;
  }

  async datagram(udp: UdpSocket, query: Buffer, from: RemoteInfo): Promise<void> {
    if (!this.options.mayEnter(from.address)) return;
    const answer = await this.answer(query, "udp");
    if (answer !== undefined) udp.send(answer, from.port, from.address, () => undefined);
  }

  /** Undefined for what is no query, and for queries beyond the limit. */
  async answer(query: Buffer, over: "udp" | "tcp"): Promise<Buffer | undefined> {
    if (query.length < 12 || (query.readUInt16BE(2) & 0x8000) !== 0 || this.#queries >= QUERIES_MAX) return undefined;
    const packet = this.#read(query);
    if (packet === undefined) return undefined;
    this.#queries++;
    try {
      return await this.#answered(packet, query, over);
    } catch (err) {
      this.options.logger.debug("a query of a pod was not answered", { err });
      const { id = 0, flags = 0, questions = [] } = packet;
      return this.#codec.encode({ type: "response", id, flags: RECURSION | (flags & RECURSION_WANTED) | SERVFAIL, questions });
    } finally {
      this.#queries--;
    }
  }

  #read(query: Buffer): DecodedPacket | undefined {
    try {
      const packet = this.#codec.decode(query);
      return packet.questions?.length === 1 ? packet : undefined;
    } catch {
      return undefined;
    }
  }

  async #answered(packet: DecodedPacket, query: Buffer, over: "udp" | "tcp"): Promise<Buffer> {
    const { book, domain, forwarder, onNamed } = this.options;
    const { name = "", type = "A" } = packet.questions?.[0] ?? {};
    const answer = answerFor({ name: name.toLowerCase().replace(/\.$/, ""), type }, book, domain);
    if (answer.is === "elsewhere") return forwarder.ask(query, over);
    if (answer.is === "known") await Promise.all(answer.services.map(onNamed));
    const outside = answer.is === "alias" ? await this.#outside(answer.target, type, over) : [];
    const encoded = this.#encode(packet, answer, outside);
    if (over === "tcp" || encoded.length <= roomFor(packet)) return encoded;
    const short = this.#encode(packet, { is: "known", records: [], additional: [], services: [] }, []);
    short.writeUInt16BE(short.readUInt16BE(2) | TRUNCATED, 2);
    return short;
  }

  /** What a name that stands for one outside comes to: programs do not follow it themselves. */
  async #outside(target: string, type: string, over: "udp" | "tcp"): Promise<Answer[]> {
    const query = this.#codec.encode({ type: "query", id: 0, flags: RECURSION_WANTED, questions: [{ type: type as "A", name: target }] });
    return this.#codec.decode(await this.options.forwarder.ask(query, over)).answers ?? [];
  }

  #encode(query: DecodedPacket, answer: Exclude<NameAnswer, { is: "elsewhere" }>, outside: readonly Answer[]): Buffer {
    const { domain } = this.options;
    const records = answer.is === "unknown" ? [] : answer.records;
    const [question] = query.questions ?? [];
    const asked = question?.name ?? "";
    const edns = query.additionals?.find((each) => each.type === "OPT");
    const packet: Packet = {
      type: "response",
      id: query.id ?? 0,
      flags: AUTHORITATIVE | RECURSION | ((query.flags ?? 0) & RECURSION_WANTED) | (answer.is === "unknown" ? NXDOMAIN : 0),
      questions: query.questions ?? [],
      // Letters as they were asked, for those who look.
      answers: [...records.map((record) => recordFor(record.name === asked.toLowerCase() ? { ...record, name: asked } : record)), ...outside],
      authorities: records.length + outside.length > 0 ? [] : [authority(domain)],
      additionals: [
        ...(answer.is === "known" ? answer.additional.map(recordFor) : []),
        ...(edns === undefined
          ? []
          : [{ type: "OPT" as const, name: ".", udpPayloadSize: UDP_BYTES_MAX, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }]),
      ],
    };
    return this.#codec.encode(packet);
  }
}

/** How long it may be believed that there is nothing. */
function authority(domain: string): Answer {
  const data = { mname: `ns.dns.${domain}`, rname: `hostmaster.${domain}`, serial: 1, refresh: 7_200, retry: 1_800, expire: 86_400, minimum: TTL_SECONDS };
  return { type: "SOA", name: domain, ttl: TTL_SECONDS, data };
}

function recordFor(record: NameRecord): Answer {
  return { ttl: TTL_SECONDS, ...record } as Answer;
}

function roomFor({ additionals = [] }: DecodedPacket): number {
  const said = additionals.find((each) => each.type === "OPT") as { readonly udpPayloadSize?: number } | undefined;
  return Math.min(UDP_BYTES_MAX, Math.max(UDP_BYTES, said?.udpPayloadSize ?? 0));
}

/** Queries one after the other, each behind its length. */
function serveConnection(socket: Socket, answering: Answering): void {
  if (!answering.options.mayEnter(socket.remoteAddress ?? "")) return void socket.destroy();
  let rest = Buffer.alloc(0);
  let served = 0;
  let turn: Promise<void> = Promise.resolve();
  socket.setTimeout(IDLE_MS, () => socket.destroy()).on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const query = rest.subarray(2, 2 + rest.readUInt16BE(0));
      rest = rest.subarray(2 + query.length);
      if (++served > CONNECTION_QUERIES_MAX) return void socket.destroy();
      turn = turn.then(async () => {
        const answer = await answering.answer(query, "tcp");
        if (answer === undefined) return void socket.destroy();
        const head = Buffer.alloc(2);
        head.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([head, answer]));
      });
    }
  });
}

function listening(server: Server, at: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function bound(udp: UdpSocket, at: { readonly address: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    udp.once("error", reject);
    udp.bind(at, () => {
      udp.off("error", reject);
      resolve();
    });
  });
}
