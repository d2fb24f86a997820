// Names for pods: the addresses of Services are made this machine's, doors stand at them, and a resolver tells them. All of it from the first pod on.
import { CoreService, EndpointSlice, type Pod, type ServiceRange } from "#kinds";
import type { InformerSet } from "#client";
import type { Clock, Logger, Rng } from "#core";
import { findProgram } from "../sandbox/host-programs.ts";
import { Forwarder, hostResolvers } from "./forwarder.ts";
import { namesViews, type NamesView, type NamesViews } from "./names-views.ts";
import { dnsFor, resolvConf, type PodDns } from "./pod-dns.ts";
import { startResolver, type Resolver } from "./resolver.ts";
import { ServiceBook } from "./service-book.ts";
import { ServiceDoors } from "./service-doors.ts";
import { Entrance, openServiceNetwork } from "./service-network.ts";

export interface NamesPlace {
  /** The resolver. */
  readonly nameserver: string;
  /** The API, under its Service's address, on the port that it has on the loopback, too. */
  readonly api: string;
}

/** What engines see of it. */
export interface PodNames {
  /**
   * Opens what is not open; again and again is fine. `from`: the machine's own address on a bridge that pods are on. Undefined where names
   * cannot be had, which is in the log once.
   */
  open(from?: string): Promise<NamesPlace | undefined>;
  /** How the pod's resolver is set up, by what `open` answered. `own`: it has a network of its own, where the machine's loopback is not. */
  dnsFor(pod: Pod, own: boolean): PodDns;
  /** How a host process of the pod gets them; undefined where it asks what the machine asks. Opens what is not open. */
  viewFor(pod: Pod): Promise<NamesView | undefined>;
  close(): void;
}

export interface PodNamesOptions {
  readonly informers: InformerSet;
  readonly mark: string;
  /** Of Services' addresses; undefined where the platform may not have any: names stay the machine's. */
  readonly range: ServiceRange | undefined;
  readonly domain: string;
  readonly apiPort: number;
  readonly path: string;
  /** Of ours alone: for texts that host processes have as /etc/resolv.conf. */
  readonly resolvDir: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

const API_SERVICE = "default/kubernetes";
const API_PORT = 443;
const LOOPBACK = "127.0.0.1";
/** Within the range, as in most clusters. */
const API_NUMBER = 1;
const RESOLVER_NUMBER = 10;

export function podNames(options: PodNamesOptions): PodNames {
  return new Names(options);
}

class Names implements PodNames {
  readonly #options: PodNamesOptions;
  readonly #entrance: Entrance | undefined;
  #opening: Promise<NamesPlace | undefined> | undefined;
  #place: NamesPlace | undefined;
  #doors: ServiceDoors | undefined;
  #resolver: Resolver | undefined;
  #views: Promise<NamesViews | undefined> | undefined;
  #closed = false;

  constructor(options: PodNamesOptions) {
    this.#options = options;
    this.#entrance = options.range === undefined ? undefined : new Entrance(options.range.cidr);
  }

  open(from?: string): Promise<NamesPlace | undefined> {
    if (from !== undefined) this.#entrance?.admit(from);
    this.#opening ??= this.#open().catch((err: unknown) => {
      this.#options.logger.warn("pods do not reach Services by name", { err });
      this.close();
      return undefined;
    });
    return this.#opening;
  }

  dnsFor(pod: Pod, own: boolean): PodDns {
    const { nameserver } = this.#place ?? {};
    const host = hostResolvers();
    const nameservers = host.nameservers.filter((server) => !own || !/^(?:127\.|::1$)/.test(server));
    // A machine that is its own resolver is asked by way of ours.
    const seen = { ...host, nameservers: nameservers.length === 0 && nameserver !== undefined ? [nameserver] : nameservers };
    return dnsFor(pod, { nameserver, domain: this.#options.domain, host: seen });
  }

  async viewFor(pod: Pod): Promise<NamesView | undefined> {
    if ((await this.open()) === undefined || this.#closed) return undefined;
    const text = resolvConf(this.dnsFor(pod, false));
    if (text === resolvConf(hostResolvers())) return undefined;
    const { path, resolvDir: dir, logger } = this.#options;
    this.#views ??= namesViews({ dir, path, logger }).catch((err: unknown) => {
      logger.warn("host processes do not reach Services by name", { err });
      return undefined;
    });
    return (await this.#views)?.withText(text);
  }

  close(): void {
    this.#closed = true;
    void this.#views?.then((views) => views?.close());
    this.#doors?.close();
    this.#resolver?.close();
  }

  async #open(): Promise<NamesPlace | undefined> {
    const { range, path, mark, domain, clock, logger } = this.#options;
    const ip = findProgram(path, "ip");
    const entrance = this.#entrance;
    if (range === undefined || entrance === undefined) return undefined;
    if (ip === undefined) throw new Error("the machine has no program `ip`");
    await openServiceNetwork({ mark, range: range.cidr, ip });
    const book = new ServiceBook();
    const mayEnter = (address: string): boolean => entrance.mayEnter(address);
    const place = { nameserver: range.at(RESOLVER_NUMBER), api: range.at(API_NUMBER) };
    const doors = this.#openDoors(book, mayEnter);
    this.#doors = doors;
    await this.#follow(book, doors);
    const forwarder = new Forwarder({ servers: () => hostResolvers().nameservers.filter((server) => server !== place.nameserver), clock });
    const resolver = await startResolver({ address: place.nameserver, book, domain, forwarder, mayEnter, onNamed: (key) => doors.open(key), logger });
    this.#resolver = resolver;
    if (this.#closed) this.close();
    this.#place = place;
    return place;
  }

  #openDoors(book: ServiceBook, mayEnter: (address: string) => boolean): ServiceDoors {
    const { range, apiPort, rng, logger } = this.#options;
    const fixed = new Map([[API_SERVICE, { ports: [...new Set([API_PORT, apiPort])], to: { host: LOOPBACK, port: apiPort } }]]);
    return new ServiceDoors({ book, isOurs: (address) => range?.has(address) === true, mayEnter, fixed, rng, logger });
  }

  /** Resolves once what there is now is known. */
  async #follow(book: ServiceBook, doors: ServiceDoors): Promise<void> {
    const { informers } = this.#options;
    const services = informers.follow(CoreService, "names", (key, service) => {
      book.setService(key, service);
      if (!this.#closed) void doors.changed(key);
    });
    const slices = informers.follow(EndpointSlice, "names", (key, slice) => book.setSlice(key, slice));
    await Promise.all([services.synced, slices.synced]);
    await Promise.all([...book.keys()].map((key) => doors.changed(key)));
  }
}
