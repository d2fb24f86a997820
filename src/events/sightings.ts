// Which types of events come by, for the catalogue: told once in a while each, and only while somebody wants to know.
import type { Clock } from "#core";
import type { SightedEvent } from "#protocol";
import { canonical } from "./cloudevents/event.ts";
import type { Attributes } from "./hops.ts";

export interface SightingsOptions {
  readonly tell: (seen: readonly SightedEvent[]) => void;
  readonly clock: Clock;
}

type Place = Pick<SightedEvent, "at" | "namespace" | "name">;

/** What was told lately; of more, what was told longest ago may be told again. */
const KNOWN_MAX = 10_000;
/** Somebody may have deleted what was made of it. */
const AGAIN_MS = 300_000;
/** New ones in a second; others come again with a later event. */
const TOLD_MAX = 100;
const SECOND_MS = 1_000;
/** Of a value; longer ones are in no catalogue. */
const CHARACTERS_MAX = 1_024;
const BETWEEN = "\u0000";

export class Sightings {
  readonly #options: SightingsOptions;
  /** When it was told. */
  readonly #known = new Map<string, number>();
  #isWanted = false;
  #secondMs = -Infinity;
  #told = 0;

  constructor(options: SightingsOptions) {
    this.#options = options;
  }

  want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    this.#known.clear();
  }

  saw(place: Place, attributes: Attributes): void {
    if (!this.#isWanted) return;
    const text = (name: string): string => canonical(attributes.get(name) ?? "");
    const [type, source, schema] = [text("type"), text("source"), text("dataschema")];
    if (type.length + source.length + schema.length > CHARACTERS_MAX) return;
    const key = [place.at, place.namespace, place.name, type, source].join(BETWEEN);
    const nowMs = this.#options.clock.monotonicMs();
    const toldMs = this.#known.get(key);
    if (toldMs !== undefined && nowMs - toldMs < AGAIN_MS) return;
    if (!this.#mayTell(nowMs)) return;
    this.#remember(key, nowMs);
    this.#options.tell([{ ...place, type, source, specVersion: text("specversion"), ...(schema === "" ? {} : { schema }) }]);
  }

  #mayTell(nowMs: number): boolean {
    if (nowMs - this.#secondMs >= SECOND_MS) {
      this.#secondMs = nowMs;
      this.#told = 0;
    }
    return this.#told++ < TOLD_MAX;
  }

  #remember(key: string, nowMs: number): void {
    this.#known.delete(key);
    this.#known.set(key, nowMs);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}
