// The control plane, loaded by serve-first.ts: every part, wired by hand. Read it from top to bottom to see the whole product.
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { createApiServer, restamp } from "#apiserver";
import { Deciders, publishDeciders } from "#autoscaler";
import { createClient, createInformerSet, keyFrom } from "#client";
import { followEventingSettings, followSettings, PRIVATE_GATEWAY, PUBLIC_GATEWAY } from "#controllers";
import { uuid, type Logger } from "#core";
import { createSystemRng, giveBackMemory, machineUsage, measureEventLoopDelay, systemClock } from "#host";
import { httpsPost } from "#host/https";
import { identify, PLATFORM_REFUSED, spawnKeeper } from "#keeper";
import { CLUSTER_DOMAIN, descriptions, EIDER_INGRESS_CLASS, Namespace, type AccessRules } from "#kinds";
import type { GatewaySettings, GatewayToControl } from "#protocol";
import { gatewaySettings, RouteTable, StartTimes } from "#routing";
import { connectKeeper, containerEngine, createRuntime, daemonNames, PodImages, podUsers, processEngine, RUNTIME_NAMES, type Runtime } from "#runtimes";
import { engines } from "#schema/rules";
import { openSqliteStore, StoreFileError, type SqliteStore } from "#store";
import { MetricRegistry, publishEventLoopDelay } from "#telemetry";
import { ADMIN, CONTROLLER, mayUse, rulesOf } from "./authorization.ts";
import { ensureBootstrapObjects } from "./bootstrap-objects.ts";
import { allTraces } from "./all-traces.ts";
import { claimFolders } from "./claim-folders.ts";
import { ContainerDaemon } from "./container-daemon.ts";
import { runControllers } from "./controllers.ts";
import { conversionWebhooks } from "./conversion-webhook.ts";
import { definitionKind, ensureDefinitions, serveDefinitions } from "./custom-kinds.ts";
import { explainDocuments } from "./explain.ts";
import {
  attach,
  detach,
  folder,
  GUESTS_SOCKET,
  guests as earlyGuests,
  keeper as connected,
  link,
  listening as threadsListen,
  logger,
  openGuests,
  places,
  restored,
  savedRoutesFile,
  SLOTS,
  start,
  threads,
  type ThreadControl,
} from "./first-gateways.ts";
import type { GuestThreads } from "./guest-threads.ts";
import { HostLink } from "./host-link.ts";
import { digestResolver, imagePuller, registries } from "./image-sources.ts";
import { eventEndpoints } from "./event-endpoints.ts";
import { Events } from "./events.ts";
import { ImageGarbage } from "./image-garbage.ts";
import { adminToken, writeKubeconfig } from "./kubeconfig.ts";
import { connectsTo } from "./endpoint-prover.ts";
import { ensureGatewayServices } from "./gateway-services.ts";
import { openImages } from "./open-images.ts";
import { podEventRecorder } from "./pod-events.ts";
import { MetricsListener } from "./metrics-listener.ts";
import { NODE_NAME, nodeObject } from "./node.ts";
import { environment, nodeFlags, parseSettings } from "./options.ts";
import type { ReadyState } from "./ready-text.ts";
import { registryAddress, startRegistry } from "./registry.ts";
import { watchRest } from "./rest.ts";
import { RouteJournal } from "./route-journal.ts";
import { Routes } from "./routes.ts";
import { withRuntimeWarnings } from "./runtime-warnings.ts";
import { sandboxes } from "./sandboxes.ts";
import { namesForPods, serviceRangeOf } from "./names.ts";
import { servedKinds } from "./served-kinds.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";
import { servingCertificateOf } from "./serving-certificate.ts";
import { tryPod } from "./try-pod.ts";
import { subresources } from "./subresources.ts";
import { bindable, rememberSinkBindings, withSinkBindings } from "./sink-bindings.ts";
import { StateFile } from "./state-file.ts";
import { usageObjects } from "./usage.ts";
import { VERSION } from "./version.ts";

/** Requests have this long to finish when the platform is told to end. */
const DRAIN_MS = 5_000;
/** In a hand-over: requests and streams of the old platform have this long (Knative's longest timeout), kept connections are closed once quiet. */
const HAND_OVER_DRAIN_MS = 600_000;
const HAND_OVER_IDLE_MS = 15_000;
/** Each try takes a second. */
const NEXT_KEEPER_TRIES = 10;
/** A keeper's death is known this long after the first call that it broke. */
const KEEPER_NOTICE_MS = 200;
const KUBERNETES_VERSION = `v1.34.4+eider.${VERSION}`;

const { sockets } = start;
const asked = parseSettings(start.argv);
const clock = systemClock;
const rng = createSystemRng();
const ending = new AbortController();
const signal = ending.signal;
/** How far this process is; a keeper that dies before `serving` is replaced, too. */
let stage: "starting" | "serving" | "replacing" | "draining" | "ending" = "starting";
let guests: GuestThreads | undefined = earlyGuests;
const stateFile = new StateFile(folder.run);
void link.keeperGone.then(replaceKeeper);
void link.step("release").then(release);

const hosts = [...new Set(["127.0.0.1", "::1", "localhost", "kubernetes.default.svc", asked.host])];
// Made while the other parts start.
const certificate = servingCertificateOf({ folder: folder.pki, names: hosts, nowMs: clock.wallMs() });
const containers = new ContainerDaemon({
  dataDir: folder.root,
  asked: asked.containerHost ?? "auto",
  env: process.env,
  clock,
  logger: logger.with({ room: "runtimes" }),
  ports: sockets,
  onFound: () => stateFile.runtime("container", containers.text),
});
void containers.late.look();
const token = adminToken(folder.pki, () => randomBytes(24).toString("hex"));
const adminDigest = digestOf(`Bearer ${token}`);
const accountTokens = new ServiceAccountTokens({ keyFile: join(folder.pki, "sa.key"), clock, client: () => client, newId: () => uuid(rng) });

const store = await openStore(logger);
const bootId = identify(process.pid)?.bootId;
const { images, budget } = await openImages({ folder, clock, bootId, bytesMax: asked.diskBudget, onShort: () => garbage.spaceIsShort() });
const metrics = new MetricRegistry();
publishEventLoopDelay(metrics, measureEventLoopDelay());

let runtime: Runtime | undefined;
const running = (): Runtime => runtime as Runtime;
const looks = { informers: () => informers, client: () => client };
const builtIn = servedKinds({
  settings: () => settings.current(),
  eventingSettings: () => eventingSettings.current(),
  rng,
  clock,
  ...looks,
  serviceRange: () => range,
  nodeName: NODE_NAME,
  runtimeClasses: RUNTIME_NAMES,
  tryPod: (pod) => tryPod(transport, pod),
  signal,
  subresources: subresources({ runtime: running, client: () => client, clock }),
  token: accountTokens.answer,
  authority: {
    refusal: accountTokens.refusal,
    rules: (user): AccessRules => rulesOf(user, [...kinds, ...definitions.kinds().map((kind) => ({ kind }))]),
    nowMs: () => clock.wallMs(),
  },
  usage: usageObjects({ runtime: running, client: () => client, clock, nodeName: NODE_NAME, machine: machineUsage, signal }),
}).map((kind) =>
  withRuntimeWarnings(withSinkBindings(kind, looks), { ownUser: CONTROLLER.name, tell: async (spec, path) => (await runtime?.notHonoured(spec, path)) ?? [] }),
);
const definitionsOf = builtIn.map(({ kind }) => kind);
const kinds = [...builtIn, definitionKind(definitionsOf, { platform: CONTROLLER.name, engines })];
const api = createApiServer({
  kinds,
  namespaceKind: Namespace,
  store,
  clock,
  rng,
  logger: logger.with({ room: "apiserver" }),
  version: KUBERNETES_VERSION,
  engines,
  authenticate: ({ headers }) => (isAdminToken(headers["authorization"]) ? ADMIN : accountTokens.userOfBearer(headers["authorization"])),
  authorize: mayUse,
  descriptions,
  // Whoever sends requests here looks elsewhere once we are going down.
  healthChecks: { ready: { shutdown: async () => signal.throwIfAborted() } },
  metrics,
  metricsText: allMetrics,
  endpoints: eventEndpoints({ events: () => events, rng, logger: logger.with({ room: "events" }) }),
  documents: explainDocuments(() => deciders, clock),
});
const transport = api.transportFor(CONTROLLER);
const client = createClient(transport, { fieldManager: "eider" });
const informers = createInformerSet({ client, clock, rng, logger: logger.with({ room: "client" }) });
const settings = followSettings({ informers, logger });
const eventingSettings = followEventingSettings({ informers, logger });
const definitions = serveDefinitions({
  api,
  kinds: kinds.map(({ kind }) => kind),
  informers,
  client: createClient(transport, { fieldManager: "kube-apiserver" }),
  clock,
  rng,
  logger: logger.with({ room: "definitions" }),
  with: (kind) => bindable(kind, looks),
  convert: conversionWebhooks({ client: () => client, rng, post: httpsPost }),
});
const informing = informers.run(signal);
const range = await serviceRangeOf({ client, dataDir: folder.root, clock }, signal);
const node = nodeObject({ version: KUBERNETES_VERSION, nowMs: clock.wallMs() });
await ensureBootstrapObjects(client, { domain: asked.domain, version: VERSION, node, apiPort: sockets.apiPort, serviceRange: range.cidr });
await ensureGatewayServices(client, { address: outerAddress(), httpPort: sockets.httpPort, internalPort: sockets.internalPort });
await ensureDefinitions(client, definitionsOf, clock.wallMs());
await Promise.all([settings.synced, eventingSettings.synced, definitions.synced, rememberSinkBindings(informers)]);

const scraped = {
  components: new MetricsListener({ port: 9090, text: allMetrics, clock, logger }),
  requests: new MetricsListener({ port: 9091, text: () => threads.requestMetricsText((key) => table.hasRevision(key)), clock, logger }),
};
const spans = allTraces({ clock, logger: logger.with({ room: "telemetry" }), metrics, print: (line) => void process.stdout.write(line) });
const deciders = new Deciders({ clock, logger: logger.with({ room: "autoscaler" }) });
publishDeciders(metrics, deciders, (key) => table.namesOf(key));
const starts = new StartTimes();
const table = new RouteTable({
  ingressClass: EIDER_INGRESS_CLASS,
  slots: SLOTS,
  gatewayNames: [PUBLIC_GATEWAY, PRIVATE_GATEWAY],
  clusterDomain: CLUSTER_DOMAIN,
  runsRevisions: true,
  restored,
});
const keeper = await connected.catch(partFailed);
await containers.late.look();
void keeper.closed.then(() => partFailed(new Error("the connection to the keeper is lost")));
const journal = new RouteJournal({ path: savedRoutesFile, clock, logger, everything: () => table.everything(), settings: toGateways });
settings.onChange(() => {
  const changed = { type: "settings", settings: toGateways() } as const;
  journal.append(changed);
  threads.broadcast(changed);
  guests?.broadcast(changed);
  followObservability();
});
followObservability();
const users = podUsers({ dataDir: folder.root, asRoot: process.getuid?.() === 0, nodePath: process.execPath });
if (process.getuid?.() === 0 && !users.own) logger.warn("pods run as the platform's user: other users cannot reach the data folder", { dataDir: folder.root });
const sources = { client: () => client, settings: () => settings.current(), clock, rng, logger: logger.with({ room: "images" }) };
const reached = registries(sources);
const podEvents = podEventRecorder({ client, clock, rng, logger });
const podImages = new PodImages({
  client,
  clock,
  puller: imagePuller(images, reached),
  userKeychain: reached.userKeychain,
  onEvent: podEvents.onEvent,
});
const names = namesForPods({ informers, dataDir: folder.root, range, apiPort: sockets.apiPort, clock, rng, logger }, signal);
const forEngines = {
  keeper,
  images,
  podImages,
  users,
  rng,
  logger: logger.with({ room: "runtimes" }),
  dataDir: folder.root,
  path: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
  names,
};
const sandbox = await sandboxes({ ...forEngines, sockets, signal, imagesDir: folder.images, bootId });
// All that waits stands before the routes, which tell the controllers of news as soon as they are there.
const podEngines = [
  processEngine(forEngines),
  ...sandbox.engines,
  containerEngine({ ...forEngines, daemon: containers.late, platform: containers.platform, onBridge: () => containers.openDoors(), signal }),
];
const routes = new Routes({
  informers,
  table,
  broadcast(delta) {
    journal.append(delta);
    // First those that count places: no thread knows a pod before.
    guests?.broadcast(delta);
    threads.broadcast(delta);
  },
  connects: connectsTo,
  others: () => events.synced,
  clock,
  signal,
  onNews: (keys) => keys.forEach((key) => controllers.requeueIngress(keyFrom(key))),
});
const publicPort = asked.externalPort ?? sockets.httpPort;
const eventing = { informers, table, changed: () => routes.changed(), settings: eventingSettings, traces: spans.events, folder, sockets, ...asked, publicPort };
const events = new Events({ ...eventing, recorder: podEvents.recorder, controllers: () => controllers, clock, rng, logger: logger.with({ room: "events" }) });
runtime = createRuntime({
  client: createClient(transport, { fieldManager: "kubelet" }),
  engines: podEngines,
  images,
  clock,
  rng,
  logger: logger.with({ room: "runtimes" }),
  dataDir: folder.root,
  nodeName: NODE_NAME,
  onStarted: (pod, foundMs) => threads.broadcast({ type: "started", pod: pod.metadata.uid, ...starts.started(pod, foundMs, clock.monotonicMs()) }),
  onEvent: podEvents.onEvent,
  mintToken: accountTokens.mint,
  apiPort: sockets.apiPort,
  beforeStop: (pod, stopped) => routes.drained(pod, stopped),
});
const tls = await certificate;
const controllers = runControllers(
  {
    workloads: true,
    client,
    transport,
    informers,
    // What is stored nowhere owns nothing and cannot be deleted; other versions are views of the same objects.
    kinds: kinds.filter(({ answer, made, stored }) => answer === undefined && made === undefined && stored === undefined).map(({ kind }) => kind),
    coming: definitions,
    settings,
    deciders,
    resolveDigest: digestResolver(sources, reached, { store: images, daemon: daemonNames(containers.late) }),
    ingressState: (ingress) => routes.state(ingress),
    activators: () => ["127.0.0.1"],
    gatewayPort: sockets.internalPort,
    publicPort: publicPort === 80 ? undefined : publicPort,
    rootCa: tls.caPem,
    storage: { folders: claimFolders(folder.claims), nodeName: NODE_NAME },
    events: { ...events.forControllers, mayAccount: accountTokens.mayAccount },
    clock,
    rng,
    logger,
  },
  signal,
);
const threadControl: ThreadControl = {
  settings: toGateways,
  firstBatch: (thread) => routes.started(thread),
  onMessage: (message) => receive(message),
  onGone(thread) {
    deciders.gatewayGone(thread);
    routes.stopped(thread);
  },
};
attach(threadControl);
guests ??= await openGuests();
// Those that run already know what was in force when the last platform ended.
for (const each of [threads, guests]) each.broadcast({ type: "settings", settings: toGateways() });
await routes.synced;
const parts = Promise.all([
  informing,
  podEvents.recorder.run(signal),
  definitions.run(signal),
  controllers.done,
  store.run(signal),
  deciders.run({ signal }),
  runtime.run(signal),
]);
parts.catch(partFailed);
await (threadsListen ?? threads.start());
guests.accepting();
const garbage = new ImageGarbage({ store: images, client, clock, logger: logger.with({ room: "images" }), collected: () => void budget.measure() });
const collecting = garbage.run(signal);
garbage.changed();
void budget.measure();
const registry = await startRegistry({
  store: images,
  sockets,
  logger: logger.with({ room: "images" }),
  changed: () => garbage.changed(),
  auth: asked.registryAuth ?? "none",
  pki: folder.pki,
  clock,
});
const listening = await api.listen({ at: { fd: sockets.apiFd }, tls: { key: tls.keyPem, cert: tls.certPem, clientCa: tls.caPem } });
await announce().catch(partFailed);
if (stage === "starting") stage = "serving";
void watchRest({ clock, work: () => store.revision, atRest: giveBackMemory }, signal);

process.once("SIGTERM", () => void end());
// A terminal sends Ctrl-C to all its processes; the keeper decides what follows.
process.on("SIGINT", () => undefined);

/** Where this machine reaches what listens on the host that was asked for. */
function outerAddress(): string {
  return asked.host === "0.0.0.0" ? "127.0.0.1" : asked.host;
}

/** Tells the keeper, and everybody who reads the data folder, where the platform is. */
async function announce(): Promise<void> {
  const state = stateNow();
  stateFile.write(state);
  await keeper.call({ do: "ready", line: JSON.stringify(state) });
  logger.info("platform is ready", { ...state });
}

function stateNow(): ReadyState {
  const address = outerAddress();
  const host = address.includes(":") ? `[${address}]` : address;
  const server = `https://${host}:${sockets.apiPort}`;
  writeKubeconfig(folder.kubeconfig, { server, caPem: tls.caPem, token });
  return {
    api: server,
    http: `http://${host}:${sockets.httpPort}`,
    internal: `http://127.0.0.1:${sockets.internalPort}`,
    ...(registry === undefined ? {} : { registry: registryAddress(sockets) ?? "" }),
    ...(asked.diskBudget === undefined ? {} : { diskBudget: asked.diskBudget }),
    runtimes: { process: "this machine's own programs", sandbox: sandbox.text, container: containers.text },
    kubeconfig: folder.kubeconfig,
    pid: process.pid,
    keeperPid: process.ppid,
    readyMs: Math.round(clock.wallMs() - asked.startedAtMs),
    version: VERSION,
  };
}

function toGateways(): GatewaySettings {
  return gatewaySettings(settings.current());
}

async function allMetrics(): Promise<string> {
  const texts = await Promise.all([threads.metricsText((key) => table.hasRevision(key)), events.metricsText()]);
  return metrics.text() + texts.join("");
}

function followObservability(): void {
  const { tracing, metrics: components, requestMetrics } = settings.current().observability;
  spans.requests.apply(tracing);
  scraped.components.apply(components);
  scraped.requests.apply(requestMetrics);
}

function receive(message: GatewayToControl): void {
  if (message.type === "wake") {
    controllers.way.take(message.backend);
    starts.woken(message.backend, clock.monotonicMs());
  } else if (message.type === "answered") {
    // Until then the program, which answers for the first time, needs the processors more than we do.
    controllers.way.giveBack(message.backend);
    starts.over(message.backend);
  }
  deciders.receive(message);
  routes.receive(message);
  if (message.type === "traces") spans.requests.receive(message.requests);
  if (message.type === "podReady") runtime?.podReady(message.pod);
  else if (message.type === "log") logger[message.level](message.message, { ...message.fields, thread: message.thread });
}

/** Ends the process, unless the keeper's death, which may be noticed a moment later than what it breaks, or an end is the cause. */
async function partFailed(err: unknown): Promise<never> {
  await clock.sleep(KEEPER_NOTICE_MS, new AbortController().signal);
  if (stage === "starting" || stage === "serving") {
    logger.error("a part of the platform has failed", { err });
    process.exit(1);
  }
  return new Promise(() => undefined);
}

/** The control plane ends, the store is closed; the gateway threads serve on, and follow the next platform's control plane until they have drained. */
async function release(): Promise<void> {
  if (stage !== "serving" && stage !== "replacing") return;
  stage = "draining";
  logger.info("another platform takes over, this one drains");
  const next = new HostLink({
    path: GUESTS_SOCKET,
    threads: sockets.httpFds.length,
    clock,
    logger,
    onTell: (message) => threads.broadcast(message),
    lostMs: asked.orphanGraceMs,
    onLost: () => void drained(DRAIN_MS, 0),
    onAccepting: () => void drained(HAND_OVER_DRAIN_MS, HAND_OVER_IDLE_MS),
  });
  detach({ onMessage: (message) => next.say(message), onGone: (thread) => next.gone(thread) });
  registry?.stop();
  await listening.close();
  containers.closeDoors();
  ending.abort();
  await Promise.all([parts.catch(() => undefined), collecting, events.end()]);
  journal.close();
  const borrower = places.borrow((word) => next.word(word), table);
  guests?.close();
  await store.close();
  keeper.close();
  void next.run(borrower, new AbortController().signal);
  link.done("released");
}

/** Ends with the last connection, or after `graceMs`. */
async function drained(graceMs: number, idleMs: number): Promise<void> {
  await threads.drain(graceMs, idleMs);
  process.exit(0);
}

/** Orderly, in the reverse order of the start. Processes of pods are the keeper's to end, containers ours. */
async function end(): Promise<void> {
  if (stage === "draining") return drained(DRAIN_MS, 0);
  if (stage === "ending") return;
  stage = "ending";
  await Promise.all([threads.drain(DRAIN_MS), listening.close(), registry?.close()]);
  await Promise.all([spans.requests.end(), scraped.components.end(), scraped.requests.end()]);
  ending.abort();
  await Promise.all([parts.catch(() => undefined), collecting, events.end()]);
  await containers.removeAll();
  await store.close();
  process.exit(0);
}

/** The keeper died: the next one gets the sockets and starts its own platform, to which this one hands over. */
async function replaceKeeper(): Promise<void> {
  if (stage !== "starting" && stage !== "serving") return;
  const serving = stage === "serving";
  stage = "replacing";
  logger.warn("the keeper is gone, the next one takes over");
  const { orphanGraceMs } = asked;
  const entry = fileURLToPath(import.meta.resolve("#entry/keeper"));
  const previousPlatform = identify(process.pid);
  if (previousPlatform === undefined) throw new Error("this process cannot tell its own identity");
  const takeover = { dataDir: folder.root, sockets: start.kept ?? sockets, orphanGraceMs, previousPlatform, argv: start.argv };
  spawnKeeper({ execPath: process.execPath, execArgv: [...nodeFlags(process.execArgv), entry], env: environment(), start: takeover });
  if (!serving) process.exit(0);
  await release();
  await tellNextKeeper();
}

/** The next keeper, which is just starting, need not wait for this process any more. Without the word it ends it after a while. */
async function tellNextKeeper(): Promise<void> {
  for (let attempt = 0; attempt < NEXT_KEEPER_TRIES; attempt++) {
    try {
      const next = await connectKeeper({ dataDir: folder.root, clock, logger }, new AbortController().signal);
      await next.call({ do: "released", pid: process.pid });
      return next.close();
    } catch (err) {
      logger.debug("the next keeper does not listen yet", { err });
    }
  }
}

function isAdminToken(authorization: string | undefined): boolean {
  return timingSafeEqual(digestOf(authorization ?? ""), adminDigest);
}

function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

async function openStore(log: Logger): Promise<SqliteStore> {
  const path = join(folder.store, "store.db");
  const worker = new Worker(new URL(import.meta.resolve("#entry/store-thread")), { workerData: { path } });
  worker.on("error", (err) => {
    log.error("the store thread failed", { err });
    process.exit(1);
  });
  try {
    return await openSqliteStore({ path, channel: worker, clock, logger: log, restamp, onFailure: () => process.exit(1) });
  } catch (error) {
    if (!(error instanceof StoreFileError)) throw error;
    process.stderr.write(`Error: ${error.message}\n`);
    process.exit(PLATFORM_REFUSED);
  }
}
