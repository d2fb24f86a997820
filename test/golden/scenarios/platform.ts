// The whole control plane in one process on a simulated clock, with the simulators of the recordings beside it.
import { createApiServer, type ApiServer, type Credentials } from "#apiserver";
import { Deciders } from "#autoscaler";
import { createClient, createInformerSet, type Client, type InformerSet } from "#client";
import { SeededRng, silentLogger, SimClock } from "#core";
import { followSettings, type Settings } from "#controllers";
import { ConfigMap, Ingress, Namespace, Pod } from "#kinds";
import type { Draft, Kind, KubeObject, UserInfo } from "#schema";
import { MemoryStore } from "#store";
import { ensureBootstrapObjects } from "../../../src/main/bootstrap-objects.ts";
import { runControllers } from "../../../src/main/controllers.ts";
import { servedKinds, tryPod } from "../../../src/main/served-kinds.ts";
import { Ledger } from "./ledger.ts";
import { Kubelet, simulatedRegistry, simulateGateway, type Behaviour } from "./simulators.ts";
import { disturbed, wireHttps, wireInProcess, type Wiring, type WiringName } from "./wiring.ts";

/** As the recordings name the user. */
const ADMIN = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };
const CONTROLLER_TOKEN = "controller";
const CONTROLLER = { name: "system:serviceaccount:knative-serving:controller", groups: ["system:masters", "system:authenticated"] };

const STEP_MS = 50;
const QUIET_MS = 2600;
const SETTLE_MAX_MS = 9000;
const WAIT_MAX_MS = 120_000;

/** What `runScenario` needs: a server to ask, a clock to move, and simulators to tell. */
export interface Harness {
  readonly server: ApiServer;
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

const BASE_CONFIG: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "config-network": { "ingress-class": "kourier.ingress.networking.knative.dev" },
  "config-domain": { "example.com": "" },
  "config-deployment": { "queue-sidecar-image": "registry.example/knative/queue:v1.23.0" },
};

async function configure(client: Client): Promise<void> {
  const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node-1" }, spec: {}, status: {} };
  await ensureBootstrapObjects(client, { domain: "example.com", version: "0", node: node as never });
  for (const [name, data] of Object.entries(BASE_CONFIG)) {
    const map = await client.get(ConfigMap, "knative-serving", name);
    await client.update(ConfigMap, { ...map, data: { ...(name === "config-domain" ? {} : map.data), ...data } } as Draft<ConfigMap>);
  }
}

/** One gateway that never has a request. */
async function reportNoLoad(deciders: Deciders, clock: SimClock, signal: AbortSignal): Promise<void> {
  deciders.receive({ type: "listening", thread: 0 });
  while (!signal.aborted) {
    await clock.sleep(1000, signal).catch(() => {});
    if (!signal.aborted) deciders.receive({ type: "load", thread: 0, epoch: 0, periodMs: 1000, backends: [] });
  }
}

/** The API server over an empty store, and what reads it; `ledger` has seen everything from the start. */
function bootServer(namespace: string, clock: SimClock, signal: AbortSignal) {
  const rng = new SeededRng(7);
  const logger = silentLogger;
  const store = new MemoryStore({ clock });
  const ledger = new Ledger(namespace);
  store.watch({ prefix: "", after: store.revision, visibility: "immediate", onEvents: (events) => ledger.record(events) });
  const arrived = { fromControllers: 0 };
  const authenticate = ({ headers }: Credentials): UserInfo => {
    if (headers["authorization"] !== `Bearer ${CONTROLLER_TOKEN}`) return ADMIN;
    arrived.fromControllers++;
    return CONTROLLER;
  };
  const late: { informers?: InformerSet; settings?: Settings } = {};
  const kinds = servedKinds({
    settings: () => must(late.settings).current(),
    rng,
    clock,
    signal,
    informers: () => must(late.informers),
    client: () => client,
    nodeName: "node-1",
    tryPod: (pod) => tryPod(transport, pod),
    podSubresources: { log: { verbs: ["get"], handle: () => Promise.resolve({ status: 200, headers: {}, body: "" }) } },
  });
  const namespaceKind = Namespace as unknown as Kind;
  const server = createApiServer({
    kinds,
    namespaceKind,
    store,
    clock,
    rng,
    logger,
    version: "v1.34.4",
    authenticate,
    authorize: () => undefined,
  });
  const transport = server.transportFor(CONTROLLER);
  const client = createClient(transport);
  const informers = createInformerSet({ client, clock, rng, logger });
  const settings = followSettings({ informers, logger });
  Object.assign(late, { informers, settings });
  return { server, store, ledger, arrived, transport, client, informers, settings, rng, logger, kinds: kinds.map(({ kind }) => kind) };
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the harness is not wired yet");
  return value;
}

/** Kubelet and gateway on top of the informers; what they do can be changed for a namespace. */
function startSimulators(its: { readonly client: Client; readonly informers: InformerSet; readonly clock: SimClock; readonly signal: AbortSignal }) {
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

export interface HarnessOptions {
  /** Between controllers and server; by default in this process. */
  readonly wiring?: WiringName;
  /** Keeps the certificates of HTTPS from one harness to the next: a folder. */
  readonly pki?: string;
  /** Watches come late and updates meet conflicts, by chance from this seed. */
  readonly disturbedBy?: number;
}

type Booted = ReturnType<typeof bootServer>;

function wire({ server, transport, ledger: { latest } }: Booted, clock: SimClock, { wiring, pki, disturbedBy }: HarnessOptions): Promise<Wiring> {
  if (wiring === "https") return wireHttps(server, { token: CONTROLLER_TOKEN, clock, latest, pki });
  return Promise.resolve(wireInProcess(disturbedBy === undefined ? transport : disturbed(transport, { rng: new SeededRng(disturbedBy), clock })));
}

/** What controllers see of the server; in this process they share it with the server's admission. */
function controllerSide(booted: Booted, { transport }: Wiring, clock: SimClock): Pick<Booted, "client" | "informers" | "settings"> {
  if (transport === booted.transport) return booted;
  const { rng, logger } = booted;
  const client = createClient(transport);
  const informers = createInformerSet({ client, clock, rng, logger });
  return { client, informers, settings: followSettings({ informers, logger }) };
}

/** Boots with the recordings' base configuration and an empty namespace. */
export async function bootHarness(namespace: string, harnessOptions: HarnessOptions = {}): Promise<Harness> {
  const clock = new SimClock();
  const ending = new AbortController();
  const { signal } = ending;
  const booted = bootServer(namespace, clock, signal);
  const { server, store, ledger, client: userClient, rng, logger, kinds } = booted;
  await configure(userClient);
  const wiring = await wire(booted, clock, harnessOptions);
  const { client, informers, settings } = controllerSide(booted, wiring, clock);
  const advance = async (ms: number): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs -= STEP_MS) {
      await clock.advance(Math.min(leftMs, STEP_MS));
      await wiring.quiet();
    }
  };
  const deciders = new Deciders({ clock });
  const fixed = { resolveDigest: simulatedRegistry, routesInForce: () => false, publicPort: undefined, rootCa: "ca" };
  const controllers = runControllers({ client, informers, settings, transport: wiring.transport, kinds, rng, logger, ...fixed, deciders, clock }, signal);
  void deciders.run({ signal });
  void reportNoLoad(deciders, clock, signal);
  const simulate = startSimulators({ client: userClient, informers: booted.informers, clock, signal });
  const informing = Promise.all([informers.run(signal), booted.informers === informers ? undefined : booted.informers.run(signal)]);
  await advance(STEP_MS);
  await userClient.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } } as Draft<Namespace>);

  return {
    server,
    ledger,
    arrived: booted.arrived,
    simulate,
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
    async close() {
      ending.abort();
      await Promise.allSettled([controllers.done, informing]);
      await wiring.close();
      await store.close();
    },
  };
}
