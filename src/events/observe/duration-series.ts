// Durations at one destination, by the type of the event and how it went; as many series as a producer may make.
import { DURATION_BOUNDS, labelText, newRow, observeIn } from "#telemetry";
import type { Budget } from "../budget.ts";

/** Series of a destination; what comes with other types or answers is measured in one that stands for all of them. */
export const SERIES_MAX = 100;
/** Of all destinations together (OpenTelemetry's limit for one instrument). */
export const SERIES_OF_ALL_MAX = 2_000;
/** Of a type; longer ones are among those that are measured together. */
const TYPE_CHARACTERS_MAX = 256;
/** As OpenTelemetry's SDK marks what goes beyond a limit. */
export const OVERFLOW = "otel_metric_overflow";

export interface Observed {
  readonly type: string;
  /** Absent: it is not measured by its answer. */
  readonly status?: number;
  /** More labels, from a closed set. */
  readonly how?: "noAnswer" | "deadLetter" | "deadLetterNoAnswer";
}

interface Series extends Observed {
  readonly labels: string;
  readonly row: Float64Array;
}

const MORE = {
  noAnswer: { error_type: "no_answer" },
  deadLetter: { eider_leg: "deadLetter" },
  deadLetterNoAnswer: { eider_leg: "deadLetter", error_type: "no_answer" },
} as const;

export class DurationSeries {
  readonly #of: Readonly<Record<string, string>>;
  readonly #budget: Budget;
  readonly #series: Series[] = [];
  #overflow: Series | undefined;
  #last: Series | undefined;

  /** `of` are the destination's own labels. */
  constructor(of: Readonly<Record<string, string>>, budget: Budget) {
    this.#of = of;
    this.#budget = budget;
  }

  /** The destination is no more. */
  end(): void {
    this.#budget.give(this.#series.length);
  }

  observe(observed: Observed, ms: number, times = 1): void {
    observeIn(this.#find(observed).row, DURATION_BOUNDS, ms / 1000, times);
  }

  *all(): Generator<{ readonly labels: string; readonly row: Float64Array }> {
    yield* this.#series;
    if (this.#overflow !== undefined) yield this.#overflow;
  }

  #find(observed: Observed): Series {
    const { type, status, how } = observed;
    const isSame = (one: Series): boolean => one.type === type && one.status === status && one.how === how;
    if (this.#last !== undefined && isSame(this.#last)) return this.#last;
    this.#last = this.#series.find(isSame) ?? this.#make(observed);
    return this.#last;
  }

  #make(observed: Observed): Series {
    const { type, status, how } = observed;
    if (this.#series.length >= SERIES_MAX || type.length > TYPE_CHARACTERS_MAX || !this.#budget.take())
      return (this.#overflow ??= { type: "", labels: labelText({ ...this.#of, [OVERFLOW]: "true" }), row: newRow(DURATION_BOUNDS) });
    const own = {
      ...this.#of,
      cloudevents_type: type,
      ...(status === undefined ? {} : { http_response_status_code: String(status) }),
      ...(how === undefined ? {} : MORE[how]),
    };
    const made: Series = { ...observed, labels: sortedText(own), row: newRow(DURATION_BOUNDS) };
    this.#series.push(made);
    return made;
  }
}

/** As exporters order them. */
function sortedText(labels: Readonly<Record<string, string>>): string {
  return labelText(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
}
