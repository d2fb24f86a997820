// Places for other platforms: those that drain, while this one has the control plane. What they have is in the control thread's column,
// and their requests wait in its queue, as one more gateway thread beside the others.
//
// A place is in one hand at a time: a message that moves it is sent after it is gone here, and counts there once it has come. So both
// together never have more than the limit, whatever is under way, and what is lost with a connection is nobody's until the next one
// begins with what the guest has.
import type { Rng } from "#core";
import type { Backend as BackendEntry, LentPlaces, RouteDelta } from "#protocol";
import { Backend, PATIENCE_MS, QUEUE_DEPTH, type BackendOptions } from "../pods/backend.ts";
import type { Pod } from "../pods/pod.ts";
import type { Waiter } from "../pods/wait-queue.ts";
import { isBefore, type Doorbell } from "../shared/doorbell.ts";
import type { InFlightTable } from "../shared/in-flight.ts";

/** What a guest is told of places. */
export type LenderWord =
  /** A place on the pod is the guest's. */
  | { readonly grants: { readonly backend: string; readonly pod: string; readonly others: number } }
  /** Since when requests wait elsewhere for what the guest has; 0: none does. */
  | { readonly others: { readonly backend: string; readonly since: number } };

export interface LenderOptions {
  /** Of the control thread. */
  readonly inFlight: InFlightTable;
  readonly doorbell: Doorbell;
  readonly rng: Rng;
  readonly nowMs: () => number;
  /** Calls `serveNow` in a later turn of the loop. */
  readonly later: (backend: Backend) => void;
  /** Calls `momentOver` after a moment, as gateway threads do. */
  readonly moment: (backend: Backend) => void;
}

export class Lender {
  readonly #options: LenderOptions;
  readonly #backendOptions: BackendOptions;
  /** Those with a limit. */
  readonly #backends = new Map<string, Backend>();
  readonly #rows = new Map<number, Backend>();
  readonly #guests = new Set<Borrowed>();
  /** Until it is known how many places guests have: those that are kept, by slot. */
  #reserved: Map<number, number> | undefined;
  /** Until then pods stay that have gone: guests may have places on them. What is to come about after it, by backend. */
  readonly #postponed = new Map<string, { readonly entry: BackendEntry | undefined; readonly generation: number }>();
  /** Taken just now, and not told yet. */
  #granted: Grant[] = [];

  constructor(options: LenderOptions) {
    this.#options = options;
    this.#backendOptions = { ...options, queueDepth: QUEUE_DEPTH, prove: () => undefined, podDrained: () => undefined };
  }

  /** There are guests, or there will be: changes of routes have to be followed. */
  get hasGuests(): boolean {
    return this.#guests.size > 0 || this.#reserved !== undefined;
  }

  /** Before the threads start: all places may be in use by platforms that have yet to tell. Those of pods that come meanwhile, too. */
  reserve(entries: readonly BackendEntry[]): void {
    this.#reserved = new Map();
    for (const entry of entries) if (entry.containerConcurrency > 0) this.#put(entry, 0);
  }

  /** All that have places have told. */
  settled(): void {
    for (const [slot, places] of this.#reserved ?? []) this.#options.inFlight.hold(slot, -places);
    this.#reserved = undefined;
    for (const [key, { entry, generation }] of this.#postponed) {
      if (entry === undefined) this.#drop(key, generation);
      else this.#put(entry, generation);
    }
    this.#postponed.clear();
    this.#options.doorbell.ringAll();
    if (this.#guests.size === 0) this.#forgetAll();
  }

  /** Routes that threads and guests are about to be told: nobody has heard of a new pod before its places are counted. */
  follow(delta: RouteDelta): void {
    const listed = new Set(delta.backends.map(({ key }) => key));
    if (delta.reset) for (const key of this.#backends.keys()) if (!listed.has(key)) this.#drop(key, delta.generation);
    for (const entry of delta.backends) if (entry.containerConcurrency > 0) this.#put(entry, delta.generation);
    for (const key of delta.backendsRemoved) this.#drop(key, delta.generation);
  }

  /** A platform that drains, and the places that it has by its own word. */
  welcome(places: LentPlaces, say: (word: LenderWord) => void): Borrowed {
    const guest = new Borrowed(say);
    this.#guests.add(guest);
    this.#options.doorbell.watch(true);
    const backendOf = new Map<string, Backend>();
    for (const backend of this.#backends.values()) for (const { id } of backend.entry.pods) backendOf.set(id, backend);
    for (const [id, count] of places) {
      const backend = backendOf.get(id);
      if (backend === undefined) guest.keepUnknown(id, count);
      else this.#adopt(guest, backend, id, count);
    }
    // What others wait for may be what it has.
    for (const backend of this.#backends.values()) this.#tell(backend);
    return guest;
  }

  /** So many requests of a guest wait now, the oldest since then. */
  asks(guest: Borrowed, { backend: key, since, count }: { readonly backend: string; readonly since: number; readonly count: number }): void {
    const backend = this.#backends.get(key);
    if (backend === undefined || !this.#guests.has(guest)) return;
    for (const ask of guest.withdrawn(backend, since, count)) backend.leave(ask);
    while (guest.waitingFor(backend) < count) {
      const ask = this.#askOf(guest, backend, since);
      guest.remember(backend, ask);
      if (backend.join(ask, since)) continue;
      guest.forget(backend, ask);
      break;
    }
    this.#tell(backend);
  }

  #askOf(guest: Borrowed, backend: Backend, since: number): Ask {
    const ask: Ask = {
      since,
      granted: (pod) => {
        guest.forget(backend, ask);
        guest.keep({ backend, pod });
        this.#granted.push({ guest, backend, pod, since });
      },
      refused: () => guest.forget(backend, ask),
    };
    return ask;
  }

  /** A guest gives places back, one on each of these pods. */
  givenBack(guest: Borrowed, pods: readonly string[]): void {
    for (const id of this.#guests.has(guest) ? pods : []) {
      const place = guest.giveUp(id);
      if (place === undefined) continue;
      this.#free(place);
      this.#tell(place.backend);
    }
  }

  /** A guest is gone, and what it had is free. */
  farewell(guest: Borrowed): void {
    if (!this.#guests.delete(guest)) return;
    for (const [backend, asks] of guest.asked) for (const ask of asks) backend.leave(ask);
    for (const place of guest.all()) this.#free(place);
    for (const backend of this.#backends.values()) this.#tell(backend);
    if (this.#guests.size > 0) return;
    this.#options.doorbell.watch(false);
    if (this.#reserved === undefined) this.#forgetAll();
  }

  /** This platform hands over itself: nobody is a guest any more, and what they have stays in the column. */
  end(): void {
    for (const guest of this.#guests) for (const [backend, asks] of guest.asked) for (const ask of asks) backend.leave(ask);
    this.#guests.clear();
    const { inFlight, doorbell } = this.#options;
    // What nobody has told of is not ours either.
    for (const [slot, places] of this.#reserved ?? []) inFlight.hold(slot, places - inFlight.total(slot));
    this.#reserved = undefined;
    this.#postponed.clear();
    doorbell.watch(false);
  }

  /** The control thread's bell has rung for this row. */
  called(row: number): void {
    const backend = this.#rows.get(row);
    if (backend === undefined) this.#options.doorbell.passOn(row);
    else this.serveNow(backend);
  }

  serveNow(backend: Backend): void {
    backend.heard();
    this.#tell(backend);
  }

  momentOver(backend: Backend): void {
    backend.momentOver();
    this.#tell(backend);
  }

  /** A connection to a starting pod succeeded in some thread. */
  podReady(key: string, pod: string): void {
    const backend = this.#backends.get(key);
    if (backend === undefined) return;
    backend.provedElsewhere(pod);
    this.#tell(backend);
  }

  #put(next: BackendEntry, generation: number): void {
    const known = this.#backends.get(next.key);
    const entry = this.#reserved === undefined ? next : this.#withFormer(next, known?.entry.pods ?? [], generation);
    const backend = known ?? new Backend({ ...entry, pods: [] }, this.#backendOptions);
    this.#backends.set(entry.key, backend);
    this.#count(backend, entry);
    const { row } = backend;
    const returning = this.#returning(entry);
    // Before anybody is served.
    for (const { slot, count } of returning) this.#options.inFlight.hold(slot, count);
    backend.update(entry, generation);
    this.#moved(backend, row);
    for (const { guest, id, slot, count } of returning) {
      this.#adopt(guest, backend, id, count);
      this.#options.inFlight.hold(slot, -count);
    }
    if (returning.length > 0) this.serveNow(backend);
    // Its waiters may have been served.
    else this.#tell(backend);
  }

  /** Pods that guests have had places on before they came into the table. */
  #returning({ pods }: BackendEntry): readonly { readonly guest: Borrowed; readonly id: string; readonly slot: number; readonly count: number }[] {
    const guests = [...this.#guests];
    return pods.flatMap(({ id, slot }) => guests.map((guest) => ({ guest, id, slot, count: guest.takeUnknown(id) }))).filter(({ count }) => count > 0);
  }

  /** While it is not known what guests have: pods that are new here. */
  #count(backend: Backend, { pods, containerConcurrency }: BackendEntry): void {
    const before = new Set(backend.entry.pods.map(({ slot }) => slot));
    for (const { slot } of pods) {
      if (this.#reserved === undefined || before.has(slot) || this.#reserved.has(slot)) continue;
      this.#reserved.set(slot, containerConcurrency);
      this.#options.inFlight.hold(slot, containerConcurrency);
    }
  }

  #adopt(guest: Borrowed, backend: Backend, id: string, count: number): void {
    for (let place = 0; place < count; place++) {
      const pod = backend.adopt(id);
      if (pod !== undefined) guest.keep({ backend, pod });
    }
  }

  #forgetAll(): void {
    for (const key of [...this.#backends.keys()]) this.#drop(key, 1);
  }

  #withFormer(entry: BackendEntry, former: BackendEntry["pods"], generation: number): BackendEntry {
    this.#postponed.set(entry.key, { entry, generation });
    const ids = new Set(entry.pods.map(({ id }) => id));
    return { ...entry, pods: [...entry.pods, ...former.filter(({ id }) => !ids.has(id))] };
  }

  #drop(key: string, generation: number): void {
    const backend = this.#backends.get(key);
    if (backend === undefined) return;
    if (this.#reserved !== undefined) return void this.#postponed.set(key, { entry: undefined, generation });
    this.#backends.delete(key);
    const { row } = backend;
    backend.remove(generation);
    this.#moved(backend, row);
  }

  /** What a guest told of too late may be beyond the limit, and then nobody else's. */
  #free({ backend, pod }: Place): void {
    if (this.#options.inFlight.total(pod.slot) > pod.limit) backend.disown(pod);
    else backend.release(pod);
  }

  #moved(backend: Backend, before: number): void {
    if (before !== backend.row && this.#rows.get(before) === backend) this.#rows.delete(before);
    if (backend.row >= 0) this.#rows.set(backend.row, backend);
  }

  /** Guests learn of places that they have got, and that others wait for what they have, or no longer; how long, with the next grant. */
  #tell(about: Backend): void {
    const granted = this.#granted;
    this.#granted = [];
    for (const { guest, backend, pod, since } of granted) {
      const others = this.#others(backend, guest);
      // Others who are passed over just now do not take the place from who it is granted to.
      const bound = (since - PATIENCE_MS) | 0 || 1;
      guest.grant({ backend, pod }, others !== 0 && isBefore(others, bound) ? bound : others);
    }
    for (const guest of this.#guests) {
      if (!guest.has(about)) continue;
      const others = this.#others(about, guest);
      guest.tellOthers(about, others);
    }
  }

  /** Since when a request of a thread here or of another guest waits; 0: none does. */
  #others(backend: Backend, guest: Borrowed): number {
    const { doorbell } = this.#options;
    const eldest = backend.row < 0 ? -1 : doorbell.eldestOfAll(backend.row);
    let least = eldest < 0 ? 0 : doorbell.since(backend.row, eldest);
    for (const other of this.#guests) {
      const since = other === guest ? 0 : other.oldestAsk(backend);
      if (since !== 0 && (least === 0 || isBefore(since, least))) least = since;
    }
    return least;
  }
}

type Ask = Waiter & { readonly since: number };

interface Grant extends Place {
  readonly guest: Borrowed;
  readonly since: number;
}

interface Place {
  readonly backend: Backend;
  readonly pod: Pod;
}

/** One guest: what it has, and what it waits for. State, no IO but what it is told. */
export class Borrowed {
  readonly #say: (word: LenderWord) => void;
  /** By the pod's id; a pod that has moved is another one under the same. */
  readonly #places = new Map<string, Place[]>();
  readonly #counts = new Map<Backend, number>();
  /** On pods that are not in the table: they may come back. */
  readonly #unknown = new Map<string, number>();
  readonly asked = new Map<Backend, Set<Ask>>();
  readonly #told = new Map<Backend, number>();

  constructor(say: (word: LenderWord) => void) {
    this.#say = say;
  }

  has(backend: Backend): boolean {
    return this.#counts.has(backend);
  }

  keep(place: Place): void {
    const places = this.#places.get(place.pod.id);
    if (places === undefined) this.#places.set(place.pod.id, [place]);
    else places.push(place);
    this.#counts.set(place.backend, (this.#counts.get(place.backend) ?? 0) + 1);
  }

  giveUp(id: string): Place | undefined {
    const places = this.#places.get(id);
    const place = places?.shift();
    if (place === undefined) {
      const unknown = this.takeUnknown(id);
      if (unknown > 1) this.keepUnknown(id, unknown - 1);
      return undefined;
    }
    if (places?.length === 0) this.#places.delete(id);
    const left = (this.#counts.get(place.backend) ?? 0) - 1;
    if (left > 0) {
      this.#counts.set(place.backend, left);
    } else {
      this.#counts.delete(place.backend);
      this.#told.delete(place.backend);
    }
    return place;
  }

  keepUnknown(id: string, count: number): void {
    this.#unknown.set(id, (this.#unknown.get(id) ?? 0) + count);
  }

  takeUnknown(id: string): number {
    const count = this.#unknown.get(id) ?? 0;
    this.#unknown.delete(id);
    return count;
  }

  all(): Place[] {
    return [...this.#places.values()].flat();
  }

  remember(backend: Backend, ask: Ask): void {
    const asks = this.asked.get(backend);
    if (asks === undefined) this.asked.set(backend, new Set([ask]));
    else asks.add(ask);
  }

  forget(backend: Backend, ask: Ask): void {
    const asks = this.asked.get(backend);
    if (asks?.delete(ask) === true && asks.size === 0) this.asked.delete(backend);
  }

  waitingFor(backend: Backend): number {
    return this.asked.get(backend)?.size ?? 0;
  }

  /** Asks of requests that wait no more: those older than the oldest that does, and those that are too many. */
  withdrawn(backend: Backend, since: number, count: number): Ask[] {
    const asks = [...(this.asked.get(backend) ?? [])];
    const still = asks.filter((ask) => !isBefore(ask.since, since));
    const gone = [...asks.filter((ask) => isBefore(ask.since, since)), ...still.slice(count)];
    for (const ask of gone) this.forget(backend, ask);
    return gone;
  }

  /** 0: it asks for none. */
  oldestAsk(backend: Backend): number {
    for (const { since } of this.asked.get(backend) ?? []) return since;
    return 0;
  }

  grant(place: Place, others: number): void {
    this.#told.set(place.backend, others);
    this.#say({ grants: { backend: place.backend.key, pod: place.pod.id, others } });
  }

  tellOthers(backend: Backend, since: number): void {
    const told = this.#told.get(backend) ?? 0;
    if ((told === 0) === (since === 0)) return;
    this.#told.set(backend, since);
    this.#say({ others: { backend: backend.key, since } });
  }
}
