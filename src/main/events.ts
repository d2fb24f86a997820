// Eventing as the control thread has it: Brokers, Triggers and channels into the table, its batches to the events thread, ways to them into the gateway's routes.
import { readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyFrom, type InformerSet } from "#client";
import { BROKER_INGRESS, CHANNEL_DISPATCHER, type EventingSettings, type ToldMark } from "#controllers";
import { StatusError, type Clock, type Logger, type Rng } from "#core";
import { MarksFolder } from "#host/marks";
import { Broker, CLUSTER_DOMAIN, CoreService, EVENTING_NAMESPACE, InMemoryChannel, PingSource, Subscription, Trigger, type Ingress } from "#kinds";
import type { ControlToEvents, EventList, EventsQuestion, EventsToControl, TracedEvent } from "#protocol";
import type { EventRecorder } from "#reconcile";
import { EventTable, PingTable, tracingOf, type EventsSettled, type RouteTable } from "#routing";
import type { ControllersOptions, RunningControllers } from "./controllers.ts";
import type { DataFolder } from "./data-folder.ts";
import { eventsOfDeed, type EventDeed } from "./event-deeds.ts";
import { EventAsks } from "./event-asks.ts";
import { EventsMetrics } from "./events-metrics.ts";
import { channelRoute, listenerRoutes, serviceOf, serviceRoute } from "./event-routes.ts";
import { eventLogBytes } from "./event-log-size.ts";
import { EventsWorker } from "./events-worker.ts";
import { SourceOutbox } from "./source-outbox.ts";
import type { Traces } from "./traces.ts";

export interface EventsOptions {
  readonly informers: InformerSet;
  /** The gateway's. */
  readonly table: RouteTable;
  /** The table's changes go out. */
  readonly changed: () => void;
  readonly settings: EventingSettings;
  readonly folder: Pick<DataFolder, "root" | "events" | "run">;
  /** Of the data folder. */
  readonly diskBudget?: number | undefined;
  readonly sockets: { readonly internalPort: number };
  /** What the platform listens on, and the domain of its names. */
  readonly host: string;
  readonly domain: string;
  /** That people outside use. */
  readonly publicPort: number;
  /** Told of what is in force now, or is not any more, and of events that came by while the feature `eventtype-auto-create` is on. */
  readonly controllers: () => Pick<RunningControllers, "requeueEventing" | "makeEventTypes">;
  readonly traces: Pick<Traces<TracedEvent>, "apply" | "receive" | "lost" | "end">;
  readonly recorder: Pick<EventRecorder, "record">;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

/** The port of the last events thread: the gateway serves on with it after a crash. */
const PORT_FILE = "events-port";
/** People on other machines do not send events to Brokers unless somebody lets them. */
const LOOPBACK = ["127.0.0.1", "localhost", "::1"];

export class Events {
  readonly #options: EventsOptions;
  readonly #table = new EventTable();
  readonly #pings = new PingTable();
  readonly #outbox = new SourceOutbox((message) => {
    this.#worker.start();
    if (this.#isListening) this.#worker.send(message);
  });
  /** The thread that runs now has told its port. */
  #isListening = false;
  readonly #worker: EventsWorker;
  readonly #asks = new EventAsks((message) => this.#worker.send(message));
  readonly #metrics: EventsMetrics;
  readonly #portFile: string;
  /** Plain Services, by key; of those that Knative routes itself nothing is known here. */
  readonly #services = new Set<string>();
  /** Keys of hidden Ingresses by what they lead to: the key of a plain Service, or the name of a channel. */
  readonly #routed = new Map<string, string>();
  /** Uids of Subscriptions by key. */
  readonly #subscriptions = new Map<string, string>();
  #listed = false;
  #scheduled = false;
  readonly synced: Promise<void>;

  constructor(options: EventsOptions) {
    this.#options = options;
    const { informers, folder, sockets, clock, rng, logger } = options;
    this.#metrics = new EventsMetrics({ clock, runs: () => this.#isListening, send: (message) => this.#worker.send(message) });
    this.#portFile = join(folder.run, PORT_FILE);
    const lastPort = this.#lastPort();
    // After a crash nobody is told that a Broker does not exist, only that it does not answer yet.
    if (lastPort > 0) this.#routeListener(lastPort);
    this.#worker = new EventsWorker({
      start: (port) => ({
        logFolder: folder.events,
        pingsFile: join(folder.events, "ping-sources.json"),
        logBytesMax: eventLogBytes({ budgetBytes: options.diskBudget, diskBytes: diskBytesAt(folder.root) }),
        gateway: { host: "127.0.0.1", port: sockets.internalPort },
        localSuffix: `svc.${CLUSTER_DOMAIN}`,
        brokersUrl: `http://${BROKER_INGRESS}`,
        port,
      }),
      firstBatch: () => {
        this.#flush();
        return this.#table.threadStarted();
      },
      firstWords: () => [this.#sightings, this.#tracing],
      onMessage: (message) => this.#receive(message),
      onGone: () => {
        this.#isListening = false;
        this.#asks.gone();
        this.#metrics.gone();
        this.#tell(this.#table.threadStopped());
        this.#tellPings(this.#pings.threadStopped());
      },
      port: lastPort,
      clock,
      rng,
      logger,
    });
    options.settings.onChange(() => this.#settingsChanged());
    this.#settingsChanged();
    const follow = [
      informers.follow(Broker, "events", (key, broker) =>
        this.#changed(() => (broker === undefined ? this.#table.removeBroker(key) : this.#table.upsertBroker(broker))),
      ),
      informers.follow(Trigger, "events", (key, trigger) =>
        this.#changed(() => (trigger === undefined ? this.#table.removeTrigger(key) : this.#table.upsertTrigger(trigger))),
      ),
      informers.follow(PingSource, "events", (key, source) =>
        this.#changed(() => (source === undefined ? this.#pings.remove(key) : this.#pings.upsert(source))),
      ),
      informers.follow(InMemoryChannel, "events", (key, channel) =>
        this.#changed(() => (channel === undefined ? this.#table.removeChannel(key) : this.#table.upsertChannel(channel))),
      ),
      informers.follow(Subscription, "events", (key, subscription) => this.#changed(() => this.#subscribed(key, subscription))),
      informers.follow(CoreService, "events", (key, service) =>
        this.#changed(() => (service !== undefined && isPlain(service) ? this.#services.add(key) : this.#services.delete(key))),
      ),
    ];
    // What has not been listed yet is not gone.
    this.synced = Promise.all(follow.map(({ synced }) => synced)).then(() => {
      this.#listed = true;
      this.#go();
    });
  }

  get forControllers(): Omit<NonNullable<ControllersOptions["events"]>, "mayAccount"> {
    const { folder, publicPort, settings } = this.#options;
    const outer = this.#outerHost;
    return {
      broker: (key) => this.#table.broker(key),
      trigger: (key) => this.#table.trigger(key),
      ping: (key) => this.#pings.standing(key),
      sendChange: ({ namespace, filters, target }, event, signal) => this.#outbox.send({ namespace, filters, target, ...event }, signal),
      sugar: { current: () => settings.current().sugar, onChange: (listener) => settings.onChange(listener) },
      toldMarks: new MarksFolder<ToldMark>(join(folder.events, "apiserver-sources")),
      channel: (key) => this.#table.channel(key),
      outerUrl: () => (outer === undefined ? undefined : `http://${outer}${publicPort === 80 ? "" : `:${publicPort}`}`),
      crossesNamespaces: () => settings.current().features.crossNamespaceEventLinks === "Enabled",
    };
  }

  get #outerHost(): string | undefined {
    const { host, domain } = this.#options;
    return LOOPBACK.includes(host) ? `broker-ingress.${EVENTING_NAMESPACE}.${domain}` : undefined;
  }

  /** What has happened to events, in lines; throws StatusErrors. Without any Broker nothing has. */
  async *ask(question: EventsQuestion, signal: AbortSignal): AsyncGenerator<unknown> {
    if (this.#worker.runs) return yield* this.#asks.ask(question, signal);
    if (!this.#listed || !this.#table.isEmpty) throw new StatusError("ServiceUnavailable", "the events thread is starting: ask again");
    if (question.do !== "list") throw new StatusError("NotFound", "there is no Broker and no Channel");
    yield { items: [] } satisfies EventList;
  }

  /** Tells whom it concerns what somebody did with events. */
  done(deed: EventDeed): void {
    for (const { about, event } of eventsOfDeed(deed, this.#table)) this.#options.recorder.record("eider-events", about, event);
  }

  /** Metrics of the events thread in Prometheus' text form. */
  metricsText(): Promise<string> {
    return this.#metrics.text();
  }

  async end(): Promise<void> {
    await this.#worker.end();
    await this.#options.traces.end();
  }

  #subscribed(key: string, subscription: Subscription | undefined): void {
    const before = this.#subscriptions.get(key);
    if (before !== undefined && before !== subscription?.metadata.uid) this.#table.removeSubscription(before);
    if (subscription === undefined) this.#subscriptions.delete(key);
    else {
      this.#subscriptions.set(key, subscription.metadata.uid);
      this.#table.upsertSubscription(subscription);
    }
  }

  #changed(change: () => unknown): void {
    change();
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#go());
  }

  /** Changes of one turn of the loop go out as one batch. A platform without Brokers and channels has no events thread. */
  #go(): void {
    this.#scheduled = false;
    if (!this.#listed) return;
    this.#flush();
    if (!this.#table.isEmpty || !this.#pings.isEmpty) this.#worker.start();
  }

  #flush(): void {
    const delta = this.#table.flush();
    if (delta !== undefined) this.#worker.send(delta);
    const pings = this.#pings.flush();
    if (pings !== undefined) this.#worker.send(pings);
    this.#routeNames();
  }

  get #sightings(): Extract<ControlToEvents, { readonly type: "sightings" }> {
    return { type: "sightings", wanted: this.#options.settings.current().features.eventTypeAutoCreate === "Enabled" };
  }

  #settingsChanged(): void {
    const { settings, traces } = this.#options;
    traces.apply(settings.current().observability.tracing);
    this.#worker.send(this.#sightings);
    this.#worker.send(this.#tracing);
  }

  get #tracing(): Extract<ControlToEvents, { readonly type: "tracing" }> {
    return { type: "tracing", rate: tracingOf(this.#options.settings.current().observability.tracing)?.rate ?? 0 };
  }

  #receive(message: Exclude<EventsToControl, { readonly type: "log" }>): void {
    if (message.type === "metrics") return this.#metrics.received(message);
    if (message.type === "traces") return this.#traced(message);
    if (message.type === "told" || message.type === "answered") return this.#asks.receive(message);
    if (message.type === "listening") {
      this.#worker.send(this.#pings.threadStarted());
      this.#isListening = true;
      this.#outbox.again();
      return this.#listens(message.port);
    }
    if (message.type === "sourceEventOver") return this.#outbox.over(message);
    if (message.type === "pingsAck") return this.#tellPings(this.#pings.acknowledged(message.generation));
    if (message.type === "seen") return this.#options.controllers().makeEventTypes(message.events);
    this.#tell(this.#table.acknowledged(message.generation));
  }

  #traced({ events, dropped }: Extract<EventsToControl, { readonly type: "traces" }>): void {
    this.#options.traces.receive(events);
    this.#options.traces.lost(dropped);
  }

  #tell({ brokers, triggers, channels }: EventsSettled): void {
    if (brokers.length + triggers.length + channels.length === 0) return;
    this.#options.controllers().requeueEventing({ brokers: brokers.map(keyFrom), triggers: triggers.map(keyFrom), channels: channels.map(keyFrom) });
  }

  #tellPings(keys: readonly string[]): void {
    if (keys.length > 0) this.#options.controllers().requeueEventing({ pings: keys.map(keyFrom) });
  }

  /** Names of the listener lead to that port. */
  #routeListener(port: number): void {
    const { table } = this.#options;
    const { ingress, service, slice } = listenerRoutes([BROKER_INGRESS, CHANNEL_DISPATCHER], { port, outer: this.#outerHost });
    table.upsertService(service);
    table.upsertEndpointSlice(slice);
    table.upsertIngress(ingress);
  }

  #listens(port: number): void {
    const { changed, logger } = this.#options;
    this.#routeListener(port);
    changed();
    logger.info("events are taken", { port });
    try {
      writeFileSync(this.#portFile, String(port), { mode: 0o600 });
    } catch (err) {
      logger.warn("the port of the events thread is not remembered", { err });
    }
  }

  /** Names of channels, and of plain Services that somebody's events go to, and no others. */
  #routeNames(): void {
    const { table } = this.#options;
    const wanted = new Map<string, () => Ingress>(this.#table.channelHosts().map((host) => [host, () => channelRoute(host)]));
    for (const url of [...this.#table.targets(), ...this.#pings.targets()]) {
      const target = serviceOf(url);
      const key = `${target?.namespace ?? ""}/${target?.service ?? ""}`;
      if (target !== undefined && this.#services.has(key)) wanted.set(key, () => serviceRoute(target));
    }
    let changed = false;
    for (const [key, ingress] of this.#routed) {
      if (wanted.has(key)) continue;
      table.removeIngress(ingress);
      this.#routed.delete(key);
      changed = true;
    }
    for (const [key, make] of wanted) {
      if (this.#routed.has(key)) continue;
      const ingress = make();
      table.upsertIngress(ingress);
      this.#routed.set(key, `${ingress.metadata.namespace ?? ""}/${ingress.metadata.name}`);
      changed = true;
    }
    if (changed) this.#options.changed();
  }

  #lastPort(): number {
    try {
      const port = Number(readFileSync(this.#portFile, "utf8"));
      return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
    } catch {
      return 0;
    }
  }
}

/** Has endpoints of its own: no name for something else, and none of Knative Serving's. */
function isPlain({ metadata, spec }: CoreService): boolean {
  const labels = Object.keys(metadata.labels ?? {});
  return (
    spec?.type !== "ExternalName" && !labels.some((label) => label.startsWith("serving.knative.dev/") || label.startsWith("networking.internal.knative.dev/"))
  );
}

function diskBytesAt(path: string): number {
  const { blocks, bsize } = statfsSync(path);
  return blocks * bsize;
}
