// The gateway threads of this process. Where the last platform left a routing state they start with it at once, before the control plane.
import { join } from "node:path";
import { silentLogger } from "#core";
import { createSystemRng, systemClock } from "#host";
import { createJsonLogger } from "#host/log";
import { joinKeeper, parsePlatformArgs, threadSockets } from "#keeper";
import { RESTORED_GENERATION, type BackendPod, type GatewaySettings, type GatewayToControl, type RouteDelta, type SavedRoutes } from "#protocol";
import { connectKeeper, type KeeperClient } from "#runtimes/keeper";
import { dataFolder } from "./data-folder.ts";
import { Drainers } from "./drainers.ts";
import { EarlyMessages } from "./early-messages.ts";
import { GatewayThreads } from "./gateway-threads.ts";
import { openToGuests, type GuestThreads } from "./guest-threads.ts";
import { LentPlaces } from "./lent-places.ts";
import { parseSettings } from "./options.ts";
import { preload } from "./preload.ts";
import { readSavedRoutes } from "./route-journal.ts";

/** Pods that can be routed to at once: rows of the shared in-flight table. */
export const SLOTS = 4096;
/** The working folder is the data folder, so that the path is short. */
export const GUESTS_SOCKET = "run/guests.sock";

/** What the control plane does for the threads, once it is there. */
export interface ThreadControl {
  readonly settings: () => GatewaySettings;
  readonly firstBatch: (thread: number) => RouteDelta;
  readonly onMessage: (message: GatewayToControl) => void;
  readonly onGone: (thread: number) => void;
}

const parsed = parsePlatformArgs(process.argv);
if (parsed === undefined) throw new Error("the platform is started by the keeper: use `eider up`");
export const start = parsed;
export const folder = dataFolder(start.dataDir);
export const link = joinKeeper(process);
export const logger = createJsonLogger({ path: join(folder.log, "platform.log"), level: "info", name: "platform" });
export const savedRoutesFile = join(folder.run, "routes.log");

const forever = new AbortController().signal;
const asked = parseSettings(start.argv);
const early = new EarlyMessages();
/** Threads that have started before the control plane was there. */
const live = new Set<number>();
let control: ThreadControl | undefined;

// Beside a platform that serves: all that takes long, before that one lets go.
if (start.handOver === true) {
  await preload();
  link.done("prepared");
  await link.step("go");
}

/** Rejects when the keeper cannot be reached. */
export const keeper: Promise<KeeperClient> = connectKeeper({ dataDir: folder.root, clock: systemClock, logger: silentLogger }, forever);
keeper.catch(() => undefined);

/** What the threads serve by until the control plane is there; undefined when nothing (of use) was left. */
export const restored: SavedRoutes | undefined = await restore();

const forThreads: ThreadControl = {
  settings: () => (control ?? restoredControl()).settings(),
  firstBatch: (thread) => (control ?? restoredControl()).firstBatch(thread),
  onMessage(message) {
    if (message.type === "podReady") places.lender.podReady(message.backend, message.pod);
    if (control === undefined) early.keep(message);
    else control.onMessage(message);
  },
  onGone: (thread) => (control === undefined ? void live.delete(thread) : control.onGone(thread)),
};

export const threads = new GatewayThreads({
  sockets: threadSockets(start.sockets),
  publicPort: asked.externalPort ?? start.sockets.httpPort,
  slots: SLOTS,
  logFolder: folder.log,
  logger,
  clock: systemClock,
  rng: createSystemRng(),
  ...forThreads,
  onHopeless() {
    logger.error("no gateway thread comes to listen: the platform ends, and the keeper starts the next one");
    process.exit(1);
  },
  async nextSockets(thread) {
    const [its] = await Promise.all([link.nextSockets(thread, forever), (await keeper).call({ do: "replaceSocket", thread })]);
    return its;
  },
});

/** Places on pods with a limit that platforms have which drain beside this one. */
export const places = new LentPlaces({ hand: threads.hand, clock: systemClock, rng: createSystemRng(), signal: forever });
const drainers = new Drainers(folder.run);

/** Platforms that drain are guests from the first request on, if there is something to serve by. */
export const guests: GuestThreads | undefined = restored === undefined ? undefined : await receiveGuests(restored);

/** Resolves when all listen; undefined when they have to wait for the control plane. */
export const listening: Promise<void> | undefined = restored === undefined ? undefined : threads.start();

/** The control plane is there: it is told of the threads that run and what they have said, and answers for them from now on. */
export function attach(to: ThreadControl): void {
  control = to;
  for (const thread of live) to.firstBatch(thread);
  for (const message of early.take()) to.onMessage(message);
  if (early.dropped > 0) logger.warn("messages of gateway threads were dropped before the control plane was there", { count: early.dropped });
}

/** The next platform has the control plane: the threads serve on by what it says. */
export function detach(to: Pick<ThreadControl, "onMessage" | "onGone">): void {
  if (control !== undefined) control = { ...control, ...to };
}

/** Once the gateway threads have routes. */
export function openGuests(): Promise<GuestThreads> {
  return openToGuests({ path: GUESTS_SOCKET, control: forThreads, places, onPlaces: (pid) => drainers.told(pid), logger });
}

/** Nobody has a place on a pod before it is known how many the guests have. */
async function receiveGuests({ backends }: SavedRoutes): Promise<GuestThreads> {
  if (drainers.awaited > 0) {
    places.lender.reserve(backends);
    void drainers.settled(systemClock, forever).then((told) => {
      if (!told) logger.warn("a platform that drains does not tell what it serves: limits may be passed until it ends");
      places.lender.settled();
    });
  }
  return openGuests();
}

function restoredControl(): Pick<ThreadControl, "settings" | "firstBatch"> {
  if (restored === undefined) throw new Error("gateway threads need a routing table to start with");
  const { settings, hosts, backends } = restored;
  return {
    settings: () => settings,
    firstBatch(thread) {
      live.add(thread);
      return { type: "routes", generation: RESTORED_GENERATION, reset: true, hosts, hostsRemoved: [], backends, backendsRemoved: [] };
    },
  };
}

/** Without the pods whose processes have ended meanwhile: somebody else may listen where they did. */
async function restore(): Promise<SavedRoutes | undefined> {
  const saved = readSavedRoutes(savedRoutesFile);
  if (saved === undefined) return undefined;
  try {
    const { processes = [] } = await (await keeper).call({ do: "list" });
    const running = new Set(processes.filter((process) => process.running).map(({ id }) => id.slice(id.indexOf(":") + 1, id.indexOf("/"))));
    // A pod with an address of its own is no process of the keeper's, and shares its ports with nobody.
    const isThere = ({ id, address }: BackendPod): boolean => address !== "127.0.0.1" || running.has(id);
    return { ...saved, backends: saved.backends.map((backend) => ({ ...backend, pods: backend.pods.filter(isThere) })) };
  } catch (err) {
    logger.warn("the last routing state is not used", { err });
    return undefined;
  }
}
