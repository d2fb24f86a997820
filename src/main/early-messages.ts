// What gateway threads say before the control plane is there: kept, and told to it once it is.
import type { GatewayToControl } from "#protocol";

/** More than a thread says in the second that a control plane takes; further ones are dropped, reports of load first. */
const KEPT_MAX = 10_000;

/** State, no IO. */
export class EarlyMessages {
  #kept: GatewayToControl[] = [];
  /** Backends whose wake is kept: one is enough. */
  readonly #woken = new Set<string>();
  dropped = 0;

  keep(message: GatewayToControl): void {
    if (message.type === "wake") {
      if (this.#woken.has(message.backend)) return;
      this.#woken.add(message.backend);
    }
    if (this.#kept.length >= KEPT_MAX && !this.#dropLoad()) {
      this.dropped++;
      return;
    }
    this.#kept.push(message);
  }

  /** All of them, in their order, once. */
  take(): readonly GatewayToControl[] {
    const kept = this.#kept;
    this.#kept = [];
    this.#woken.clear();
    return kept;
  }

  /** Makes room: the oldest report says least about now. */
  #dropLoad(): boolean {
    const index = this.#kept.findIndex(({ type }) => type === "load" || type === "log");
    if (index < 0) return false;
    this.#kept.splice(index, 1);
    this.dropped++;
    return true;
  }
}
