// Control thread ↔ events thread: single events of sources, each sent until its sink takes it or refuses it for good.
import type { EventFilter, EventTarget } from "./events.ts";

export interface SourceEvent {
  readonly type: "sourceEvent";
  /** Told back once it is over. */
  readonly id: number;
  /** Of the source. */
  readonly namespace: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** JSON. */
  readonly data: string;
  /** All must pass, else the event is done with. */
  readonly filters: readonly EventFilter[];
  readonly target: EventTarget;
}

export type SourceEventEnd = { readonly type: "sourceEventOver"; readonly id: number; readonly outcome: "taken" | "refused" | "filtered" };
