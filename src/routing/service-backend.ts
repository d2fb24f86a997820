// The endpoints of a Service as the gateway sees them: no limit, no timeout, and nobody to wake.
import type { Backend } from "#protocol";
import type { Resolution, ServiceEndpoint } from "./services.ts";

/** An ingress sets no timeout (serving.md 4.4): longer than anything runs. */
const TIMEOUT_MS = 10 * 365 * 86_400_000;

/** What all Services have in common. */
export function serviceBackend(key: string, resolution: Resolution | undefined): Omit<Backend, "pods"> {
  return {
    key,
    kind: "service",
    protocol: resolution?.is === "service" && resolution.isH2c ? "h2c" : "http1",
    containerConcurrency: 0,
    timeoutMs: TIMEOUT_MS,
    responseStartTimeoutMs: 0,
    idleTimeoutMs: 0,
    serverTiming: false,
  };
}

/** One pod may stand behind several Services, and be a revision's: each has its own count of it, under an id of its own. */
export function endpointId(backend: string, { podUid, address, port }: ServiceEndpoint): string {
  return `${podUid ?? `${address}:${port}`} ${backend}`;
}
