// Heads of requests that wait for their response, as octets in places that are used again: their texts and objects would outlive the
// young generation while they wait, and be copied, promoted and marked by the garbage collector.
import { parseRequestHead, type RequestHead } from "./request-head.ts";
import { findTraceId, type TraceSpan } from "./trace-field.ts";

/** Octets of a place; a longer head stays what it is. */
const PLACE_BYTES = 1024;
/** Places that are made at once. */
const PLACES_AT_ONCE = 64;
/** Places of a thread: 16 MB. */
const PLACES_MAX = 16 * 1024;

/** One head in its place. Indexes are those of its octets, and of the text that they were. */
export class ParkedHead implements TraceSpan {
  readonly bytes: Buffer;
  #length = 0;
  /** What was asked for again. */
  #head: RequestHead | undefined;
  hostFrom = 0;
  hostTo = 0;
  targetFrom = 0;
  targetTo = 0;
  traceFrom = 0;
  traceTo = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** `head` has its host and target as they came, and fits. */
  take(head: RequestHead): void {
    const { text, method, target, host, hostAt } = head;
    this.#length = text.length;
    this.bytes.write(text, 0, "latin1");
    this.hostFrom = hostAt;
    this.hostTo = hostAt + host.length;
    this.targetFrom = method.length + 1;
    this.targetTo = this.targetFrom + target.length;
    findTraceId(head, this);
  }

  /** The head, parsed again by the first who asks. */
  get head(): RequestHead {
    return (this.#head ??= this.#parsed());
  }

  forget(): void {
    this.#head = undefined;
  }

  #parsed(): RequestHead {
    const head = parseRequestHead(this.text(0, this.#length), { bytes: this.bytes, from: 0, to: this.#length });
    if ("reason" in head) throw new Error(`a head that was parsed cannot be parsed again: ${head.reason}`);
    return head;
  }

  text(from: number, to: number): string {
    return this.bytes.toString("latin1", from, to);
  }
}

/** The places of a thread. */
export class ParkedHeads {
  readonly #max: number;
  readonly #free: ParkedHead[] = [];
  #made = 0;

  constructor(max = PLACES_MAX) {
    this.#max = max;
  }

  /** Undefined for a head that does not fit, or whose host or target is not as it came. */
  park(head: RequestHead): ParkedHead | undefined {
    if (head.hostAt < 0 || head.text.length > PLACE_BYTES) return undefined;
    if (this.#free.length === 0 && this.#made < this.#max) this.#make();
    const place = this.#free.pop();
    place?.take(head);
    return place;
  }

  /** Nobody looks at it any more. */
  leave(parked: ParkedHead): void {
    parked.forget();
    this.#free.push(parked);
  }

  #make(): void {
    const octets = Buffer.allocUnsafeSlow(PLACE_BYTES * PLACES_AT_ONCE);
    for (let from = 0; from < octets.length; from += PLACE_BYTES) this.#free.push(new ParkedHead(octets.subarray(from, from + PLACE_BYTES)));
    this.#made += PLACES_AT_ONCE;
  }
}
