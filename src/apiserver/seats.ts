// Who may work at once, and who waits: a bounded number of seats, and in front of them a queue that is fair to each client.
import type { Clock } from "#core";

export interface SeatLimits {
  readonly seats: number;
  /** Requests that may wait, over all clients and of one. */
  readonly waitingMax: number;
  readonly waitingOfOneMax: number;
}

/** Short requests: most of them wait for the disk, which takes many at a time. */
export const REQUEST_LIMITS: SeatLimits = { seats: 512, waitingMax: 2_048, waitingOfOneMax: 1_024 };
/** Requests for collections. */
export const COLLECTION_LIMITS: SeatLimits = { seats: 64, waitingMax: 512, waitingOfOneMax: 256 };

/** So long a request waits for a seat; Kubernetes has the same limit. */
const WAIT_MS = 15_000;

type Waiter = (seated: boolean) => void;

export class Seats {
  readonly #clock: Clock;
  readonly #limits: SeatLimits;
  /** Who waits, by client; the client whose turn it is comes first. */
  readonly #queues = new Map<string, Waiter[]>();
  #taken = 0;
  #waiting = 0;

  constructor(clock: Clock, limits: SeatLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Returns what gives the seat back; undefined when there is none in time, or too many wait already. */
  async take(client: string, signal: AbortSignal): Promise<(() => void) | undefined> {
    if (this.#taken < this.#limits.seats) this.#taken++;
    else if (!(await this.#wait(client, signal))) return undefined;
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack();
      isTaken = false;
    };
  }

  #wait(client: string, signal: AbortSignal): Promise<boolean> {
    const queue = this.#queues.get(client) ?? [];
    if (this.#waiting >= this.#limits.waitingMax || queue.length >= this.#limits.waitingOfOneMax) return Promise.resolve(false);
    this.#waiting++;
    return new Promise((resolve) => {
      const decided = new AbortController();
      const waiter: Waiter = (seated) => {
        this.#waiting--;
        decided.abort();
        resolve(seated);
      };
      queue.push(waiter);
      this.#queues.set(client, queue);
      const giveUp = (): void => {
        if (!decided.signal.aborted) this.#leave(client, waiter);
      };
      this.#clock.sleep(WAIT_MS, AbortSignal.any([signal, decided.signal])).then(giveUp, giveUp);
    });
  }

  #leave(client: string, waiter: Waiter): void {
    const queue = (this.#queues.get(client) ?? []).filter((other) => other !== waiter);
    if (queue.length === 0) this.#queues.delete(client);
    else this.#queues.set(client, queue);
    waiter(false);
  }

  /** The next client's oldest request gets the seat, and the client goes to the end of the line. */
  #giveBack(): void {
    const [next] = this.#queues;
    if (next === undefined) {
      this.#taken--;
      return;
    }
    const [client, [first, ...rest]] = next;
    this.#queues.delete(client);
    if (rest.length > 0) this.#queues.set(client, rest);
    first?.(true);
  }
}
