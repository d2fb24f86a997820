// The connections to one host and port: kept for a while, limited in number, and who waits for one.
import { PodConnection, ResponseHeads, type ResponseHead, type Surroundings } from "#gateway/wire";

/** Connections a destination. The gateway is one, and holds requests for Services at zero. */
const CONNECTIONS_MAX = 256;
/** A connection that has waited so long is not used again: many servers close theirs soon. */
const IDLE_MS = 10_000;

/** Somebody who waits for a connection. */
export type Waits = (connection: PodConnection) => void;

export class Destination {
  readonly #at: ConstructorParameters<typeof PodConnection>[0];
  readonly #around: Surroundings;
  /** Idle ones; connections leave it by themselves when they end. */
  readonly #idle: PodConnection[] = [];
  /** The one that came first is first. */
  readonly #waiting = new Set<Waits>();
  #busy = 0;

  constructor(address: { readonly host: string; readonly port: number }, around: Surroundings) {
    this.#at = { address, heads: new ResponseHeads() };
    this.#around = around;
  }

  /** Nobody uses it and nothing is open. */
  get isUnused(): boolean {
    return this.#busy + this.#idle.length + this.#waiting.size === 0;
  }

  /** `given` is called with a connection, now or when one is free. */
  take(given: Waits): void {
    if (this.#busy >= CONNECTIONS_MAX) return void this.#waiting.add(given);
    this.#busy++;
    given(this.#next());
  }

  /** It does not wait any more. */
  forget(given: Waits): void {
    this.#waiting.delete(given);
  }

  /** After a whole answer with this head; without one the connection is closed. */
  giveBack(connection: PodConnection, head: ResponseHead | undefined): void {
    if (head === undefined) connection.destroy();
    else connection.release(this.#idle, head, this.#around.clock.monotonicMs());
    this.#busy--;
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#waiting.delete(first);
    this.take(first);
  }

  /** Idle connections are closed. */
  close(): void {
    for (const connection of [...this.#idle]) connection.destroy();
  }

  #next(): PodConnection {
    const nowMs = this.#around.clock.monotonicMs();
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable && !connection.isStale(nowMs) && connection.idleForMs(nowMs) < IDLE_MS) return connection;
      connection.destroy();
    }
    return new PodConnection(this.#at, this.#around);
  }
}
