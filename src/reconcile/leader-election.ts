// Who leads: one of several candidates holds a Lease and renews it; the others take over when it is released or runs out.
import { float, isReason, rfc3339, StatusError, type Clock, type Logger, type Rng } from "#core";
import type { Client, Transport } from "#client";
import type { Draft, Kind, KubeObject } from "#schema";

/** A coordination.k8s.io/v1 Lease as far as it is read. */
export interface LeaseObject extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** As client-go's. A leader gives up (`renewDeadlineMs`) before another takes over (`leaseDurationMs`). */
const LEASE_DURATION_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_PERIOD_MS = 2_000;
/** Share of the retry period that is added by chance, so that candidates do not come in step. */
const JITTER = 1.2;

/** A server that does not answer must not keep a process from ending. */
const RELEASE_MS_MAX = 5_000;

/** One time of leading. */
export interface Term {
  /** Aborts when the lease is lost, or when the candidate is to stop. */
  readonly signal: AbortSignal;
  /**
   * False from the moment at which another may lead: also before `signal` aborts, for instance after a suspension of the
   * machine. Writes ask it first (`fenced`).
   */
  readonly holds: () => boolean;
}

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly kind: Kind<LeaseObject>;
  readonly namespace: string;
  readonly name: string;
  /** Unlike that of any other candidate. */
  readonly identity: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Leads; ends soon after the term's signal aborts, or by itself, which gives the lease back. */
  readonly lead: (term: Term) => Promise<void>;
  /** Told of each other holder that is seen. */
  readonly onLeader?: (identity: string) => void;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
}

/** The transport of a leader: nothing is written once another may lead. */
export function fenced(transport: Transport, holds: () => boolean): Transport {
  return {
    send(call) {
      if (call.verb !== "get" && call.verb !== "list" && !holds()) {
        return Promise.reject(new StatusError("ServiceUnavailable", "this process does not hold the lease any more, and writes nothing"));
      }
      return transport.send(call);
    },
    watch: (call, signal) => transport.watch(call, signal),
  };
}

/** A time as Leases carry it, with microseconds. */
function microTime(wallMs: number): string {
  return `${rfc3339(wallMs).slice(0, -1)}.${String(Math.floor(wallMs) % 1000).padStart(3, "0")}000Z`;
}

type Standing = "ours" | "others" | "unknown";

/** What one candidate knows of the lease. Times are monotonic and its own: no clock of another is trusted. */
class Candidate {
  readonly #options: LeaderElectionOptions;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
  #seen = "";
  #seenAtMs = 0;
  #holder = "";
  /** Told once, until an answer comes. */
  #unreachable = false;
  /** When the last successful renewal was sent. */
  renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.leaseDurationMs = options.leaseDurationMs ?? LEASE_DURATION_MS;
    this.renewDeadlineMs = options.renewDeadlineMs ?? RENEW_DEADLINE_MS;
    this.retryPeriodMs = options.retryPeriodMs ?? RETRY_PERIOD_MS;
  }

  holds(): boolean {
    return this.#options.clock.monotonicMs() < this.renewedAtMs + this.renewDeadlineMs;
  }

  /** Takes or renews the lease. Never throws: a server that does not answer leaves it `unknown`. */
  async try(): Promise<Standing> {
    const { client, clock, identity, kind, logger, name, namespace } = this.#options;
    const sentAtMs = clock.monotonicMs();
    try {
      const lease = await client.find(kind, namespace, name);
      if (lease !== undefined && !this.#isFree(lease)) {
        this.#unreachable = false;
        return "others";
      }
      if (lease === undefined) await client.create(kind, this.#draft(undefined));
      else await client.update(kind, this.#draft(lease));
      this.renewedAtMs = sentAtMs;
      this.#unreachable = false;
      return "ours";
    } catch (error) {
      // Somebody was faster; the next look tells who.
      const beaten = isReason(error, "Conflict") || isReason(error, "AlreadyExists");
      if (!beaten && !this.#unreachable) logger.warn("the lease cannot be reached", { lease: `${namespace}/${name}`, identity, err: error });
      this.#unreachable = !beaten;
      return "unknown";
    }
  }

  /** Ours, nobody's, or not renewed for its whole duration since it was last seen to change. */
  #isFree({ spec = {} }: LeaseObject): boolean {
    const { clock, identity, onLeader } = this.#options;
    const { holderIdentity = "", leaseDurationSeconds } = spec;
    const text = JSON.stringify(spec);
    if (text !== this.#seen) {
      this.#seen = text;
      this.#seenAtMs = clock.monotonicMs();
    }
    if (holderIdentity !== this.#holder && holderIdentity !== "" && holderIdentity !== identity) onLeader?.(holderIdentity);
    this.#holder = holderIdentity;
    if (holderIdentity === "" || holderIdentity === identity) return true;
    const durationMs = leaseDurationSeconds === undefined ? this.leaseDurationMs : leaseDurationSeconds * 1000;
    return clock.monotonicMs() >= this.#seenAtMs + durationMs;
  }

  #draft(lease: LeaseObject | undefined): LeaseObject | Draft<LeaseObject> {
    const { clock, identity, kind, name, namespace } = this.#options;
    const renewTime = microTime(clock.wallMs());
    const isOurs = lease?.spec?.holderIdentity === identity;
    const { acquireTime = renewTime, leaseTransitions = 0 } = lease?.spec ?? {};
    const spec = {
      ...lease?.spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.leaseDurationMs / 1000),
      acquireTime: isOurs ? acquireTime : renewTime,
      renewTime,
      leaseTransitions: lease === undefined || isOurs ? leaseTransitions : leaseTransitions + 1,
    };
    if (lease !== undefined) return { ...lease, spec };
    return { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { namespace, name }, spec } as Draft<LeaseObject>;
  }

  /** Lets another lead at once. */
  async release(): Promise<void> {
    if (!this.holds()) return;
    this.renewedAtMs = Number.NEGATIVE_INFINITY;
    const done = new AbortController();
    const patience = this.#options.clock.sleep(RELEASE_MS_MAX, done.signal).catch(() => {});
    await Promise.race([this.#giveBack(), patience]);
    done.abort();
  }

  async #giveBack(): Promise<void> {
    const { client, clock, identity, kind, logger, name, namespace } = this.#options;
    try {
      const lease = await client.find(kind, namespace, name);
      if (lease?.spec?.holderIdentity !== identity) return;
      const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(clock.wallMs()) };
      await client.update(kind, { ...lease, spec });
    } catch (error) {
      logger.warn("the lease was not given back; it runs out by itself", { lease: `${namespace}/${name}`, err: error });
    }
  }
}

/** True when it is ours; false once the signal aborts. */
async function acquire(candidate: Candidate, { clock, rng }: LeaderElectionOptions, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if ((await candidate.try()) === "ours") return true;
    await clock.sleep(candidate.retryPeriodMs * (1 + JITTER * float(rng)), signal).catch(() => {});
  }
  return false;
}

/** Until the signal aborts, or the lease is another's, or has not been renewed in time. */
async function renew(candidate: Candidate, { clock }: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && candidate.holds()) {
    const leftMs = candidate.renewedAtMs + candidate.renewDeadlineMs - clock.monotonicMs();
    await clock.sleep(Math.min(candidate.retryPeriodMs, leftMs), signal).catch(() => {});
    if (signal.aborted || !candidate.holds()) return;
    // An answer that does not come must not keep a leader in office.
    const overdue = new AbortController();
    const deadline = clock
      .sleep(candidate.renewedAtMs + candidate.renewDeadlineMs - clock.monotonicMs(), AbortSignal.any([signal, overdue.signal]))
      .catch(() => {});
    const standing = await Promise.race([candidate.try(), deadline.then((): Standing => "unknown")]);
    overdue.abort();
    if (standing === "others") return;
  }
}

/**
 * One turn: waits for the lease, leads, and ends when it is lost (`lost`), when `signal` aborts or when `lead` has ended
 * (`stopped`). What `lead` throws is thrown, after the lease was given back.
 */
export async function leadOnce(options: LeaderElectionOptions, signal: AbortSignal): Promise<"lost" | "stopped"> {
  const { logger, identity } = options;
  const candidate = new Candidate(options);
  if (!(await acquire(candidate, options, signal))) {
    await candidate.release();
    return "stopped";
  }
  logger.info("this process leads", { identity });
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  const state = { lost: false };
  const renewing = renew(candidate, options, ended).then(() => {
    state.lost = !ended.aborted;
    over.abort();
  });
  try {
    await options.lead({ signal: ended, holds: () => !state.lost && candidate.holds() });
  } finally {
    over.abort();
    await renewing;
    if (state.lost) logger.warn("the lease is lost", { identity });
    else await candidate.release();
  }
  return state.lost ? "lost" : "stopped";
}
