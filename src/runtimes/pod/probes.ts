// Probes of a container: one attempt, and the loops that turn attempts into "ready" and "dead".
import { request as secureRequest } from "node:https";
import { connect } from "node:net";
import type { Clock } from "#core";
import type { CoreProbe } from "#kinds";
import type { PodAddress } from "../addresses.ts";

/** Where a container's probes go. */
export interface ProbeTarget {
  /** Where a container port is reached, by its number, its name, or 0 for the serving port. */
  addressOf(port: number | string): PodAddress;
  /** Runs a command in the container's environment; passed when it ends with 0 in time. */
  exec(argv: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ProbeResult>;
}

/** Undefined: passed. Else what went wrong, for people. */
export type ProbeResult = string | undefined;

export async function probeOnce(probe: CoreProbe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const timeoutMs = Math.max(1, probe.timeoutSeconds ?? 1) * 1000;
  if (probe.exec !== undefined) return target.exec(probe.exec.command ?? [], timeoutMs, signal);
  if (probe.httpGet !== undefined) return httpProbe(probe.httpGet, target.addressOf(probe.httpGet.port), timeoutMs);
  if (probe.grpc !== undefined) {
    // Programs with such probes are few; what it brings with it is much.
    const { grpcProbe } = await import("./grpc-probe.ts");
    return grpcProbe(target.addressOf(probe.grpc.port), probe.grpc.service ?? "", timeoutMs);
  }
  return tcpProbe(target.addressOf(probe.tcpSocket?.port ?? 0), timeoutMs);
}

function tcpProbe({ host, port }: PodAddress, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (result: ProbeResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => end(undefined));
    socket.once("timeout", () => end(`dial tcp ${host}:${port}: i/o timeout`));
    socket.once("error", () => end(`dial tcp ${host}:${port}: connect: connection refused`));
  });
}

async function httpProbe(get: NonNullable<CoreProbe["httpGet"]>, address: PodAddress, timeoutMs: number): Promise<ProbeResult> {
  const signal = new AbortController().signal;
  const code = await httpGetStatus(get, address, { timeoutMs, signal, userAgent: "kube-probe/1.34" }).catch((error: unknown) => (error as Error).message);
  if (typeof code === "string") return code;
  return code >= 200 && code < 400 ? undefined : `HTTP probe failed with statuscode: ${code}`;
}

/** Rejects in the words of Go's `net/http` when there is no answer. Certificates are not looked at. */
export async function httpGetStatus(
  { path = "/", scheme, httpHeaders = [], host: asked = "" }: NonNullable<CoreProbe["httpGet"]>,
  address: PodAddress,
  { timeoutMs, signal, userAgent }: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly userAgent: string },
): Promise<number> {
  const { host, port } = asked === "" ? address : { ...address, host: asked };
  const headers: Record<string, string> = { "User-Agent": userAgent, Accept: "*/*", Connection: "close" };
  for (const { name, value } of httpHeaders) headers[name] = value;
  const options = { host, port, path: path.startsWith("/") ? path : `/${path}`, headers, timeout: timeoutMs, agent: false as const, signal };
  // Programs that are asked so are few; what it brings with it is much.
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const call = scheme === "HTTPS" ? secureRequest({ ...options, rejectUnauthorized: false }) : request(options);
    call.once("response", (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    call.once("timeout", () => call.destroy(new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")));
    call.once("error", (error) => reject(new Error(`Get "${(scheme ?? "HTTP").toLowerCase()}://${host}:${port}${options.path}": ${error.message}`)));
    call.end();
  });
}

/** The pause of aggressive probing grows from the first to the second while a container starts. */
const AGGRESSIVE_FIRST_MS = 1;
const AGGRESSIVE_MAX_MS = 50;
export const DEFAULT_PERIOD_S = 10;

export interface Probing {
  readonly probe: CoreProbe;
  readonly target: ProbeTarget;
  readonly clock: Clock;
}

/** Pauses between attempts while not ready: Knative's aggressive polling for TCP and period 0, up to the period for the others. */
function pauseCapMs(probe: CoreProbe): number {
  const aggressive = (probe.httpGet === undefined && probe.exec === undefined && probe.grpc === undefined) || (probe.periodSeconds ?? 0) === 0;
  return aggressive ? AGGRESSIVE_MAX_MS : (probe.periodSeconds ?? DEFAULT_PERIOD_S) * 1000;
}

/** Reports every change of readiness, and each failure, until the signal aborts. */
export async function probeReadiness(
  { probe, target, clock }: Probing,
  report: (ready: boolean, failure: ProbeResult) => void,
  signal: AbortSignal,
): Promise<void> {
  const steadyMs = (probe.periodSeconds ?? 0) === 0 ? DEFAULT_PERIOD_S * 1000 : (probe.periodSeconds ?? 0) * 1000;
  const capMs = pauseCapMs(probe);
  let ready = false;
  let passed = 0;
  let failed = 0;
  let pauseMs: number = probe.exec === undefined ? AGGRESSIVE_FIRST_MS : AGGRESSIVE_MAX_MS;
  if ((probe.initialDelaySeconds ?? 0) > 0) await clock.sleep((probe.initialDelaySeconds ?? 0) * 1000, signal);
  while (!signal.aborted) {
    const failure = await probeOnce(probe, target, signal);
    if (signal.aborted) return;
    passed = failure === undefined ? passed + 1 : 0;
    failed = failure === undefined ? 0 : failed + 1;
    if (!ready && passed >= (probe.successThreshold ?? 1)) {
      ready = true;
      report(true, undefined);
    } else if (ready && failed >= (probe.failureThreshold ?? 3)) {
      ready = false;
      pauseMs = AGGRESSIVE_FIRST_MS;
      report(false, failure);
    } else if (failure !== undefined) report(ready, failure);
    await clock.sleep(ready ? steadyMs : pauseMs, signal);
    pauseMs = Math.min(capMs, pauseMs * 1.5);
  }
}

/** Resolves with the failure once a liveness or startup probe has failed `failureThreshold` times in a row; with undefined when a startup probe passes. */
export async function probeUntilDead(
  { probe, target, clock, onFailure }: Probing & { readonly onFailure: (failure: string) => void },
  kind: "liveness" | "startup",
  signal: AbortSignal,
): Promise<ProbeResult> {
  const periodMs = Math.max(1, probe.periodSeconds ?? DEFAULT_PERIOD_S) * 1000;
  let failed = 0;
  // Without a delay the kubelet's first look falls anywhere in the first period; at once it would find no program up yet.
  const delayMs = (probe.initialDelaySeconds ?? 0) * 1000;
  await clock.sleep(delayMs === 0 && kind === "liveness" ? periodMs : delayMs, signal);
  for (;;) {
    const failure = await probeOnce(probe, target, signal);
    if (failure === undefined && kind === "startup") return undefined;
    failed = failure === undefined ? 0 : failed + 1;
    if (failure !== undefined && !signal.aborted) onFailure(failure);
    if (failure !== undefined && failed >= (probe.failureThreshold ?? 3)) return failure;
    await clock.sleep(periodMs, signal);
  }
}
