// Who watches the requests of a thread, as the settings want it, and what they gather on the way out.
import { join } from "node:path";
import { Parking, parseTextTemplate, type Clock, type Logger, type Rng } from "#core";
import type { GatewaySettings, TracedRequest } from "#protocol";
import type { Backend } from "../pods/backend.ts";
import type { Counters } from "../counters.ts";
import type { RequestObserver } from "../request/request-facts.ts";
import { AccessLog } from "./access-log.ts";
import { LineFile, type WrittenLine } from "./line-file.ts";
import { RequestLog } from "./request-log.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { Tracer } from "./tracer.ts";

/** What was gathered goes out so long after the first of it. */
const GATHER_MS = 1_000;
/** The file of the request log, in the log folder. */
const REQUEST_LOG_FILE = "requests.log";

export interface ObservatoryOptions {
  readonly thread: number;
  /** Folder for logs; without one nothing is logged to files. */
  readonly logFolder: string | undefined;
  readonly backends: ReadonlyMap<string, Backend>;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly sendTraces: (requests: readonly TracedRequest[]) => void;
}

/** One that watches, with the settings that it was made from. */
interface Watch {
  readonly of: string;
  readonly observer: RequestObserver;
  readonly file: LineFile | undefined;
}

const WATCHES = ["tracing", "accessLog", "requestLog"] as const;
type Watched = (typeof WATCHES)[number];

export class Observatory {
  readonly #options: ObservatoryOptions;
  readonly #metrics: RequestMetrics;
  /** In the order in which they are told; the list changes with the settings. */
  readonly observers: RequestObserver[];
  readonly #watches = new Map<Watched, Watch>();
  /** Resolves once the files that are not written to any more are closed. */
  #settled: Promise<unknown> = Promise.resolve();
  /** Wakes the loop: something has been gathered. */
  readonly #parking = new Parking();

  constructor(options: ObservatoryOptions) {
    this.#options = options;
    this.#metrics = new RequestMetrics(options.backends);
    this.observers = [this.#metrics];
  }

  samples(): ReturnType<RequestMetrics["samples"]> {
    return this.#metrics.samples();
  }

  /** From the next request on. A watch whose settings are the same goes on as it is; one that cannot be made leaves the one before. */
  apply(settings: GatewaySettings): void {
    for (const key of WATCHES) {
      const of = settings[key];
      const text = JSON.stringify(of ?? null);
      const before = this.#watches.get(key);
      if ((before?.of ?? "null") === text) continue;
      const made = of === undefined ? undefined : this.#made(key, settings);
      if (made === undefined && of !== undefined) continue;
      if (before?.file !== undefined) this.#settled = Promise.all([this.#settled, before.file.close()]);
      if (before?.observer instanceof Tracer) before.observer.gather();
      if (made === undefined) this.#watches.delete(key);
      else this.#watches.set(key, { ...made, of: text });
    }
    const chosen = WATCHES.flatMap((key) => this.#watches.get(key)?.observer ?? []);
    this.observers.splice(0, this.observers.length, this.#metrics, ...chosen);
  }

  #made(key: Watched, { tracing, accessLog, requestLog }: GatewaySettings): Omit<Watch, "of"> | undefined {
    const { clock, logger } = this.#options;
    if (key === "tracing" && tracing !== undefined) return { observer: this.#tracer(tracing.rate), file: undefined };
    if (key === "accessLog" && accessLog !== undefined) {
      const file = this.#file(accessLog.file);
      return file && { observer: new AccessLog({ format: accessLog.format, clock, add: (line) => this.#add(file, line) }), file };
    }
    if (key !== "requestLog" || requestLog === undefined) return undefined;
    const template = parseTextTemplate("requestLog", requestLog.template);
    if ("error" in template) {
      logger.error("request log template is refused, the one before stays", { error: template.error });
      return undefined;
    }
    const file = this.#file(REQUEST_LOG_FILE);
    return file && { observer: new RequestLog({ template, probes: requestLog.probes, add: (line) => this.#add(file, line) }), file };
  }

  #tracer(rate: number): Tracer {
    const { clock, rng, sendTraces, counters } = this.#options;
    return new Tracer({
      rate,
      clock,
      rng,
      send: sendTraces,
      gathered: () => this.#parking.leave(),
      dropped: (requests) => void (counters.tracesDropped += requests),
    });
  }

  #file(name: string): LineFile | undefined {
    const { logFolder, thread, clock, logger, counters } = this.#options;
    if (name !== "stdout" && logFolder === undefined) return undefined;
    const path = name === "stdout" ? name : join(logFolder ?? "", name);
    return new LineFile({ path, rotates: thread === 0, clock, logger, dropped: (lines) => void (counters.linesDropped += lines) });
  }

  #add(file: LineFile, line: string | WrittenLine): void {
    file.add(line);
    this.#parking.leave();
  }

  /** Sends out what was gathered, a second after the first of it; sets no timer while there is nothing. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.#isDirty()) await this.#parking.stay(signal);
      if (signal.aborted) return;
      try {
        await this.#options.clock.sleep(GATHER_MS, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      this.gather();
    }
  }

  /** Sends out what was gathered, now. */
  gather(): void {
    for (const { observer, file } of this.#watches.values()) {
      file?.flush();
      if (observer instanceof Tracer) observer.gather();
    }
  }

  /** The last lines are written and the files closed. */
  async close(): Promise<void> {
    this.gather();
    await this.#settled;
    await Promise.all([...this.#watches.values()].flatMap(({ file }) => file?.close() ?? []));
  }

  #isDirty(): boolean {
    return [...this.#watches.values()].some(({ observer, file }) => file?.isDirty === true || (observer instanceof Tracer && observer.isDirty));
  }
}
