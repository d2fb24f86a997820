// Whether anybody answers behind a Service: an Ingress is not ready before, though Kubernetes calls a pod without a probe ready at once.
import { connect } from "node:net";
import type { Clock } from "#core";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface EndpointProverOptions {
  /** Those of a backend just now; undefined when nobody waits for it any more. */
  readonly endpointsOf: (backend: string) => readonly Endpoint[] | undefined;
  /** Whether a connection succeeds. */
  readonly connects: (endpoint: Endpoint) => Promise<boolean>;
  readonly proved: (backend: string) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Twenty attempts at each pace, the last one for ever. */
const PACES_MS: readonly number[] = [2, 10, 50, 250, 1_000];
const ATTEMPTS_PER_PACE = 20;

/** An attempt that nobody refuses may take so long. */
const CONNECT_MS_MAX = 1_000;

/** Opens a connection and closes it. */
export function connectsTo({ address, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: CONNECT_MS_MAX });
    const answer = (connected: boolean) => (): void => {
      socket.destroy();
      resolve(connected);
    };
    socket.once("connect", answer(true)).once("error", answer(false)).once("timeout", answer(false));
  });
}

export class EndpointProver {
  readonly #options: EndpointProverOptions;
  readonly #proving = new Set<string>();

  constructor(options: EndpointProverOptions) {
    this.#options = options;
  }

  /** Tries until one endpoint accepts a connection; at most once at a time for each backend. */
  prove(backend: string): void {
    if (this.#proving.has(backend)) return;
    this.#proving.add(backend);
    void this.#try(backend);
  }

  async #try(backend: string): Promise<void> {
    const { endpointsOf, connects, proved, clock, signal } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const endpoints = endpointsOf(backend);
      const endpoint = endpoints?.[attempt % Math.max(1, endpoints.length)];
      if (endpoint === undefined) break;
      if (await connects(endpoint)) {
        proved(backend);
        break;
      }
      const paceMs = PACES_MS[Math.min(Math.floor(attempt / ATTEMPTS_PER_PACE), PACES_MS.length - 1)] ?? 0;
      await clock.sleep(paceMs, signal).catch(() => undefined);
    }
    // Within the turn of the last look: who asks from now on is heard.
    this.#proving.delete(backend);
  }
}
