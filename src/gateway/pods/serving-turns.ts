// Waiters of many revisions share each turn of a thread's loop: whoever has thousands does not delay the others.
import { GRANTS_A_TURN, type Backend } from "./backend.ts";

export class ServingTurns {
  readonly #soon: (then: () => void) => void;
  /** In the order in which they asked; each once. */
  readonly #line = new Set<Backend>();
  #scheduled = false;

  /** `soon` calls back in a later turn of the loop, after sockets were served. */
  constructor(soon: (then: () => void) => void) {
    this.#soon = soon;
  }

  /** Serves the backend when its turn comes. */
  later(backend: Backend): void {
    this.#line.add(backend);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#soon(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const asked = [...this.#line];
    let work = 0;
    for (const backend of asked) {
      if (work >= GRANTS_A_TURN) break;
      this.#line.delete(backend);
      work += Math.max(1, backend.heard());
    }
    for (const backend of this.#line) return this.later(backend);
  }
}
