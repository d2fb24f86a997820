// Knative's broker over its in-memory channel, from programs that variables name: ingress, dispatcher and filter, as its controllers would
// have told them to work. What its controllers write is written here.
import type { Client } from "#client";
import { Broker, EventType, InMemoryChannel, Secret, ServiceAccount, Subscription, Trigger, CoreService } from "#kinds";
import { defineKind, s, type Draft } from "#schema";
import { eventually, NAMESPACE, Subscriber, type EventsContender, type EventsGround, type Peer, type Place } from "./events-contenders.ts";
import { freePort, start, stopped, taken } from "./gateway-contenders.ts";
import { knativeApi, type KnativeApi } from "./knative-api.ts";

const VARIABLES = { ingress: "KNATIVE_BROKER_INGRESS", filter: "KNATIVE_BROKER_FILTER", dispatcher: "KNATIVE_IMC_DISPATCHER" } as const;
const SYSTEM = "knative-eventing";
/** The dispatcher has no setting for them. */
const DISPATCHER_PORT = 8080;
const DISPATCHER_PORTS: readonly number[] = [DISPATCHER_PORT, 8443];
const CONFIGS = {
  "config-features": {},
  "config-observability": {},
  "config-logging": { "zap-logger-config": JSON.stringify({ level: "error", encoding: "json", outputPaths: ["stderr"], errorOutputPaths: ["stderr"] }) },
  "config-leader-election": {},
};

/** Its programs follow it, and there is none. */
const EventPolicy = defineKind({
  group: "eventing.knative.dev",
  version: "v1alpha1",
  kind: "EventPolicy",
  plural: "eventpolicies",
  columns: [],
  spec: s.anything(),
  status: s.anything(),
});

interface Ports {
  readonly ingress: number;
  readonly filter: number;
}

const ready = (...types: readonly string[]) => ({
  observedGeneration: 1,
  conditions: ["Ready", ...types].map((type) => ({ type, status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" })),
});

/** One Broker with its channel, and a Trigger whose subscription leads through the filter. */
async function objectsOf(client: Client, name: Place, { ports, sink }: { readonly ports: Ports; readonly sink: number }): Promise<void> {
  const channel = `${name}-kne-trigger`;
  const address = { url: `http://127.0.0.1:${DISPATCHER_PORT}/${NAMESPACE}/${channel}` };
  const broker = await client.create(Broker, {
    apiVersion: "eventing.knative.dev/v1",
    kind: "Broker",
    metadata: { name, namespace: NAMESPACE, annotations: { "eventing.knative.dev/broker.class": "MTChannelBasedBroker" } },
    spec: {},
  } as unknown as Draft<Broker>);
  const status = {
    ...ready(),
    address: { url: `http://127.0.0.1:${ports.ingress}/${NAMESPACE}/${name}` },
    annotations: { "knative.dev/channelAddress": address.url },
  };
  await client.updateStatus(Broker, { ...broker, status } as unknown as Broker);
  const subscribers: object[] = [];
  if (name === "delivered") {
    const subscriber = `http://127.0.0.1:${sink}/`;
    const trigger = await client.create(Trigger, {
      apiVersion: "eventing.knative.dev/v1",
      kind: "Trigger",
      metadata: { name, namespace: NAMESPACE },
      spec: { broker: name, subscriber: { uri: subscriber } },
    } as unknown as Draft<Trigger>);
    await client.updateStatus(Trigger, { ...trigger, status: { ...ready(), subscriberUri: subscriber } } as unknown as Trigger);
    const at = `http://127.0.0.1:${ports.filter}/triggers/${NAMESPACE}/${name}/${trigger.metadata.uid}`;
    subscribers.push({
      uid: trigger.metadata.uid,
      generation: 1,
      subscriberUri: at,
      replyUri: `http://127.0.0.1:${ports.filter}/triggers/${NAMESPACE}/${name}/${trigger.metadata.uid}/reply`,
    });
  }
  const made = await client.create(InMemoryChannel, {
    apiVersion: "messaging.knative.dev/v1",
    kind: "InMemoryChannel",
    metadata: { name: channel, namespace: NAMESPACE, annotations: { "eventing.knative.dev/scope": "cluster" } },
    spec: { subscribers },
  } as unknown as Draft<InMemoryChannel>);
  const conditions = ready(
    "DispatcherReady",
    "ServiceReady",
    "EndpointsReady",
    "Addressable",
    "ChannelServiceReady",
    "DeadLetterSinkResolved",
    "EventPoliciesReady",
  );
  await client.updateStatus(InMemoryChannel, { ...made, status: { ...conditions, address } } as unknown as InMemoryChannel);
}

/** Why not, when a program is not named or cannot run here. */
export async function knative(ground: EventsGround): Promise<Peer | string> {
  const programs = Object.entries(VARIABLES).map(([role, variable]) => ({ role: role as keyof typeof VARIABLES, variable, path: process.env[variable] }));
  const missing = programs.filter(({ path }) => path === undefined);
  if (missing.length > 0) return `${missing.map(({ variable }) => variable).join(", ")} not set`;
  const inTheWay = taken(DISPATCHER_PORTS);
  if (inTheWay !== undefined) return inTheWay;
  await using ends = new AsyncDisposableStack();
  const subscriber = await Subscriber.start(ground, { over: "http" });
  ends.defer(() => subscriber.stop());
  const api: KnativeApi = await knativeApi(ground.folder, {
    kinds: [Secret, ServiceAccount, CoreService, Broker, Trigger, EventType, EventPolicy, InMemoryChannel, Subscription],
    systemNamespace: SYSTEM,
    configs: CONFIGS,
  });
  ends.defer(() => api.close());
  const ports: Ports = { ingress: await freePort(), filter: await freePort() };
  for (const place of ["kept", "delivered"] satisfies Place[]) await objectsOf(api.client, place, { ports, sink: subscriber.port });
  const common = {
    KUBECONFIG: api.kubeconfig,
    SYSTEM_NAMESPACE: SYSTEM,
    POD_NAME: "bench",
    CONTAINER_NAME: "bench",
    METRICS_DOMAIN: "bench",
    CONFIG_LOGGING_NAME: "config-logging",
    CONFIG_OBSERVABILITY_NAME: "config-observability",
    CONFIG_LEADERELECTION_NAME: "config-leader-election",
  };
  const own: Readonly<Record<keyof typeof VARIABLES, Readonly<Record<string, string>>>> = {
    ingress: { INGRESS_PORT: String(ports.ingress), INGRESS_PORT_HTTPS: String(await freePort()) },
    // Without it, it would follow all namespaces, too.
    filter: { NAMESPACE: SYSTEM, FILTER_PORT: String(ports.filter), FILTER_PORT_HTTPS: String(await freePort()) },
    dispatcher: { MAX_IDLE_CONNS: "1000", MAX_IDLE_CONNS_PER_HOST: "1000" },
  };
  const children = programs.map(({ role, path = "" }) =>
    start(ground, [...ground.pin, path], { env: { ...common, ...own[role] }, log: `knative-${role}.log` }),
  );
  for (const child of children) ends.defer(() => stopped(child));
  const wayTo: EventsContender["wayTo"] = (place) => ({
    over: "http",
    port: ports.ingress,
    host: "broker-ingress.knative-eventing.svc.cluster.local",
    path: `/${NAMESPACE}/${place}`,
    batch: 1,
  });
  await eventually("Knative's broker takes an event", async () => {
    const headers = { "ce-specversion": "1.0", "ce-id": "first", "ce-source": "/bench", "ce-type": "first", "content-type": "application/json" };
    const answers = await Promise.all(
      (["kept", "delivered"] as const).map((place) =>
        fetch(`http://127.0.0.1:${ports.ingress}/${NAMESPACE}/${place}`, { method: "POST", headers, body: "{}" }),
      ),
    );
    return answers.every(({ status }) => status === 202) ? true : undefined;
  });
  // That event stays uncounted.
  await subscriber.received(1, AbortSignal.timeout(10_000));
  const running = ends.move();
  return {
    name: "knative",
    version: "as named",
    notes: ["knative keeps nothing on the disk, and answers a producer once its subscribers have answered"],
    pids: () => children.map(({ pid = 0 }) => pid),
    wayTo,
    subscriber,
    stop: () => running.disposeAsync(),
  };
}
