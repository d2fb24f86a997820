// Adapter of the recorded kpa-*.json: builds what the PodAutoscaler's plan observes, and maps the plan to the recorded form.
import { markScale, minReadyOf, numActivatorsFor, planPodAutoscaler, scaleOf, wallAgeOf, type ObservedPodAutoscaler } from "#controllers";
import { parseDurationMs } from "#core";
import { podAutoscalerConditions, type Metric, type PodAutoscaler, type ServerlessService } from "#kinds";
import { conditionOf, type Condition } from "#schema";
import { compared, type Checked } from "./autoscaler-compare.ts";
import { configOf, fullAnnotations, settingsOf, type RecordedPa } from "./autoscaler-resolve.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const SIDE = { namespace: "ns", creationTimestamp: "2026-01-01T00:00:00Z", resourceVersion: "1", generation: 1 };

type RecordedCondition = { readonly status: Condition["status"]; readonly reason?: string; readonly message?: string; readonly ageMs: number };

interface RecordedIn extends RecordedPa {
  readonly protocol: "http1" | "h2c";
  readonly config: Readonly<Record<string, string>>;
  readonly progressDeadline: string;
  readonly conditions: Readonly<Record<string, RecordedCondition>>;
  readonly status: {
    readonly actualScale: number | null;
    readonly desiredScale: number | null;
    readonly metricsServiceName: string;
    readonly serviceName: string;
  };
  readonly sks: null | {
    readonly mode: string;
    readonly numActivators: number;
    readonly serviceName: string;
    readonly privateServiceName: string;
    readonly ready: Condition["status"];
    readonly readyMessage?: string;
    readonly activatorEndpointsPopulated: Condition["status"] | "Unset";
    readonly activatorEndpointsPopulatedAgeMs: number;
    readonly notOwned?: boolean;
  };
  readonly deciderStatus: { readonly desired: number; readonly excessBurstCapacity: number };
  readonly pods: ObservedPodAutoscaler["pods"];
  readonly deploymentReplicas: number | null;
  readonly activatorProbe: "ok" | "fail" | "error";
}

interface RecordedOut {
  readonly conditions: unknown;
  readonly sks: { readonly action: string; readonly mode: string; readonly numActivators: number };
  readonly [key: string]: unknown;
}

function ago(ageMs: number): string {
  return new Date(NOW_MS - ageMs).toISOString();
}

function autoscalerOf(given: RecordedIn): PodAutoscaler {
  const conditions = Object.entries(given.conditions).map(([type, { ageMs, ...rest }]): Condition => ({ type, ...rest, lastTransitionTime: ago(ageMs) }));
  const { actualScale, desiredScale, ...names } = given.status;
  return {
    apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
    kind: "PodAutoscaler",
    metadata: { ...SIDE, name: "rev", uid: "pa", annotations: fullAnnotations(given.annotations) },
    spec: {
      containerConcurrency: given.containerConcurrency,
      protocolType: given.protocol,
      reachability: given.reachability,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "rev-deployment" },
    },
    status: {
      observedGeneration: 1,
      conditions,
      ...names,
      ...(actualScale === null ? {} : { actualScale }),
      ...(desiredScale === null ? {} : { desiredScale }),
    },
  };
}

function serverlessServiceOf(given: RecordedIn): ServerlessService | undefined {
  const { sks } = given;
  if (sks === null) return undefined;
  const populated = sks.activatorEndpointsPopulated;
  const conditions: Condition[] = [
    { type: "Ready", status: sks.ready, ...(sks.readyMessage === undefined ? {} : { message: sks.readyMessage }) },
    ...(populated === "Unset"
      ? []
      : [{ type: "ActivatorEndpointsPopulated", status: populated, lastTransitionTime: ago(sks.activatorEndpointsPopulatedAgeMs) }]),
  ];
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "ServerlessService",
    metadata: { ...SIDE, name: "rev", uid: "sks" },
    spec: {
      mode: sks.mode,
      numActivators: sks.numActivators,
      objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "rev-deployment" },
      protocolType: given.protocol,
    },
    status: { observedGeneration: 1, conditions, serviceName: sks.serviceName, privateServiceName: sks.privateServiceName },
  };
}

function observedOf(given: RecordedIn): ObservedPodAutoscaler {
  const hasBackends = (given.sks?.privateServiceName ?? "") !== "";
  const autoscaler = autoscalerOf(given);
  const serverlessService = serverlessServiceOf(given);
  const ageOf = (conditions: readonly Condition[] | undefined, type: string): number => wallAgeOf(conditionOf(conditions, type), NOW_MS);
  return {
    autoscaler,
    settings: { autoscaler: configOf(given.config), progressDeadlineMs: parseDurationMs(given.progressDeadline) ?? 0, clusterDomain: "cluster.local" },
    resolved: settingsOf(given, given.config),
    serverlessService,
    leftover: false,
    foreign: { serverlessService: given.sks?.notOwned === true, metric: false },
    deployment: given.deploymentReplicas === -1 ? undefined : { replicas: given.deploymentReplicas },
    pods: given.pods,
    decider: hasBackends ? given.deciderStatus : undefined,
    activatorAnswers: given.activatorProbe === "ok",
    ages: { active: ageOf(autoscaler.status?.conditions, "Active"), proxied: ageOf(serverlessService?.status?.conditions, "ActivatorEndpointsPopulated") },
    nowMs: { monotonic: 0, wall: NOW_MS },
  };
}

/** Conditions of the plan in the recorded form: an age of 0 when anything changed. */
function recordedConditions(wanted: readonly Condition[], before: RecordedIn["conditions"]): Readonly<Record<string, RecordedCondition>> {
  const entries = wanted.map(({ type, status, reason, message }): [string, RecordedCondition] => {
    const old = before[type];
    const same = old !== undefined && old.status === status && old.reason === reason && old.message === message;
    return [type, { status, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }), ageMs: same ? old.ageMs : 0 }];
  });
  return Object.fromEntries(entries);
}

type Plan = ReturnType<typeof planPodAutoscaler>;

function recordedSks(plan: Plan, given: RecordedIn): RecordedOut["sks"] {
  const child = plan.desired?.find(({ kind }) => kind.kind === "ServerlessService");
  const before = { mode: given.sks?.mode ?? "", numActivators: given.sks?.numActivators ?? 0 };
  if (child === undefined) return { action: "none", ...before };
  const { mode = "", numActivators = 0 } = (child.object as unknown as ServerlessService).spec;
  const current = serverlessServiceOf(given);
  if (current === undefined) return { action: "create", mode, numActivators };
  const merged = child.merge?.(current, child.object) as ServerlessService | undefined;
  if (merged === undefined || (mode === before.mode && numActivators === before.numActivators)) return { action: "none", ...before };
  return { action: "update", mode, numActivators };
}

function recordedMetric(plan: Plan): object {
  const child = plan.desired?.find(({ kind }) => kind.kind === "Metric");
  if (child === undefined) return {};
  const { panicWindow, scrapeTarget, stableWindow } = (child.object as unknown as Metric).spec;
  return { metric: { panicWindowMs: panicWindow / 1e6, scrapeTarget, stableWindowMs: stableWindow / 1e6 } };
}

/** A whole reconciliation in the recorded form. */
function reconciled(given: RecordedIn): object {
  const observed = observedOf(given);
  const plan = planPodAutoscaler(observed);
  const status = plan.status as NonNullable<PodAutoscaler["status"]>;
  const patch = plan.patches?.[0]?.body as undefined | readonly { readonly value: number }[];
  const scaled = observed.decider === undefined ? undefined : scaleOf(observed);
  return {
    backgroundProbes: scaled?.retry === undefined ? [] : [scaled.retry],
    conditions: recordedConditions(status.conditions ?? [], given.conditions),
    ...(plan.failure === undefined ? {} : { error: plan.failure }),
    ...recordedMetric(plan),
    patchedReplicas: patch?.[0]?.value ?? null,
    ...(scaled?.probed === true ? { probeTarget: `http://rev.ns.svc.cluster.local:${given.protocol === "h2c" ? 81 : 80}//healthz` } : {}),
    probes: scaled?.probed === true ? 1 : 0,
    // While the activator does not answer the key wakes at the retry's period; the recorded program probes beside.
    requeueMs: plan.wakeAtMs === undefined || scaled?.retry !== undefined ? [] : [plan.wakeAtMs],
    sks: recordedSks(plan, given),
    status: {
      actualScale: status.actualScale ?? null,
      desiredScale: status.desiredScale ?? null,
      metricsServiceName: status.metricsServiceName ?? "",
      serviceName: status.serviceName ?? "",
    },
  };
}

/** The scale step alone in the recorded form. */
function scaledAlone(given: RecordedIn): object {
  const scaled = scaleOf({ ...observedOf(given), decider: given.deciderStatus });
  const target = "rev-deployment";
  const why = `error fetching Pod Scalable ns/${target}: deployments.apps "${target}" not found`;
  return {
    backgroundProbes: scaled.retry === undefined ? [] : [scaled.retry],
    ...(scaled.deploymentMissing ? { error: `failed to get scale target {Deployment  ${target}  apps/v1  }: ${why}` } : {}),
    patchedReplicas: scaled.patch ?? null,
    ...(scaled.probed ? { probeTarget: `http://rev.ns.svc.cluster.local:${given.protocol === "h2c" ? 81 : 80}//healthz` } : {}),
    probes: scaled.probed ? 1 : 0,
    requeueMs: scaled.requeueMs === undefined ? [] : [scaled.requeueMs],
    want: scaled.want,
  };
}

export function* checkReconcile(given: {
  readonly name: string;
  readonly in: RecordedIn;
  readonly out: { readonly scale?: object; readonly reconcile: object };
}): Iterable<Checked> {
  yield compared(given.name, given.out.reconcile, reconciled(given.in));
  if (given.out.scale !== undefined) yield compared(`${given.name} scale`, given.out.scale, scaledAlone(given.in));
}

interface Step {
  readonly t: number;
  readonly cause: string;
  readonly in: RecordedIn;
  readonly want: number;
  readonly out: object;
}

export function* checkSequence({ name, steps }: { readonly name: string; readonly steps: readonly Step[] }): Iterable<Checked> {
  for (const { t, cause, in: given, want, out } of steps) {
    const at = `${name} t=${t} ${cause}`;
    yield compared(at, out, reconciled(given));
    yield compared(`${at} want`, want, scaleOf(observedOf(given)).want);
  }
}

type ActiveRow = readonly [
  before: Condition["status"],
  initialized: boolean,
  min: string,
  initialScale: string,
  hasServiceName: boolean,
  want: number,
  ready: number,
  threshold: number,
  after: Condition["status"],
  reason: string,
  message: string,
  initializedAfter: Condition["status"],
];

export function* checkActiveCondition(row: ActiveRow, name: string): Iterable<Checked> {
  const [before, initialized, min, initialScale, hasServiceName, want, ready, ...expected] = row;
  const scale = { min: Number(min), initialScale: Number(initialScale) };
  const conditions: Condition[] = [
    { type: "Active", status: before, ...(before === "False" ? { reason: "NoTraffic", message: "The target is not receiving traffic." } : {}) },
    { type: "ScaleTargetInitialized", status: initialized ? "True" : "Unknown" },
    { type: "SKSReady", status: "True" },
    { type: podAutoscalerConditions.happy, status: "Unknown" },
  ];
  const marked = markScale(conditions, { ...scale, want, ready, serviceName: hasServiceName ? "rev" : "" });
  const active = marked.find(({ type }) => type === "Active");
  const after = marked.find(({ type }) => type === "ScaleTargetInitialized");
  yield compared(name, expected, [minReadyOf(initialized, scale), active?.status, active?.reason ?? "", active?.message ?? "", after?.status]);
}

export function* checkNumActivators(row: readonly [number, number, number, number, number], name: string): Iterable<Checked> {
  const [ready, totalValue, targetBurstCapacity, activatorCapacity, want] = row;
  yield compared(name, want, numActivatorsFor(ready, { totalValue, targetBurstCapacity, activatorCapacity }));
}
