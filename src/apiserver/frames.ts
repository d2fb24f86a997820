// What watchers are shown: frames of events, made and encoded once for all who see the same.
import type { KubeObject } from "#schema";
import type { StoreEvent } from "#store";
import { decode } from "./keys.ts";
import type { ParsedObjects } from "./parsed-objects.ts";
import type { Selection } from "./selection.ts";

/** One event on its way to a watcher: the text as stored, parsed only by those who need the object. */
export interface Frame {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly text: string;
  readonly object: () => KubeObject;
  /** Encodings of the frame that others may use, too, by the form that they have. */
  readonly encoded: Map<string, Uint8Array>;
}

/** So many events have their frames remembered: watchers of a kind take the same one shortly after one another. */
const EVENTS_MAX = 256;
/** Characters of the events that are remembered. */
const LENGTH_MAX = 1 << 20;

export function frameOf(type: Frame["type"], text: string, object?: () => KubeObject): Frame {
  let parsed: KubeObject | undefined;
  return { type, text, object: object ?? (() => (parsed ??= decode(text))), encoded: new Map() };
}

/** The frames of the latest events. */
export class SharedFrames {
  readonly #parsed: ParsedObjects;
  readonly #frames = new Map<StoreEvent, Map<Frame["type"], Frame>>();
  #length = 0;

  constructor(parsed: ParsedObjects) {
    this.#parsed = parsed;
  }

  /** What an event of the store is to a watcher with this selection; undefined when it is none of its business. */
  seen(event: StoreEvent, { matches }: Selection): Frame | undefined {
    const change = event.previous === undefined ? "ADDED" : "MODIFIED";
    if (matches === undefined) return this.#of(event, event.type === "delete" ? "DELETED" : change);
    const previous = event.previous === undefined ? undefined : this.#parsed.of(event.previous);
    const before = previous !== undefined && matches(previous);
    if (event.type === "delete") return before ? this.#of(event, "DELETED") : undefined;
    if (matches(this.#parsed.of(event.value))) return this.#of(event, before ? "MODIFIED" : "ADDED");
    if (!before) return undefined;
    // It has left the selection: Kubernetes shows its last matching state with the revision of the change.
    const last = { ...previous, metadata: { ...previous.metadata, resourceVersion: String(event.revision) } };
    return frameOf("DELETED", JSON.stringify(last), () => last);
  }

  #of(event: StoreEvent, type: Frame["type"]): Frame {
    const known = this.#frames.get(event);
    const frame = known?.get(type) ?? frameOf(type, event.value, () => this.#parsed.of(event.value));
    if (known === undefined) this.#remember(event, new Map([[type, frame]]));
    else known.set(type, frame);
    return frame;
  }

  #remember(event: StoreEvent, frames: Map<Frame["type"], Frame>): void {
    this.#frames.set(event, frames);
    this.#length += event.value.length;
    for (const oldest of this.#frames.keys()) {
      if (this.#frames.size <= EVENTS_MAX && this.#length <= LENGTH_MAX) break;
      this.#frames.delete(oldest);
      this.#length -= oldest.value.length;
    }
  }
}
