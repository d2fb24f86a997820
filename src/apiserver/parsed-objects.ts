// Objects parsed lately, by their text: all readers of one state of an object share one parse.
import type { KubeObject } from "#schema";
import { decode } from "./keys.ts";

/** Characters of text that are remembered; the objects take about four times as much. */
const TEXT_MAX = 1 << 20;

/** The objects are shared: nobody may change them. */
export class ParsedObjects {
  readonly #objects = new Map<string, KubeObject>();
  #length = 0;

  of(text: string): KubeObject {
    const known = this.#objects.get(text);
    if (known !== undefined) {
      // The one that was used last is forgotten last.
      this.#objects.delete(text);
      this.#objects.set(text, known);
      return known;
    }
    const object = decode(text);
    this.keep(text, object);
    return object;
  }

  /** Remembers the object that was written as the text, so that nobody has to parse it. */
  keep(text: string, object: KubeObject): void {
    if (this.#objects.has(text)) return;
    this.#objects.set(text, object);
    this.#length += text.length;
    for (const oldest of this.#objects.keys()) {
      if (this.#length <= TEXT_MAX) break;
      this.#objects.delete(oldest);
      this.#length -= oldest.length;
    }
  }
}
