// How controllers reach the API server: in this process, over HTTPS on loopback, or in this process with disturbances.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiServer } from "#apiserver";
import { createHttpTransport, type Transport } from "#client";
import { below, conflict, silentLogger, type Rng, type SimClock } from "#core";
import { systemClock } from "#host";
import { servingCertificate, type ServingCertificate } from "#host/certificates";
import { apiVersionOf } from "#schema";

export type WiringName = "in-process" | "https";

export interface Wiring {
  /** Of the controllers. */
  readonly transport: Transport;
  /** Lets everything under way arrive while the clock stands still. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

/** The clock's own turns are enough. */
export function wireInProcess(transport: Transport): Wiring {
  return { transport, quiet: () => Promise.resolve(), close: () => Promise.resolve() };
}

/** More than the server gives open requests at its end. */
const CLOSE_MS = 2_000;
/** Turns of the event loop with nothing on the way, in which programs react to what has come. */
const IDLE_TURNS = 4;
/** A call that waits for the clock is waited for no longer; a machine that is busy needs some of it. */
const PATIENCE_MS = 10_000;

/** Latest revision in the store of a kind, by `apiVersion kind`. */
export type LatestRevisions = ReadonlyMap<string, number>;

interface OpenWatch {
  readonly kind: string;
  /** All that happened up to here has come. */
  revision: number;
}

/** Follows what is on the way, so that `quiet` can tell: calls without an answer, and events that have not come. */
function followed(inner: Transport, latest: LatestRevisions): Pick<Wiring, "transport" | "quiet"> {
  let pending = 0;
  const watches = new Set<OpenWatch>();
  const isQuiet = (): boolean => pending === 0 && ![...watches].some(({ kind, revision }) => revision < (latest.get(kind) ?? 0));
  const transport: Transport = {
    async send(call) {
      pending++;
      try {
        return await inner.send(call);
      } finally {
        pending--;
      }
    },
    async *watch(call, signal) {
      const open: OpenWatch = { kind: `${apiVersionOf(call.kind)} ${call.kind.kind}`, revision: Number(call.query["resourceVersion"] ?? 0) };
      watches.add(open);
      try {
        for await (const event of inner.watch(call, signal)) {
          open.revision = Number(event.object.metadata.resourceVersion);
          yield event;
        }
      } finally {
        watches.delete(open);
      }
    },
  };
  return {
    transport,
    async quiet() {
      const untilMs = systemClock.monotonicMs() + PATIENCE_MS;
      for (let idle = 0; idle < IDLE_TURNS && systemClock.monotonicMs() < untilMs; idle = isQuiet() ? idle + 1 : 0) {
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    },
  };
}

export interface HttpsWiringOptions {
  /** Whoever shows it is the controllers. */
  readonly token: string;
  readonly clock: SimClock;
  readonly latest: LatestRevisions;
  /** Folder of the authority and the server's certificate, which are made when missing; a throw-away one without. */
  readonly pki: string | undefined;
}

async function throwAwayCertificate(): Promise<ServingCertificate> {
  const folder = await mkdtemp(join(tmpdir(), "eider-golden-"));
  try {
    return await certificateIn(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const certificateIn = (folder: string): Promise<ServingCertificate> => servingCertificate(folder, ["127.0.0.1"], systemClock.wallMs());

/** A real listener on loopback. */
export async function wireHttps(server: ApiServer, { token, clock, latest, pki }: HttpsWiringOptions): Promise<Wiring> {
  const { caPem, certPem, keyPem } = await (pki === undefined ? throwAwayCertificate() : certificateIn(pki));
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls: { key: keyPem, cert: certPem, clientCa: caPem } });
  const http = createHttpTransport({ server: `https://127.0.0.1:${listening.port}`, ca: caPem, token, clock, logger: silentLogger, userAgent: "golden" });
  return {
    ...followed(http, latest),
    async close() {
      http.close();
      const closed = listening.close();
      await clock.advance(CLOSE_MS);
      await closed;
    },
  };
}

/** Events wait up to this long, those behind them too: kinds overtake each other. */
const LAG_MS_MAX = 400;
/** One in so many. */
const LATE = 4;
const CONFLICTS = 8;

/** Watches deliver late, each kind for itself; updates meet conflicts. All by chance from `rng`. */
export function disturbed(inner: Transport, { rng, clock }: { readonly rng: Rng; readonly clock: SimClock }): Transport {
  return {
    send(call) {
      if (call.verb === "update" && below(rng, CONFLICTS) === 0) {
        throw conflict({ group: call.kind.group, resource: call.kind.plural }, call.name ?? "");
      }
      return inner.send(call);
    },
    async *watch(call, signal) {
      for await (const event of inner.watch(call, signal)) {
        if (below(rng, LATE) === 0) await clock.sleep(below(rng, LAG_MS_MAX), signal).catch(() => {});
        if (signal.aborted) return;
        yield event;
      }
    },
  };
}
