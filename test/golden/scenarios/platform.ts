// The whole control plane in one process on a simulated clock, with the simulators of the recordings beside it.
import { createApiServer, type Credentials } from "#apiserver";
import { Deciders } from "#autoscaler";
import { createClient, createInformerSet, type Client, type InformerSet } from "#client";
import { SeededRng, silentLogger, SimClock } from "#core";
import { followEventingSettings, followSettings, type EventingSettings, type Settings } from "#controllers";
import { ConfigMap, Namespace } from "#kinds";
import type { Draft, Kind, UserInfo } from "#schema";
import { MemoryStore } from "#store";
import { ensureBootstrapObjects } from "../../../src/main/bootstrap-objects.ts";
import { runControllers } from "../../../src/main/controllers.ts";
import { servedKinds } from "../../../src/main/served-kinds.ts";
import { tryPod } from "../../../src/main/try-pod.ts";
import { BASE_CONFIG, flowOfTime, reportNoLoad, startSimulators, STEP_MS, type Harness } from "./harness.ts";
import { Ledger } from "./ledger.ts";
import { simulatedRegistry } from "./simulators.ts";
import { disturbed, wireHttps, wireInProcess, type Wiring, type WiringName } from "./wiring.ts";

/** As the recordings name the user. */
const ADMIN = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };
const CONTROLLER_TOKEN = "controller";
const CONTROLLER = { name: "system:serviceaccount:knative-serving:controller", groups: ["system:masters", "system:authenticated"] };

async function configure(client: Client): Promise<void> {
  const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node-1" }, spec: {}, status: {} };
  await ensureBootstrapObjects(client, { domain: "example.com", version: "0", node: node as never });
  for (const [name, data] of Object.entries(BASE_CONFIG)) {
    const map = await client.get(ConfigMap, "knative-serving", name);
    await client.update(ConfigMap, { ...map, data: { ...(name === "config-domain" ? {} : map.data), ...data } } as Draft<ConfigMap>);
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
  const late: { informers?: InformerSet; settings?: Settings; eventingSettings?: EventingSettings } = {};
  const kinds = servedKinds({
    settings: () => must(late.settings).current(),
    eventingSettings: () => must(late.eventingSettings).current(),
    rng,
    clock,
    signal,
    informers: () => must(late.informers),
    client: () => client,
    nodeName: "node-1",
    tryPod: (pod) => tryPod(transport, pod),
    subresources: { pods: {}, services: {}, nodes: {} },
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
  Object.assign(late, { informers, settings, eventingSettings: followEventingSettings({ informers, logger }) });
  return { server, store, ledger, arrived, transport, client, informers, settings, rng, logger, kinds: kinds.map(({ kind }) => kind) };
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the harness is not wired yet");
  return value;
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

/** A harness whose clock can be set and stopped, and whose gateway can tell of load. */
export interface SimulatedHarness extends Harness {
  readonly clock: SimClock;
  readonly deciders: Deciders;
}

/** Boots with the recordings' base configuration and an empty namespace. */
export async function bootHarness(namespace: string, harnessOptions: HarnessOptions = {}): Promise<SimulatedHarness> {
  const clock = new SimClock();
  const ending = new AbortController();
  const { signal } = ending;
  const booted = bootServer(namespace, clock, signal);
  const { server, store, ledger, client: userClient, rng, logger, kinds } = booted;
  await configure(userClient);
  const wiring = await wire(booted, clock, harnessOptions);
  const { client, informers, settings } = controllerSide(booted, wiring, clock);
  const time = flowOfTime({ clock, ledger, quiet: wiring.quiet });
  const deciders = new Deciders({ clock });
  const fixed = {
    workloads: true,
    resolveDigest: simulatedRegistry,
    ingressState: () => ({ isInForce: false }),
    activators: () => ["127.0.0.1"],
    publicPort: undefined,
    rootCa: "ca",
  };
  const controllers = runControllers({ client, informers, settings, transport: wiring.transport, kinds, rng, logger, ...fixed, deciders, clock }, signal);
  void deciders.run({ signal });
  void reportNoLoad(deciders, clock, signal);
  const simulate = startSimulators({ client: userClient, informers: booted.informers, clock, signal });
  const informing = Promise.all([informers.run(signal), booted.informers === informers ? undefined : booted.informers.run(signal)]);
  await time.advance(STEP_MS);
  await userClient.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } } as Draft<Namespace>);

  return {
    server,
    ledger,
    arrived: booted.arrived,
    simulate,
    clock,
    deciders,
    ...time,
    async close() {
      ending.abort();
      await Promise.allSettled([controllers.done, informing]);
      await wiring.close();
      await store.close();
    },
  };
}
