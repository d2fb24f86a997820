// What a scenario runs on: a server to ask, a clock to move, a ledger of what happened, and the simulators of the recordings.
import type { ApiServer } from "#apiserver";
import type { Deciders } from "#autoscaler";
import type { Client, InformerSet } from "#client";
import type { Clock, SimClock } from "#core";
import { Ingress, Pod } from "#kinds";
import type { Kind, KubeObject } from "#schema";
import type { Ledger } from "./ledger.ts";
import { Kubelet, simulateGateway, type Behaviour } from "./simulators.ts";

export const STEP_MS = 50;
const QUIET_MS = 2600;
const SETTLE_MAX_MS = 9000;
const WAIT_MAX_MS = 120_000;

/** What `runScenario` needs: a server to ask, a clock to move, and simulators to tell. */
export interface Harness {
  readonly server: Pick<ApiServer, "handle" | "listen">;
  readonly ledger: Ledger;
  /** Requests of controllers that came over the network. */
  readonly arrived: { readonly fromControllers: number };
  /** Moves the clock until nothing has changed for a while. */
  settle(): Promise<void>;
  /** Moves the clock until `holds`, at most two minutes. */
  waitFor(holds: () => boolean): Promise<void>;
  advance(ms: number): Promise<void>;
  simulate(namespace: string, set: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

/** What the recordings set beside Knative's shipped settings. */
export const BASE_CONFIG: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "config-network": { "ingress-class": "kourier.ingress.networking.knative.dev" },
  "config-domain": { "example.com": "" },
  "config-deployment": { "queue-sidecar-image": "registry.example/knative/queue:v1.23.0" },
};

/** One gateway that never has a request. */
export async function reportNoLoad(deciders: Deciders, clock: Clock, signal: AbortSignal): Promise<void> {
  deciders.receive({ type: "listening", thread: 0, epoch: 0 });
  while (!signal.aborted) {
    await clock.sleep(1000, signal).catch(() => {});
    if (!signal.aborted) deciders.receive({ type: "load", thread: 0, epoch: 0, atMs: clock.monotonicMs(), periodMs: 1000, backends: [] });
  }
}

/** Kubelet and gateway on top of the informers; what they do can be changed for a namespace. */
export function startSimulators(its: { readonly client: Client; readonly informers: InformerSet; readonly clock: SimClock; readonly signal: AbortSignal }) {
  const { client, informers, clock, signal } = its;
  const behaviours = new Map<string, Behaviour>();
  const behaviourFor = (of: string): Behaviour => {
    const known = behaviours.get(of) ?? { ingress: "ready", pods: undefined };
    behaviours.set(of, known);
    return known;
  };
  const kubelet = new Kubelet({ client, clock, behaviourFor });
  const gateway = (ingress: Ingress): Promise<void> => simulateGateway(client, ingress, { behaviour: behaviourFor(ingress.metadata.namespace ?? ""), clock });
  const watch = <O extends KubeObject>(kind: Kind<O>, seen: (object: O) => Promise<void>): void => {
    informers
      .of(kind, `simulator ${kind.kind}`, (object) => ({ object }))
      .onChange(({ after }) => {
        if (after !== undefined) void seen(after.object);
      });
  };
  watch(Pod, (pod) => kubelet.observe(pod, signal));
  watch(Ingress, gateway);
  return async (of: string, set: Readonly<Record<string, string>>): Promise<void> => {
    const behaviour = behaviourFor(of);
    if (set["ingress"] !== undefined) behaviour.ingress = set["ingress"] as Behaviour["ingress"];
    if (set["pods"] !== undefined) behaviour.pods = set["pods"];
    for (const ingress of (await client.list(Ingress, { namespace: of })).items) await gateway(ingress);
    for (const pod of (await client.list(Pod, { namespace: of })).items) void kubelet.observe(pod, signal);
  };
}

/** How time passes: in small steps, each until nothing is on its way. */
export function flowOfTime(its: {
  readonly clock: SimClock;
  readonly ledger: Ledger;
  readonly quiet: () => Promise<void>;
}): Pick<Harness, "advance" | "settle" | "waitFor"> {
  const { clock, ledger, quiet } = its;
  const advance = async (ms: number): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs -= STEP_MS) {
      await clock.advance(Math.min(leftMs, STEP_MS));
      await quiet();
    }
  };
  return {
    advance,
    async settle() {
      let quietMs = 0;
      for (let passedMs = 0; passedMs < SETTLE_MAX_MS && quietMs < QUIET_MS; passedMs += STEP_MS) {
        const before = ledger.changes;
        await advance(STEP_MS);
        quietMs = ledger.changes === before ? quietMs + STEP_MS : 0;
      }
    },
    async waitFor(holds) {
      for (let passedMs = 0; passedMs < WAIT_MAX_MS && !holds(); passedMs += STEP_MS) await advance(STEP_MS);
    },
  };
}
