// Names that are not the cluster's: asked of the machine's own resolvers, with limits.
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { existsSync, readFileSync } from "node:fs";
import { connect, isIPv6 } from "node:net";
import type { Clock } from "#core";

export interface ForwarderOptions {
  /** Asked in turn. */
  readonly servers: () => readonly string[];
  readonly clock: Clock;
  readonly port?: number;
}

const PORT = 53;
const UNDER_WAY_MAX = 512;
const SERVERS_MAX = 3;
const SERVER_MS = 3_000;
const BYTES_MAX = 65_535;

export class Forwarder {
  readonly #options: ForwarderOptions;
  #underWay = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** The answer, under the id of the query. Throws when nobody answers in time, or too much is asked at once. */
  async ask(query: Buffer, over: "udp" | "tcp"): Promise<Buffer> {
    if (this.#underWay >= UNDER_WAY_MAX) throw new Error(`${UNDER_WAY_MAX} queries are under way`);
    this.#underWay++;
    try {
      let last: unknown = new Error("the machine has no resolver");
      for (const server of this.#options.servers().slice(0, SERVERS_MAX))
        try {
          return await this.#askOne(server, query, over);
        } catch (error) {
          last = error;
        }
      throw last;
    } finally {
      this.#underWay--;
    }
  }

  async #askOne(server: string, query: Buffer, over: "udp" | "tcp"): Promise<Buffer> {
    const { clock, port = PORT } = this.#options;
    // An id of our own, so that nobody who guesses the pod's can answer in the server's place.
    const id = randomInt(0x10000);
    const asked = Buffer.from(query);
    asked.writeUInt16BE(id, 0);
    const done = new AbortController();
    const late = clock.sleep(SERVER_MS, done.signal).then(
      () => {
        throw new Error(`the resolver ${server} does not answer`);
      },
      () => new Promise<never>(() => undefined),
    );
    try {
      const answer = await Promise.race([(over === "udp" ? overUdp : overTcp)({ server, port }, asked, done.signal), late]);
      answer.writeUInt16BE(query.readUInt16BE(0), 0);
      return answer;
    } finally {
      done.abort();
    }
  }
}

interface Server {
  readonly server: string;
  readonly port: number;
}

/** The first answer that has the query's id. */
function overUdp({ server, port }: Server, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(server) ? "udp6" : "udp4", signal });
    socket.on("error", reject);
    socket.on("message", (answer) => {
      if (answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0)) resolve(answer);
    });
    // Connected: answers of others do not come through.
    socket.connect(port, server, () => socket.send(query));
  });
}

function overTcp({ server, port }: Server, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server, port, signal });
    const chunks: Buffer[] = [];
    let length = 0;
    socket.on("error", reject).on("end", () => reject(new Error(`the resolver ${server} closed the connection`)));
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > BYTES_MAX + 2) return reject(new Error("the answer is too long"));
      const all = Buffer.concat(chunks);
      if (all.length >= 2 && all.length >= 2 + all.readUInt16BE(0)) {
        resolve(all.subarray(2, 2 + all.readUInt16BE(0)));
        socket.destroy();
      }
    });
    const head = Buffer.alloc(2);
    head.writeUInt16BE(query.length);
    socket.write(Buffer.concat([head, query]));
  });
}

export interface HostResolvers {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** What `/etc/resolv.conf` says. */
export function parseResolvConf(text: string): HostResolvers {
  const words = text.split("\n").map((line) =>
    line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/),
  );
  const all = (name: string): string[][] => words.filter(([first]) => first === name).map(([, ...rest]) => rest);
  return {
    nameservers: all("nameserver").flatMap(([server]) => (server === undefined ? [] : [server])),
    // The last one counts.
    searches: (words.findLast(([first]) => first === "search" || first === "domain") ?? []).slice(1).filter((each) => each !== "."),
    options: all("options").flat(),
  };
}

/** Of this machine, as it is now. */
export function hostResolvers(file = "/etc/resolv.conf"): HostResolvers {
  return parseResolvConf(existsSync(file) ? readFileSync(file, "utf8") : "");
}
