// What the recordings simulated: the kubelet of one node, a Kourier gateway and a registry (golden/serving/README.md).
import type { Client } from "#client";
import { rfc3339, type Clock } from "#core";
import { annotationOf, Ingress, networking, Pod, type CoreContainerStatus } from "#kinds";
import type { ResolveDigest } from "#controllers";
import { isReason } from "#core";
import type { Condition } from "#schema";

/** Per namespace; `op: sim` sets it. */
export interface Behaviour {
  ingress: "ready" | "pending" | "failed";
  /** Replaces what the image names say. */
  pods: string | undefined;
}

const KOURIER = "kourier.ingress.networking.knative.dev";
const BACK_OFF_MS = 1500;
const MESSAGE = "boom from the user container";

function behaviourOf(pod: Pod, behaviour: Behaviour): string {
  if (behaviour.pods !== undefined) return behaviour.pods;
  return /^dev\.local\/(pull-fail|crash-\d+|oom|config-error|unready)/.exec(pod.spec.containers[0]?.image ?? "")?.[1] ?? "ok";
}

type Told = Pick<CoreContainerStatus, "ready"> & Partial<CoreContainerStatus>;

/** Status of the first container: at first, and after a while. */
function told(what: string, image: string, startedAt: string): readonly [Told] | readonly [Told, Told] {
  const running = { running: { startedAt } };
  const [, code] = /^crash-(\d+)$/.exec(what) ?? [];
  if (code !== undefined || what === "oom") {
    const terminated =
      code === undefined
        ? { exitCode: 137, reason: "OOMKilled" }
        : { exitCode: Number(code), reason: Number(code) === 0 ? "Completed" : "Error", message: MESSAGE };
    const waiting = { reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container" };
    return [
      { ready: false, state: { terminated } },
      { ready: false, restartCount: 1, state: { waiting }, lastState: { terminated } },
    ];
  }
  if (what === "pull-fail") {
    const waiting = (reason: string, message: string): Told => ({ ready: false, state: { waiting: { reason, message } } });
    return [waiting("ErrImagePull", "failed to pull image: not found"), waiting("ImagePullBackOff", `Back-off pulling image ${JSON.stringify(image)}`)];
  }
  if (what === "config-error") return [{ ready: false, state: { waiting: { reason: "CreateContainerConfigError", message: 'secret "missing" not found' } } }];
  return [{ ready: what !== "unready", state: running }];
}

function statusFor(pod: Pod, first: Told, its: { readonly podIP: string; readonly now: string }): Pod["status"] {
  const statuses = pod.spec.containers.map((container, index): CoreContainerStatus => {
    const mine: Told = index === 0 ? first : { ready: true, state: { running: { startedAt: its.now } } };
    return { name: container.name, image: container.image ?? "", imageID: "", restartCount: 0, started: mine.ready, ...mine };
  });
  const isReady = statuses.every(({ ready }) => ready);
  const mark = (type: string, status: boolean): { type: string; status: string; lastTransitionTime: string } => ({
    type,
    status: status ? "True" : "False",
    lastTransitionTime: its.now,
  });
  const isRunning = first.state?.running !== undefined || first.state?.terminated !== undefined || first.lastState !== undefined;
  return {
    phase: isRunning ? "Running" : "Pending",
    podIP: its.podIP,
    podIPs: [{ ip: its.podIP }],
    hostIP: "10.0.0.1",
    startTime: its.now,
    conditions: [mark("PodScheduled", true), mark("Initialized", true), mark("ContainersReady", isReady), mark("Ready", isReady)],
    containerStatuses: statuses,
  };
}

/** Lets pods start as their images say, and removes them when they are deleted. */
export class Kubelet {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #behaviourFor: (namespace: string) => Behaviour;
  readonly #seen = new Map<string, { readonly what: string; readonly ip: string }>();
  #addresses = 0;

  constructor(options: { readonly client: Client; readonly clock: Clock; readonly behaviourFor: (namespace: string) => Behaviour }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#behaviourFor = options.behaviourFor;
  }

  async observe(pod: Pod, signal: AbortSignal): Promise<void> {
    const { name, namespace = "", uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      await this.#client.delete(Pod, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } }).catch(() => {});
      return;
    }
    const what = behaviourOf(pod, this.#behaviourFor(namespace));
    const before = this.#seen.get(uid);
    if (before?.what === what) return;
    const ip = before?.ip ?? `10.244.0.${++this.#addresses}`;
    this.#seen.set(uid, { what, ip });
    const [first, later] = told(what, pod.spec.containers[0]?.image ?? "", rfc3339(this.#clock.wallMs()));
    await this.#write(pod, first, ip);
    if (later === undefined) return;
    await this.#clock.sleep(BACK_OFF_MS, signal).catch(() => {});
    if (this.#seen.get(uid)?.what === what && !signal.aborted) await this.#write(pod, later, ip);
  }

  async #write({ metadata }: Pod, first: Told, podIP: string): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const pod = await this.#client.find(Pod, metadata.namespace ?? "", metadata.name);
      if (pod === undefined || pod.metadata.uid !== metadata.uid || pod.metadata.deletionTimestamp !== undefined) return;
      const status = statusFor(pod, first, { podIP, now: rfc3339(this.#clock.wallMs()) });
      try {
        await this.#client.updateStatus(Pod, { ...pod, status: status ?? {} });
        return;
      } catch (error) {
        if (!isReason(error, "Conflict")) return;
      }
    }
  }
}

type Mark = Pick<Condition, "status" | "reason" | "message">;

const WAITING: Mark = { status: "Unknown", reason: "Uninitialized", message: "Waiting for load balancer to be ready" };
const FAILED: Mark = { status: "False", reason: "ReconcileIngressFailed", message: "Ingress reconciliation failed" };
const TRUE: Mark = { status: "True" };
const INGRESS_STATES: Readonly<Record<Behaviour["ingress"], Readonly<Record<"LoadBalancerReady" | "NetworkConfigured" | "Ready", Mark>>>> = {
  ready: { LoadBalancerReady: TRUE, NetworkConfigured: TRUE, Ready: TRUE },
  pending: { LoadBalancerReady: WAITING, NetworkConfigured: TRUE, Ready: WAITING },
  failed: { LoadBalancerReady: { status: "Unknown" }, NetworkConfigured: FAILED, Ready: FAILED },
};

/** Sets the status that a Kourier gateway would set. */
export async function simulateGateway(client: Client, ingress: Ingress, its: { readonly behaviour: Behaviour; readonly clock: Clock }): Promise<void> {
  const named = annotationOf(ingress.metadata.annotations, networking.ingressClass);
  if (ingress.metadata.deletionTimestamp !== undefined || (named !== KOURIER && named !== "other.ingress.example")) return;
  const lastTransitionTime = rfc3339(its.clock.wallMs());
  const conditions = Object.entries(INGRESS_STATES[its.behaviour.ingress]).map(([type, mark]): Condition => ({ type, ...mark, lastTransitionTime }));
  const balancer = (name: string): object => ({ ingress: [{ domainInternal: `${name}.kourier-system.svc.cluster.local` }] });
  const wanted = {
    observedGeneration: ingress.metadata.generation,
    conditions,
    ...(its.behaviour.ingress !== "ready" ? {} : { publicLoadBalancer: balancer("kourier"), privateLoadBalancer: balancer("kourier-internal") }),
  };
  const said = (of: unknown): string => JSON.stringify(of).replace(/"lastTransitionTime":"[^"]*"/g, "");
  if (said(ingress.status ?? {}) === said(wanted)) return;
  await client.updateStatus(Ingress, { ...ingress, status: wanted } as Ingress).catch(() => {});
}

/** The registries of the recordings. */
export const simulatedRegistry: ResolveDigest = async ({ image }) => {
  const [, repository = "", tag = "latest"] = /^registry\.local:5000\/([^:]+)(?::(.+))?$/.exec(image) ?? [];
  const head = `HEAD http://registry.local:5000/v2/${repository}/manifests/${tag}: unexpected status code`;
  const hint = "(HEAD responses have no body, use GET for details)";
  if (repository === "") return { error: `Get "https://${image.split("/")[0]}/v2/": dial tcp 10.96.200.1:443: connect: network is unreachable` };
  if (repository.startsWith("private/")) return { error: `${head} 401 Unauthorized ${hint}` };
  if (repository !== "hello" && repository !== "app") return { error: `${head} 404 Not Found ${hint}` };
  return { digest: `sha256:${(tag === "v2" ? "2" : "1").repeat(64)}` };
};
