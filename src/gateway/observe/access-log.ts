// The access log of one thread: a line for each request, whatever its end.
import type { Clock } from "#core";
import type { RequestFacts, RequestObserver } from "../request/request-facts.ts";
import type { WrittenLine } from "./line-file.ts";
import { commonLine, IsoTimes, JsonLine } from "./access-line.ts";

export interface AccessLogOptions {
  readonly format: "json" | "common";
  readonly clock: Pick<Clock, "wallMs">;
  readonly add: (line: string | WrittenLine) => void;
}

export class AccessLog implements RequestObserver {
  readonly #options: AccessLogOptions;
  readonly #times = new IsoTimes();
  readonly #line = new JsonLine();

  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  began(): void {
    // Lines tell of ends.
  }

  ended(facts: RequestFacts): void {
    const { format, clock, add } = this.#options;
    const time = this.#times.text(clock.wallMs());
    add(format === "json" ? this.#line.of(facts, time) : commonLine(facts, time));
  }
}
