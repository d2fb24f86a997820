// Doors at the addresses of Services: each port of a Service that somebody may know leads to its endpoints, as kube-proxy's user space once did.
// The addresses are this machine's (service-network.ts), so a door is a listener like any other. Those of revisions, which are many, open when
// their name is asked for; the others at once.
import { createServer, type Server, type Socket } from "node:net";
import type { Logger, Rng } from "#core";
import { below } from "#core";
import { relay, type Target } from "./relay.ts";
import type { ServiceBook } from "./service-book.ts";

export interface ServiceDoorsOptions {
  readonly book: ServiceBook;
  /** Whether it is an address that this platform may listen on. */
  readonly isOurs: (address: string) => boolean;
  /** Whether connections from there are pods' or this machine's. */
  readonly mayEnter: (address: string) => boolean;
  /** Ports that lead to this machine's loopback whatever the Service says, by its key. */
  readonly fixed: ReadonlyMap<string, { readonly ports: readonly number[]; readonly to: Target }>;
  readonly rng: Rng;
  readonly logger: Logger;
}

interface Door {
  readonly address: string;
  readonly ports: ReadonlyMap<number, Server>;
  readonly ready: Promise<unknown>;
}

/** Services with open doors; the one that was asked for longest ago gives way. */
export const SERVICES_MAX = 2_048;
/** Ports of one Service. */
const PORTS_MAX = 64;
const CONNECTIONS_MAX = 4_096;

export class ServiceDoors {
  readonly #options: ServiceDoorsOptions;
  readonly #max: number;
  /** The one that was asked for last is the last. */
  readonly #doors = new Map<string, Door>();
  #connections = 0;

  constructor(options: ServiceDoorsOptions, max = SERVICES_MAX) {
    this.#options = options;
    this.#max = max;
  }

  get size(): number {
    return this.#doors.size;
  }

  /** Resolves once its ports answer, or cannot be had, which is in the log. */
  async open(key: string): Promise<void> {
    const known = this.#doors.get(key);
    this.#doors.delete(key);
    const { book, isOurs, fixed } = this.#options;
    const service = book.service(key);
    const { address } = service ?? {};
    const wanted = new Map<number, string>((service?.ports ?? []).filter(({ protocol }) => protocol === "TCP").map(({ port, name }) => [port, name]));
    for (const port of fixed.get(key)?.ports ?? []) wanted.set(port, "");
    if (address === undefined || !isOurs(address) || wanted.size === 0) return shut(known?.ports.values());
    const kept = known?.address === address ? known.ports : new Map<number, Server>();
    shut([...(known?.ports ?? [])].filter(([port]) => !kept.has(port) || !wanted.has(port)).map(([, server]) => server));
    const ready: Promise<unknown>[] = [known?.ready ?? Promise.resolve()];
    const ports = new Map<number, Server>();
    for (const port of [...wanted.keys()].slice(0, PORTS_MAX)) {
      const server = kept.get(port) ?? this.#listen({ key, address, port }, ready);
      ports.set(port, server);
    }
    const door = { address, ports, ready: Promise.all(ready) };
    this.#doors.set(key, door);
    for (const oldest of this.#doors.keys()) {
      if (this.#doors.size <= this.#max) break;
      this.shut(oldest);
    }
    await door.ready;
  }

  /** After a change of the Service: what is open stays what the Service says. */
  async changed(key: string): Promise<void> {
    const service = this.#options.book.service(key);
    if (service === undefined) this.shut(key);
    else if (this.#doors.has(key) || !service.isOfRevision) await this.open(key);
  }

  shut(key: string): void {
    shut(this.#doors.get(key)?.ports.values());
    this.#doors.delete(key);
  }

  close(): void {
    for (const key of [...this.#doors.keys()]) this.shut(key);
  }

  #listen({ key, address, port }: { readonly key: string; readonly address: string; readonly port: number }, ready: Promise<unknown>[]): Server {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#enter(socket, key, port));
    ready.push(
      new Promise<void>((resolve) => {
        server.once("listening", resolve);
        server.on("error", (err) => {
          this.#options.logger.warn("pods do not reach a port of a service", { service: key, address, port, err });
          resolve();
        });
        server.listen({ host: address, port });
      }),
    );
    return server;
  }

  #enter(socket: Socket, key: string, port: number): void {
    const { mayEnter, rng, book, fixed } = this.#options;
    if (this.#connections >= CONNECTIONS_MAX || !mayEnter(socket.remoteAddress ?? "")) return void socket.resetAndDestroy();
    this.#connections++;
    socket.once("close", () => this.#connections--);
    const always = fixed.get(key);
    if (always?.ports.includes(port) === true) return relay(socket, [always.to]);
    const name = book.service(key)?.ports.find((each) => each.port === port)?.name ?? "";
    const targets = book.targets(key, name);
    const first = targets.length < 2 ? 0 : below(rng, targets.length);
    relay(socket, [...targets.slice(first), ...targets.slice(0, first)]);
  }
}

/** Connections that are there go on. */
function shut(servers: Iterable<Server> | undefined): void {
  for (const server of servers ?? []) server.close();
}
