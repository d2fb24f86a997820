// Waiting for a Service to become ready, with the progress lines that kn prints.
import { isReason, type Clock } from "#core";
import type { Client } from "#client";
import { Pod, Service, serving } from "#kinds";
import { CliError } from "./exit.ts";

/** A False that lasts this long is final: on its way up a Service may be seen failing for a moment. */
const ERROR_WINDOW_MS = 2_000;

/** How often the pods of a Service that is not ready are looked at for images that are on their way. */
const LOOK_AT_PODS_MS = 2_000;
const PULLING = "Pulling image ";

interface WaitOptions {
  readonly client: Client;
  readonly namespace: string;
  readonly name: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** Resolves with the ready Service. Throws CliError `notReady` (reason and message of the first False) or `timedOut`. */
export async function waitReady(options: WaitOptions): Promise<Service> {
  const { client, clock, namespace, name } = options;
  const startedMs = clock.monotonicMs();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const progress = new Progress(options.print, () => clock.monotonicMs() - startedMs);
  let failed: { readonly text: string } | undefined;
  const ended = (after: number, what: () => CliError): Promise<never> => clock.sleep(after, signal).then(() => Promise.reject(what()));
  const consider = (seen: Service): void => {
    progress.show(seen);
    const text = failureOf(seen);
    if (text === undefined) failed = undefined;
    else if (failed === undefined) {
      const mine = (failed = { text });
      void clock.sleep(ERROR_WINDOW_MS, signal).then(
        () => failed === mine && stop.abort(new CliError("notReady", mine.text, { hint: `eider logs ${name}` })),
        () => undefined,
      );
    }
  };
  const follow = async (): Promise<Service> => {
    for (;;) {
      const current = await client.get(Service, namespace, name);
      if (isReady(current)) return progress.done(current);
      consider(current);
      for await (const event of watchOf(client, current, signal)) {
        if (event.type === "DELETED") throw new CliError("notFound", `service '${name}' was deleted while waiting for it`);
        if (isReady(event.object)) return progress.done(event.object);
        consider(event.object);
      }
      signal.throwIfAborted();
      await clock.sleep(1_000, signal);
    }
  };
  void tellPulls(options, progress, signal).catch(() => undefined);
  try {
    return await Promise.race([follow(), ended(options.timeoutMs, () => timedOut(name, options.timeoutMs))]);
  } catch (error) {
    if (stop.signal.aborted && stop.signal.reason instanceof CliError) throw stop.signal.reason;
    throw error;
  } finally {
    stop.abort();
  }
}

/** Prints how far the images of its pods have come; what cannot be read is no reason to end. */
async function tellPulls({ client, clock, namespace, name }: WaitOptions, progress: Progress, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(LOOK_AT_PODS_MS, signal);
    const { items } = await client.list(Pod, { namespace, labelSelector: `${serving.service}=${name}` });
    const told = items
      .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
      .map(({ state }) => state?.waiting?.message ?? "")
      .find((message) => message.startsWith(PULLING));
    if (told !== undefined) progress.tell(told);
  }
}

function timedOut(name: string, timeoutMs: number): CliError {
  return new CliError("timedOut", `timeout: service '${name}' not ready after ${Math.round(timeoutMs / 1000)} seconds`, {
    hint: `eider service describe ${name}`,
  });
}

async function* watchOf(client: Client, current: Service, signal: AbortSignal): AsyncIterable<{ readonly type: string; readonly object: Service }> {
  const query = {
    namespace: current.metadata.namespace ?? "",
    fieldSelector: `metadata.name=${current.metadata.name}`,
    resourceVersion: current.metadata.resourceVersion,
  };
  try {
    for await (const event of client.watch(Service, query, signal)) if (event.type !== "BOOKMARK") yield event;
  } catch (error) {
    // A closed watch is not the end of waiting: the caller reads and watches again.
    if (!signal.aborted && !isReason(error, "Expired") && !isReason(error, "ServiceUnavailable")) throw error;
  }
}

function observed(service: Service): boolean {
  return service.metadata.generation === service.status?.observedGeneration;
}

function readyOf(service: Service): { readonly status: string; readonly reason?: string; readonly message?: string } | undefined {
  return service.status?.conditions?.find((condition) => condition.type === "Ready");
}

export function isReady(service: Service): boolean {
  return observed(service) && readyOf(service)?.status === "True";
}

function failureOf(service: Service): string | undefined {
  const ready = readyOf(service);
  if (!observed(service) || ready?.status !== "False") return undefined;
  return `${ready.reason ?? ""}: ${ready.message ?? ""}`;
}

/** `  0.126s text` for each new message of the Ready condition, `...` once for a repeat. */
class Progress {
  readonly #print: (line: string) => void;
  readonly #elapsedMs: () => number;
  #last = "";
  #dots = false;
  #told = "";

  constructor(print: (line: string) => void, elapsedMs: () => number) {
    this.#print = print;
    this.#elapsedMs = elapsedMs;
  }

  show(service: Service): void {
    const message = observed(service) ? (readyOf(service)?.message ?? "") : "";
    if (message === "") return;
    if (message !== this.#last) this.#line(message);
    else if (!this.#dots) this.#line("...");
    this.#dots = message === this.#last;
    this.#last = message;
  }

  /** Beside the condition's messages, and each time that it changes. */
  tell(message: string): void {
    if (message === this.#told) return;
    this.#told = message;
    this.#line(message);
  }

  done(service: Service): Service {
    this.#line("Ready to serve.");
    return service;
  }

  #line(text: string): void {
    this.#print(`${(this.#elapsedMs() / 1000).toFixed(3).padStart(7)}s ${text}`);
  }
}
