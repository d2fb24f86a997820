// protocol: types and pure codecs of the messages between threads and processes.
export type {
  AttemptDocument,
  DeliveryDocument,
  EventChoice,
  EventList,
  EventPath,
  EventQuery,
  EventsQuestion,
  EventStanding,
  EventStory,
  EventSummary,
  LoggedEvent,
  ReplayLine,
  ReplayWish,
  Resumed,
  StreamName,
  WatchLine,
} from "./event-history.ts";
export type {
  AttributeValues,
  ControlToEvents,
  DeliveryOrder,
  DeliveryRules,
  EventFilter,
  EventsDelta,
  EventSelection,
  EventsStart,
  EventStream,
  EventSubscriber,
  EventsToControl,
  EventTarget,
  ReplyTarget,
  SightedEvent,
} from "./events.ts";
export type { MetricFamily } from "./metric-families.ts";
export type { MissedRuns, Ping, PingsDelta } from "./ping-sources.ts";
export type { SourceEvent, SourceEventEnd } from "./source-events.ts";
export type { TracedEvent } from "./traced-events.ts";
export { DEFAULT_CLIENTS } from "./gateway.ts";
export type {
  BackendLoad,
  ClientSettings,
  ControlToGateway,
  GatewaySettings,
  GatewayStart,
  GatewayToControl,
  RequestSamples,
  TracedRequest,
} from "./gateway.ts";
export {
  decodeCall,
  decodeKeeperLine,
  encodeLine,
  KEEPER_LINE_BYTES_MAX,
  KEEPER_PROTOCOL_VERSION,
  KEEPER_SOCKET_FILE,
  keeperSocketPath,
  LineSplitter,
  type KeeperAnswer,
  type KeeperCall,
  type KeeperLine,
  type KeeperNotice,
  type KeeperRequest,
  type PlatformProgramSpec,
  type ProcessExit,
  type ProcessIdentity,
  type ProcessInput,
  type ProcessSpec,
  type ProcessState,
} from "./keeper.ts";
export { QUEUE_ROWS_PER_SLOT } from "./routes.ts";
export type { Backend, BackendPod, LoadBalancing, RouteDelta, RouteHost, RoutePath, RouteSplit } from "./routes.ts";
export { decodeRelay, encodeRelay, RELAY_FORMAT, RELAY_LINE_BYTES_MAX, type GuestLine, type HostLine, type LentPlaces } from "./relay.ts";
export { decodeSaved, encodeSaved, RESTORED_GENERATION, SAVED_ROUTES_FORMAT, type SavedRecord, type SavedRoutes } from "./saved-routes.ts";
export type { ControlToStore, StoreRow, StoreToControl } from "./store.ts";
