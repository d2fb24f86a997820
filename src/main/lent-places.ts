// Places on pods with a limit while platforms drain: the loops and moments of the lender, and of the borrower once this platform drains itself.
import type { Clock, Rng } from "#core";
import { Borrower, Lender, type Backend, type BorrowerWord, type Doorbell, type InFlightTable } from "#gateway";
import type { RouteTable } from "#routing";

/** As in gateway threads: a bell is heard within it, unless its thread is busy. */
const MOMENT_MS = 1;
/** Between looks at what is free, and left to a request that does not take it. */
const LOOK_MS = 20;

export interface LentPlacesOptions {
  /** The control thread's. */
  readonly hand: { readonly inFlight: InFlightTable; readonly doorbell: Doorbell };
  readonly clock: Clock;
  readonly rng: Rng;
  readonly signal: AbortSignal;
}

export class LentPlaces {
  readonly lender: Lender;
  readonly #options: LentPlacesOptions;
  #borrower: Borrower | undefined;
  #listens = false;

  constructor(options: LentPlacesOptions) {
    this.#options = options;
    this.lender = new Lender({
      ...options.hand,
      rng: options.rng,
      nowMs: () => options.clock.monotonicMs(),
      later: (backend) => void setImmediate(() => this.lender.serveNow(backend)),
      moment: (backend) => this.#moment(backend),
    });
  }

  /** From now on the control thread's bell is heard; at rest it rings for nothing. */
  listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    const { hand, signal } = this.#options;
    void hand.doorbell.listen(() => this.#called(), signal);
  }

  /** This platform drains: what it lends is the next one's. */
  borrow(say: (word: BorrowerWord) => void, table: Pick<RouteTable, "everything" | "leaving">): Borrower {
    const { hand, clock, signal } = this.#options;
    this.lender.end();
    const borrower = new Borrower({
      ...hand,
      nowMs: () => clock.monotonicMs(),
      say,
      lookLater: () =>
        void clock.sleep(LOOK_MS, signal).then(
          () => borrower.look(),
          () => undefined,
        ),
    });
    borrower.start(table.everything(), table.leaving);
    this.#borrower = borrower;
    this.listen();
    return borrower;
  }

  #called(): void {
    for (const row of this.#options.hand.doorbell.rung()) (this.#borrower ?? this.lender).called(row);
  }

  #moment(backend: Backend): void {
    const { clock, signal } = this.#options;
    void clock.sleep(MOMENT_MS, signal).then(
      () => this.lender.momentOver(backend),
      () => undefined,
    );
  }
}
