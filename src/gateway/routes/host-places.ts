// Requests at a time of hosts that have a limit: this thread's share of it.

export class HostPlaces {
  readonly #threads: number;
  /** Requests under way, by host; hosts without any have no entry. */
  readonly #taken = new Map<string, number>();

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** False when this thread's share is used up; the share is one place at least. */
  take(host: string, requestsMax: number): boolean {
    const taken = this.#taken.get(host) ?? 0;
    if (taken >= Math.max(1, Math.floor(requestsMax / this.#threads))) return false;
    this.#taken.set(host, taken + 1);
    return true;
  }

  giveBack(host: string): void {
    const left = (this.#taken.get(host) ?? 0) - 1;
    if (left > 0) this.#taken.set(host, left);
    else this.#taken.delete(host);
  }
}
