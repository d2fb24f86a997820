// Metrics of all gateway threads as one text: each is asked, and what a dead or a silent one said last still counts.
import type { Clock } from "#core";
import { counterText, isCumulative, RequestTotals } from "#gateway";
import type { ControlToGateway, GatewayToControl, RequestSamples } from "#protocol";

type Answer = Extract<GatewayToControl, { type: "metrics" }>;

/** Threads answer within this time, or what they said last is taken. */
const ANSWER_MS = 1_000;
/** A long text is made in pieces of so much time, and the event loop turns between them. */
const SLICE_MS = 5;

export interface GatewayMetricsOptions {
  readonly clock: Clock;
  readonly threads: () => Iterable<number>;
  readonly send: (thread: number, message: ControlToGateway) => void;
  /** Resolves in a later turn of the event loop. */
  readonly turn: () => Promise<void>;
}

export class GatewayMetrics {
  readonly #options: GatewayMetricsOptions;
  /** Open questions by number: threads that have not answered. */
  readonly #asked = new Map<number, { readonly open: Set<number>; readonly done: () => void }>();
  readonly #latest = new Map<number, Answer>();
  /** What threads that died had counted: counters never go back. */
  readonly #goneCounters = new Map<string, number>();
  #goneRequests: RequestSamples | undefined;
  #questions = 0;
  #silent = 0;
  #lost = 0;

  constructor(options: GatewayMetricsOptions) {
    this.#options = options;
  }

  received(answer: Answer): void {
    this.#latest.set(answer.thread, answer);
    const question = this.#asked.get(answer.id);
    if (question === undefined) return;
    question.open.delete(answer.thread);
    if (question.open.size === 0) question.done();
  }

  /** The thread died. */
  threadGone(thread: number): void {
    this.#lost++;
    const last = this.#latest.get(thread);
    this.#latest.delete(thread);
    if (last !== undefined) this.#fold(last);
    for (const question of this.#asked.values()) {
      question.open.delete(thread);
      if (question.open.size === 0) question.done();
    }
  }

  #fold({ counters, requests }: Answer): void {
    for (const [sample, value] of Object.entries(counters)) {
      if (isCumulative(sample)) this.#goneCounters.set(sample, (this.#goneCounters.get(sample) ?? 0) + value);
    }
    const totals = this.#totalsOfGone(() => true);
    totals.add(requests, false);
    this.#goneRequests = totals.samples();
  }

  #totalsOfGone(isKnown: (key: string) => boolean): RequestTotals {
    const totals = new RequestTotals(isKnown);
    if (this.#goneRequests !== undefined) totals.add(this.#goneRequests, false);
    return totals;
  }

  /** Prometheus' text form of the requests that are Knative's queue-proxy's to measure. */
  async requests(isKnown: (key: string) => boolean): Promise<string> {
    await this.#ask();
    return this.#requestText(isKnown);
  }

  /** Prometheus' text form. Series of revisions (`namespace/name`) that are not known any more go. */
  async text(isKnown: (key: string) => boolean): Promise<string> {
    await this.#ask();
    const sums = new Map(this.#goneCounters);
    for (const { counters } of this.#latest.values()) {
      for (const [sample, value] of Object.entries(counters)) sums.set(sample, (sums.get(sample) ?? 0) + value);
    }
    return counterText(sums) + peerText(this.#silent === 0, this.#lost) + (await this.#requestText(isKnown));
  }

  async #ask(): Promise<void> {
    const { threads, send, clock } = this.#options;
    const id = this.#questions++;
    const open = new Set(threads());
    if (open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#asked.set(id, { open, done: resolve });
    for (const thread of [...open]) send(thread, { type: "metrics", id });
    const over = new AbortController();
    await Promise.race([promise, clock.sleep(ANSWER_MS, over.signal).catch(() => undefined)]);
    over.abort();
    this.#asked.delete(id);
    this.#silent = open.size;
  }

  async #requestText(isKnown: (key: string) => boolean): Promise<string> {
    const { clock, turn } = this.#options;
    const totals = this.#totalsOfGone(isKnown);
    this.#goneRequests = totals.samples();
    for (const { requests } of this.#latest.values()) totals.add(requests, true);
    let text = "";
    let sinceMs = clock.monotonicMs();
    for (const piece of totals.text()) {
      text += piece;
      if (clock.monotonicMs() - sinceMs < SLICE_MS) continue;
      await turn();
      sinceMs = clock.monotonicMs();
    }
    return text;
  }
}

/** Knative's activator tells so of its connection to the autoscaler; ours are messages, which only a dead or a hanging thread stops. */
function peerText(reachable: boolean, errors: number): string {
  const label = '{peer="autoscaler"}';
  return (
    "# HELP kn_activator_stats_conn_errors_total Number of connection errors from the activator\n# TYPE kn_activator_stats_conn_errors_total counter\n" +
    `kn_activator_stats_conn_errors_total${label} ${errors}\n` +
    "# HELP kn_activator_stats_conn_reachable Whether a peer is reachable from the activator (1 = reachable, 0 = not reachable)\n" +
    `# TYPE kn_activator_stats_conn_reachable gauge\nkn_activator_stats_conn_reachable${label} ${reachable ? 1 : 0}\n`
  );
}
