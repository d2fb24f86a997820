// The tokens of one pod: each is minted once, and again before its time is over.
import type { Clock } from "#core";
import type { Pod } from "#kinds";

/** Rejects when the account is not there. */
export type MintToken = (asked: {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Default: the API itself. */
  readonly audience?: string;
  readonly expirationSeconds: number;
  readonly pod: { readonly name: string; readonly uid: string };
}) => Promise<{ readonly token: string; readonly expiresAtWallMs: number }>;

/** Kubernetes' default. */
const EXPIRATION_S = 3_600;
/** As the kubelet: minted again when four fifths of its time are over, or a day. */
const RENEWAL = { part: 0.8, maxMs: 86_400_000 } as const;
const RETRY_MS = 10_000;

interface Held {
  readonly token: string;
  /** Wall time. */
  readonly dueMs: number;
}

export class PodTokens {
  readonly #mint: MintToken;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();

  constructor({ mintToken, clock }: { readonly mintToken: MintToken; readonly clock: Clock }) {
    this.#mint = mintToken;
    this.#clock = clock;
  }

  /** When one is to be asked for again, wall time; Infinity without any. */
  get dueMs(): number {
    return Math.min(...[...this.#held.values()].map(({ dueMs }) => dueMs));
  }

  /** Rejects when there is none: one that cannot be renewed is held for another while. */
  async of(
    { metadata: { namespace = "", name, uid }, spec }: Pod,
    { audience = "", expirationSeconds = EXPIRATION_S }: { readonly audience?: string; readonly expirationSeconds?: number },
  ): Promise<string> {
    const key = `${expirationSeconds}/${audience}`;
    const held = this.#held.get(key);
    const nowMs = this.#clock.wallMs();
    if (held !== undefined && nowMs < held.dueMs) return held.token;
    const asked = { namespace, serviceAccount: spec.serviceAccountName ?? "default", expirationSeconds, pod: { name, uid } };
    try {
      const { token, expiresAtWallMs } = await this.#mint({ ...asked, ...(audience === "" ? {} : { audience }) });
      this.#held.set(key, { token, dueMs: nowMs + Math.min((expiresAtWallMs - nowMs) * RENEWAL.part, RENEWAL.maxMs) });
      return token;
    } catch (error) {
      if (held === undefined) throw error;
      this.#held.set(key, { ...held, dueMs: nowMs + RETRY_MS });
      return held.token;
    }
  }
}
