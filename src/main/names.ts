// Names for pods on this machine: who may have them, and which range the addresses are of.
import { join } from "node:path";
import type { Client, InformerSet } from "#client";
import type { Clock, Logger, Rng } from "#core";
import { CLUSTER_DOMAIN, CoreService, type ServiceRange } from "#kinds";
import { markOf, podNames, type PodNames } from "#runtimes";
import { chooseServiceRange } from "./service-range.ts";

/** Addresses of Services are made the machine's own: root's to do, and by Linux' means. */
function mayHaveAddresses(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0;
}

interface RangeInput {
  readonly client: Client;
  readonly dataDir: string;
  readonly clock: Clock;
}

/** The data folder's, chosen with its first start. */
export async function serviceRangeOf({ client, dataDir, clock }: RangeInput, signal: AbortSignal): Promise<ServiceRange> {
  const api = await client.find(CoreService, "default", "kubernetes");
  return chooseServiceRange({ apiAddress: api?.spec?.clusterIP, mark: markOf(dataDir), reachable: mayHaveAddresses(), clock }, signal);
}

interface NamesInput {
  readonly informers: InformerSet;
  readonly dataDir: string;
  readonly range: ServiceRange;
  readonly apiPort: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

/** Until the signal. */
export function namesForPods({ dataDir, range, logger, ...rest }: NamesInput, signal: AbortSignal): PodNames {
  const names = podNames({
    ...rest,
    logger: logger.with({ room: "runtimes" }),
    mark: markOf(dataDir),
    range: mayHaveAddresses() ? range : undefined,
    domain: CLUSTER_DOMAIN,
    path: process.env["PATH"] ?? "",
    resolvDir: join(dataDir, "run", "resolv-conf"),
  });
  signal.addEventListener("abort", () => names.close(), { once: true });
  return names;
}
