// What a pod's object is told of its processes: the addresses of its ports and its status, each until it is written.
import { isDeepStrictEqual } from "node:util";
import type { Client } from "#client";
import { isReason, type Clock, type Logger } from "#core";
import { Pod, type PodStatus } from "#kinds";
import { ADDRESSES_ANNOTATION, RUNTIME_ANNOTATION } from "../addresses.ts";
import type { PodAddresses, RuntimeName } from "../engine.ts";
import { isComingUp, podStatusFor, type StatusInput } from "./pod-status.ts";

/** On the way up nothing is reported for so long: a quick pod costs one status write, the one that says Ready. */
const QUIET_START_MS = 1_000;
const RETRY_MS = 1_000;

/** What a pod keeps from its start on. */
interface Given {
  readonly runtime: RuntimeName;
  readonly addresses: PodAddresses;
}

export class PodRecord {
  readonly #context: { readonly client: Client; readonly clock: Clock; readonly logger: Logger };
  readonly #bornMs: number;
  #written: PodStatus | undefined;
  #retryAtMs = 0;
  #unrecorded: Given | undefined;

  /** `status` is what the object says already. */
  constructor(context: { readonly client: Client; readonly clock: Clock; readonly logger: Logger }, status: PodStatus | undefined) {
    this.#context = context;
    this.#bornMs = context.clock.monotonicMs();
    this.#written = status;
  }

  /** Nobody waits for this write; one that fails is made again with the next report. */
  given(pod: Pod, given: Given): void {
    const { client, logger } = this.#context;
    const { namespace = "", name, uid } = pod.metadata;
    this.#unrecorded = undefined;
    const annotations = { [ADDRESSES_ANNOTATION]: JSON.stringify(given.addresses), [RUNTIME_ANNOTATION]: given.runtime };
    client.patch(Pod, { namespace, name }, { type: "application/merge-patch+json", body: { metadata: { uid, annotations } } }).catch((error: unknown) => {
      logger.warn("addresses were not recorded", { pod: name, err: error });
      if (!isReason(error, "NotFound")) this.#unrecorded = given;
    });
  }

  /** Writes the status when it changed and is worth a write; answers when to look again. */
  async report(pod: Pod, { runs, place, cutShort }: Pick<StatusInput, "runs" | "place" | "cutShort">): Promise<number> {
    const { client, clock, logger } = this.#context;
    if (this.#unrecorded !== undefined) this.given(pod, this.#unrecorded);
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#retryAtMs) return this.#retryAtMs;
    const status = podStatusFor({
      pod: { ...pod, ...(this.#written === undefined ? {} : { status: this.#written }) },
      runs,
      place,
      cutShort,
      nowWallMs: clock.wallMs(),
    });
    if (isDeepStrictEqual(status, this.#written)) return Infinity;
    const quietUntilMs = this.#bornMs + QUIET_START_MS;
    if (nowMs < quietUntilMs && runs.every(isComingUp) && !runs.filter((run) => !run.init).every((run) => run.ready)) return quietUntilMs;
    const { namespace = "", name, uid } = pod.metadata;
    try {
      await client.patch(Pod, { namespace, name, subresource: "status" }, { type: "application/merge-patch+json", body: { metadata: { uid }, status } });
      this.#written = status;
    } catch (error) {
      if (isReason(error, "NotFound")) return Infinity;
      logger.warn("pod status was not written", { pod: name, err: error });
      this.#retryAtMs = nowMs + RETRY_MS;
    }
    return 0;
  }
}
