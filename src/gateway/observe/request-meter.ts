// What one thread measures of the requests of one revision.
import { DURATION, INVOCATION, observe, REQUEST_SIZE, RESPONSE_SIZE, ROW, type SeriesLabels } from "./request-series.ts";
import type { RequestFacts } from "../request/request-facts.ts";

/** Series that a revision may have in a thread; requests beyond are measured in one that stands for all others. */
export const SERIES_MAX = 60;
/** As OpenTelemetry's SDK marks what goes beyond a limit. */
export const OVERFLOW = "overflow";

const METHODS: ReadonlySet<string> = new Set(["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]);

export interface Series extends SeriesLabels {
  readonly row: Float64Array;
}

export class RequestMeter {
  readonly series: Series[] = [];
  #last: Series | undefined;
  /** The method of the request that found `#last`, as it was sent. */
  #lastMethod = "";

  measure(facts: RequestFacts, tag: string): void {
    const { method, minor, status, endedMs, grantedMs } = facts;
    const last = this.#last;
    const same = last !== undefined && last.status === status && last.tag === tag && last.minor === minor && this.#lastMethod === method;
    const { row } = same ? last : this.#find({ method, status, tag, minor });
    observe(row, DURATION, (endedMs - facts.arrivedMs) / 1000);
    observe(row, REQUEST_SIZE, facts.requestBytes);
    observe(row, RESPONSE_SIZE, facts.responseBytes);
    if (facts.attempts > 0) observe(row, INVOCATION, (endedMs - grantedMs) / 1000);
  }

  #find(of: SeriesLabels): Series {
    const upper = of.method.toUpperCase();
    const method = METHODS.has(upper) ? upper : "_OTHER";
    const known = this.series.find((one) => one.status === of.status && one.tag === of.tag && one.minor === of.minor && one.method === method);
    const found = known ?? this.#make({ ...of, method });
    this.#last = found;
    this.#lastMethod = of.method;
    return found;
  }

  #make(labels: SeriesLabels): Series {
    if (this.series.length < SERIES_MAX) {
      const made: Series = { ...labels, row: new Float64Array(ROW) };
      this.series.push(made);
      return made;
    }
    const overflow = this.series.at(-1);
    if (overflow?.tag === OVERFLOW) return overflow;
    const made: Series = { method: "", status: 0, tag: OVERFLOW, minor: 1, row: new Float64Array(ROW) };
    this.series.push(made);
    return made;
  }
}
