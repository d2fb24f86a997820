// Follows what is on its way between our programs and a real API server, so that simulated time can stand still until it has come.
import { setTimeout as sleep } from "node:timers/promises";
import { endsInitialEvents, type ApiCall, type Transport, type WatchCall, type WatchEvent } from "#client";
import { systemClock } from "#host";
import { apiVersionOf, type Kind, type KubeObject } from "#schema";

/** Turns of the event loop with nothing on the way, in which programs react to what has come. */
const IDLE_TURNS = 4;
/** What has not come by then is not waited for any longer. */
const PATIENCE_MS = 3_000;

interface OpenWatch {
  readonly kind: string;
  /** All that happened up to here has come; below zero until what existed at first has come. */
  revision: number;
}

const kindId = (kind: Kind): string => `${apiVersionOf(kind)} ${kind.kind}`;

type Loose = KubeObject & { readonly spec?: { readonly finalizers?: readonly string[] } };

/** Whether an answer to a write shows the last state of an object that is gone by now. */
function isGone({ metadata, spec }: Loose, verb: ApiCall["verb"]): boolean {
  const held = (metadata.finalizers ?? []).length + (spec?.finalizers ?? []).length > 0;
  const grace = (metadata as { readonly deletionGracePeriodSeconds?: number }).deletionGracePeriodSeconds ?? 0;
  return !held && grace === 0 && (metadata.deletionTimestamp !== undefined || verb === "delete");
}

/** Everything that goes to the server goes through here; each watch is of a whole kind. */
export class OnTheWay {
  #pending = 0;
  readonly #watches = new Set<OpenWatch>();
  /** Latest revision that anybody has heard of, by kind. */
  readonly #latest = new Map<string, number>();
  /** Uids of objects that are gone, which no watch has told yet. */
  readonly #gone = new Set<string>();
  /** Uids of those that a watch has told, which may be sooner than the answer to the deletion comes. */
  readonly #told = new Set<string>();
  follow(inner: Transport): Transport {
    return {
      send: async (call) => {
        const answer = await this.during(inner.send(call));
        if (call.verb !== "get" && call.verb !== "list") this.wrote(kindId(call.kind), call.verb, answer, call.query?.["dryRun"] !== undefined);
        return answer;
      },
      watch: (call, signal) => this.#watch(inner, call, signal),
    };
  }

  async during<T>(work: Promise<T>): Promise<T> {
    this.#pending++;
    try {
      return await work;
    } finally {
      this.#pending--;
    }
  }

  /** Takes note of the answer to a write; `kind` is `apiVersion kind`. */
  wrote(kind: string, verb: ApiCall["verb"], answer: unknown, dryRun: boolean): void {
    if (dryRun || typeof answer !== "object" || answer === null) return;
    const object = answer as Loose & { readonly details?: { readonly uid?: string } };
    const uid = object.kind === "Status" ? object.details?.uid : isGone(object, verb) ? object.metadata.uid : undefined;
    if (uid !== undefined && !this.#told.has(uid)) this.#gone.add(uid);
    else if (object.kind !== "Status") this.#heard(kind, Number(object.metadata.resourceVersion));
  }

  #heard(kind: string, revision: number): void {
    if (revision > (this.#latest.get(kind) ?? 0)) this.#latest.set(kind, revision);
  }

  async *#watch(inner: Transport, call: WatchCall, signal: AbortSignal): AsyncIterable<WatchEvent<KubeObject>> {
    const open: OpenWatch = { kind: kindId(call.kind), revision: Number(call.query["resourceVersion"] ?? -1) };
    this.#watches.add(open);
    try {
      for await (const event of inner.watch(call, signal)) {
        const revision = Number(event.object.metadata.resourceVersion);
        if (open.revision >= 0 || endsInitialEvents(event)) open.revision = revision;
        if (event.type !== "BOOKMARK") this.#heard(open.kind, revision);
        if (event.type === "DELETED") {
          this.#told.add(event.object.metadata.uid);
          this.#gone.delete(event.object.metadata.uid);
        }
        yield event;
      }
    } finally {
      this.#watches.delete(open);
    }
  }

  #isQuiet(): boolean {
    return this.#pending === 0 && this.#gone.size === 0 && ![...this.#watches].some(({ kind, revision }) => revision < (this.#latest.get(kind) ?? 0));
  }

  async quiet(): Promise<void> {
    const untilMs = systemClock.monotonicMs() + PATIENCE_MS;
    for (let idle = 0; idle < IDLE_TURNS;) {
      if (this.#isQuiet()) {
        idle++;
        await new Promise<void>((resolve) => setImmediate(resolve));
        continue;
      }
      idle = 0;
      if (systemClock.monotonicMs() > untilMs) {
        this.#gone.clear();
        this.#latest.clear();
        return;
      }
      await sleep(1);
    }
  }
}
