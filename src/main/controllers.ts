// All controllers, wired by hand: what each needs and who wakes it.
import type { Deciders } from "#autoscaler";
import { createClient, keyFrom, type Client, type InformerSet, type Transport } from "#client";
import type { Clock, Logger, MarksShelf, Rng } from "#core";
import {
  apiServerSourceController,
  ApiWatches,
  brokerController,
  channelController,
  configurationController,
  containerSourceController,
  createGarbageCollector,
  deploymentController,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  eventTypeController,
  horizontalPodAutoscalerController,
  hpaClassController,
  ingressController,
  inMemoryChannelController,
  labelerController,
  metricController,
  namespaceController,
  parallelController,
  persistentVolumeClaimController,
  persistentVolumeController,
  pingSourceController,
  podAutoscalerController,
  replicaSetController,
  revisionController,
  routeController,
  SeenEvents,
  sequenceController,
  serverlessServiceController,
  serviceAccountController,
  namespaceSugarController,
  serviceController,
  sinkBindingController,
  sourceTypesController,
  subscriptionController,
  triggerController,
  triggerSugarController,
  type BrokerControllerDeps,
  type ClaimFolders,
  type Definitions,
  type InMemoryChannelControllerDeps,
  type IngressStanding,
  type MayAccount,
  type PingSourceControllerDeps,
  type PodAutoscalerSettings,
  type ResolveDigest,
  type SeenEvent,
  type SendChange,
  type Settings,
  type ToldMark,
  type TriggerControllerDeps,
} from "#controllers";
import { CLUSTER_DOMAIN, Event, type Ingress, type KReference, type SugarConfig } from "#kinds";
import { createEventRecorder, RightOfWay, runController, type Controller, type ControllerRun } from "#reconcile";
import { apiVersionOf, type Kind, type KubeObject, type ObjectKey } from "#schema";
import { WORKLOADS } from "./sink-bindings.ts";

export interface ControllersOptions {
  /** Also the controllers that a cluster has in its kube-controller-manager: Deployments, endpoints, namespaces, garbage. */
  readonly workloads: boolean;
  readonly client: Client;
  readonly transport: Transport;
  readonly informers: InformerSet;
  readonly kinds: readonly Kind[];
  /** Users' kinds, which come and go. */
  readonly coming?: Pick<Definitions, "kinds" | "onChange">;
  readonly settings: Settings;
  readonly deciders: Deciders;
  readonly resolveDigest: ResolveDigest;
  readonly ingressState: (ingress: Ingress) => IngressStanding;
  /** Addresses of what holds requests for revisions at zero: our gateway, or a cluster's activators. */
  readonly activators: () => readonly string[];
  /** Where our gateway serves requests for revisions by name; undefined where activators do. */
  readonly gatewayPort?: number;
  /** The port that URLs show; undefined when it is the scheme's own. */
  readonly publicPort: number | undefined;
  readonly rootCa: string;
  /** Of claims of storage, and the node that they are on; undefined where a cluster has its own provisioners. */
  readonly storage?: { readonly folders: ClaimFolders; readonly nodeName: string };
  /** What the events thread serves; undefined where there is none. */
  readonly events?: {
    readonly broker: BrokerControllerDeps["standing"];
    readonly trigger: TriggerControllerDeps["standing"];
    readonly ping: PingSourceControllerDeps["standing"];
    readonly sendChange: SendChange;
    /** What ApiServerSources have told, over restarts. */
    readonly toldMarks: MarksShelf<ToldMark>;
    /** What ServiceAccounts may do. */
    readonly mayAccount: MayAccount;
    /** Which Brokers come by themselves. */
    readonly sugar: { current(): SugarConfig; onChange(listener: () => void): void };
    readonly channel: InMemoryChannelControllerDeps["standing"];
    readonly outerUrl: BrokerControllerDeps["outerUrl"];
    readonly crossesNamespaces: TriggerControllerDeps["crossesNamespaces"];
  };
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

/** Objects that are in force in the events thread now, or are not any more. */
export interface EventingNews {
  readonly brokers?: readonly ObjectKey[];
  readonly triggers?: readonly ObjectKey[];
  readonly channels?: readonly ObjectKey[];
  readonly pings?: readonly ObjectKey[];
}

export interface RunningControllers {
  readonly done: Promise<unknown>;
  /** An Ingress that may be in force now. */
  requeueIngress(key: ObjectKey): void;
  /** What is in force now, or whose events thread is gone. */
  requeueEventing(news: EventingNews): void;
  /** Of events that came by. */
  makeEventTypes(seen: readonly SeenEvent[]): void;
  /** Held by the backends whose requests wait for a process. */
  readonly way: RightOfWay;
}

/** Whom Knative and Kubernetes name as managers of what their controllers write. */
const PROGRAMS = {
  serving: "serving-controller",
  autoscaler: "serving-autoscaler",
  hpa: "autoscaler-hpa",
  workloads: "kube-controller-manager",
  gateway: "eider",
  eventing: "mtbroker-controller",
  messaging: "eventing-controller",
} as const;
type Program = (typeof PROGRAMS)[keyof typeof PROGRAMS];

/** Kinds whose changes may change where events go; those of users are looked at again with the retries. */
const ADDRESSABLES: readonly string[] = [
  "/Service",
  "serving.knative.dev/Service",
  "serving.knative.dev/Route",
  "eventing.knative.dev/Broker",
  "messaging.knative.dev/Channel",
  "messaging.knative.dev/InMemoryChannel",
  "flows.knative.dev/Sequence",
  "flows.knative.dev/Parallel",
];

/** Kinds whose objects answer with events: EventTypes may be about them. */
const SUBSCRIBERS: readonly string[] = ["eventing.knative.dev/Trigger", "messaging.knative.dev/Subscription"];

/** Kinds whose objects tell in their status which events they send. */
const SOURCES: readonly string[] = ["sources.knative.dev/ApiServerSource", "sources.knative.dev/PingSource"];

/** Passes that wait for a start to be over keep their worker. */
const WORKERS_LEADING_TO_PODS = 32;

export function runControllers(options: ControllersOptions, signal: AbortSignal): RunningControllers {
  const { client, clock, deciders, informers, logger, rng, settings } = options;
  const events = createEventRecorder({ client, kind: Event, clock, rng, logger });
  const runs: ControllerRun[] = [];
  const way = new RightOfWay(clock);
  // Each writes in the name of the program that it is part of elsewhere.
  const clients = new Map(Object.values(PROGRAMS).map((program) => [program, createClient(options.transport, { fieldManager: program })]));
  const start = <P extends KubeObject, Observed, Effect>(
    controller: Controller<P, Observed, Effect>,
    program: Program,
    leadsToPods: boolean,
  ): ControllerRun => {
    const its = clients.get(program) ?? client;
    const workers = leadsToPods ? { workers: WORKERS_LEADING_TO_PODS } : {};
    const parts = { controller, informers, client: its, events, clock, rng, logger, signal };
    const started = runController({ ...parts, ...workers, standAside: { way, leadsToPods } });
    runs.push(started);
    return started;
  };
  const run = <P extends KubeObject, Observed, Effect>(controller: Controller<P, Observed, Effect>): ControllerRun =>
    start(controller, PROGRAMS.serving, false);
  const workloads: Starters = {
    run: (controller) => start(controller, PROGRAMS.workloads, false),
    runFirst: (controller) => start(controller, PROGRAMS.workloads, true),
  };

  run(serviceController());
  run(configurationController());
  const revisions = run(
    revisionController({ config: settings.current, resolveDigest: options.resolveDigest, clock, rng, wake: (key) => revisions.requeue(key) }),
  );
  const routes = run(routeController({ config: settings.current, publicPort: () => options.publicPort }));
  run(labelerController());
  const ingresses = start(ingressController({ ingressState: options.ingressState }), PROGRAMS.gateway, false);
  const autoscaling = (): PodAutoscalerSettings => ({
    autoscaler: settings.current().autoscaler,
    progressDeadlineMs: settings.current().deployment.progressDeadlineMs,
    clusterDomain: CLUSTER_DOMAIN,
  });
  const autoscalers = start(
    podAutoscalerController({
      settings: autoscaling,
      deciders,
      // The gateway is in every path, so the question whether the activator is has one answer.
      probeActivator: () => Promise.resolve(true),
    }),
    PROGRAMS.autoscaler,
    true,
  );
  start(metricController(), PROGRAMS.autoscaler, false);
  const { activators, gatewayPort } = options;
  run(serverlessServiceController({ activators, ...(gatewayPort === undefined ? {} : { gatewayPort }) }));
  const collector = options.workloads ? runWorkloads({ ...options, client: clients.get(PROGRAMS.workloads) ?? client }, workloads) : undefined;
  const hpaClass = start(hpaClassController({ settings: autoscaling }), PROGRAMS.hpa, false);

  const eventing = runEventing(
    options,
    {
      run: (controller) => start(controller, PROGRAMS.eventing, false),
      runMessaging: (controller) => start(controller, PROGRAMS.messaging, false),
    },
    signal,
  );
  const seenEvents = new SeenEvents({ client: clients.get(PROGRAMS.eventing) ?? client, kinds: options.kinds, clock, rng, logger });

  deciders.onChange((key) => autoscalers.requeue(keyFrom(key)));
  settings.onChange(() => {
    for (const dependent of [revisions, routes, autoscalers, hpaClass]) dependent.requeueAll();
  });
  const done = Promise.all([events.run(signal), collector?.run(signal), seenEvents.run(signal), eventing.done, ...runs.map((controller) => controller.done)]);
  return { done, way, requeueIngress: (key) => ingresses.requeue(key), requeueEventing: eventing.requeue, makeEventTypes: (seen) => seenEvents.put(seen) };
}

interface EventingStarters {
  readonly run: Starters["run"];
  readonly runMessaging: Starters["run"];
}

/** Brokers, Triggers, channels, Subscriptions, flows, sources and EventTypes; `requeue` wakes them, `done` is of what runs beside the controllers. */
function runEventing(
  options: ControllersOptions,
  { run, runMessaging }: EventingStarters,
  signal: AbortSignal,
): { readonly requeue: RunningControllers["requeueEventing"]; readonly done: Promise<void> } {
  const { events, kinds, coming } = options;
  if (events === undefined) return { requeue: () => undefined, done: Promise.resolve() };
  const named = ({ apiVersion, group, kind }: KReference, one: Kind): boolean =>
    one.kind === kind && (apiVersion === undefined || apiVersion === "" ? one.group === group : apiVersionOf(one) === apiVersion);
  const kindOf = (reference: KReference): Kind | undefined => [...kinds, ...(coming?.kinds() ?? [])].find((one) => named(reference, one));
  const addressables = kinds.filter(({ kind, group }) => ADDRESSABLES.includes(`${group}/${kind}`));
  const brokers = run(brokerController({ kindOf, standing: events.broker, outerUrl: events.outerUrl }, addressables));
  const triggers = run(triggerController({ kindOf, standing: events.trigger, crossesNamespaces: events.crossesNamespaces }, addressables));
  const workloads = kinds.filter(({ kind, group }) => WORKLOADS.includes(`${group}/${kind}`));
  run(sinkBindingController({ kindOf }, { addressables, workloads }));
  run(containerSourceController());
  const pings = run(pingSourceController({ kindOf, standing: events.ping }, addressables));
  const watches = new ApiWatches({ ...options, send: events.sendChange, marks: events.toldMarks, wake: (key) => changes.requeue(key), signal });
  const changes = run(apiServerSourceController({ kindOf, mayAccount: events.mayAccount, watches }, addressables));
  const subscribers = kinds.filter(({ kind, group }) => SUBSCRIBERS.includes(`${group}/${kind}`));
  run(eventTypeController({ kindOf }, [...addressables, ...subscribers]));
  for (const source of kinds.filter(({ kind, group }) => SOURCES.includes(`${group}/${kind}`))) runMessaging(sourceTypesController(source));
  const sugar = [runMessaging(namespaceSugarController(() => events.sugar.current())), runMessaging(triggerSugarController(() => events.sugar.current()))];
  events.sugar.onChange(() => sugar.forEach((controller) => controller.requeueAll()));
  const channels = runMessaging(inMemoryChannelController({ kindOf, standing: events.channel }, addressables));
  runMessaging(channelController({ kindOf }));
  runMessaging(sequenceController({ kindOf }));
  runMessaging(parallelController({ kindOf }));
  runMessaging(subscriptionController({ kindOf, crossesNamespaces: events.crossesNamespaces }, addressables));
  const requeue = (news: EventingNews): void => {
    for (const key of news.brokers ?? []) brokers.requeue(key);
    for (const key of news.triggers ?? []) triggers.requeue(key);
    for (const key of news.channels ?? []) channels.requeue(key);
    for (const key of news.pings ?? []) pings.requeue(key);
  };
  return { requeue, done: watches.run() };
}

interface Starters {
  readonly run: <P extends KubeObject, Observed, Effect>(controller: Controller<P, Observed, Effect>) => ControllerRun;
  readonly runFirst: Starters["run"];
}

/** What Kubernetes' own controllers do; the garbage collector is run by the caller. */
function runWorkloads(options: ControllersOptions, { run, runFirst }: Starters): ReturnType<typeof createGarbageCollector> {
  const { client, clock, informers, kinds, logger, rng, transport } = options;
  runFirst(deploymentController());
  runFirst(replicaSetController());
  run(endpointsController({ informers }));
  run(endpointSliceController({ informers }));
  run(endpointSliceMirroringController());
  run(namespaceController({ transport, kinds: kinds.filter((kind) => kind.scope === "Namespaced"), coming: () => options.coming?.kinds() ?? [] }));
  run(serviceAccountController({ rootCa: options.rootCa }));
  if (options.storage !== undefined) {
    run(persistentVolumeClaimController({ informers, ...options.storage }));
    run(persistentVolumeController(options.storage));
  }
  const scalable = (): readonly Kind[] => [...kinds, ...(options.coming?.kinds() ?? [])].filter(({ subresources }) => subresources.scale !== undefined);
  run(horizontalPodAutoscalerController({ scalable }));
  // Nothing owns Events, and there are many: Kubernetes' collector passes them over, too.
  const collected = kinds.filter((kind) => kind.kind !== Event.kind || kind.group !== Event.group);
  const { coming } = options;
  return createGarbageCollector({ informers, client, kinds: collected, ...(coming === undefined ? {} : { coming }), clock, rng, logger });
}
