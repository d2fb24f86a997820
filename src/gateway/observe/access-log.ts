// The access log of one thread: a line for each request, whatever its end.
import type { Clock } from "#core";
import type { RequestFacts, RequestObserver } from "../request/request-facts.ts";
import { commonLine, IsoTimes, jsonLine } from "./access-line.ts";

export interface AccessLogOptions {
  readonly format: "json" | "common";
  readonly clock: Pick<Clock, "wallMs">;
  readonly add: (line: string) => void;
}

export class AccessLog implements RequestObserver {
  readonly #options: AccessLogOptions;
  readonly #times = new IsoTimes();

  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  began(): void {
    // Lines tell of ends.
  }

  ended(facts: RequestFacts): void {
    const { format, clock, add } = this.#options;
    const time = this.#times.text(clock.wallMs());
    add(format === "json" ? jsonLine(facts, time) : commonLine(facts, time));
  }
}
