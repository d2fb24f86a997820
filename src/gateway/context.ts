// What all connections of a gateway thread share.
import type { Clock, Rng } from "#core";
import type { ClientSettings, GatewaySettings } from "#protocol";
import type { Backend } from "./pods/backend.ts";
import type { ColdStarts } from "./start/cold-starts.ts";
import type { Counters } from "./counters.ts";
import type { HostPlaces } from "./routes/host-places.ts";
import type { LoadReporter } from "./load.ts";
import type { ParkedHeads } from "./http/parked-heads.ts";
import type { Outbox } from "./sockets/outbox.ts";
import type { ReadBuffers } from "./sockets/read-buffers.ts";
import type { RequestObserver } from "./request/request-facts.ts";
import type { RoutingTable } from "./routes/routing-table.ts";
import type { Starts } from "./start/start-times.ts";
import type { TimerWheel } from "./sockets/timer-wheel.ts";
import type { TrustedProxies } from "./http/trusted-proxies.ts";

export interface GatewayContext {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly routes: RoutingTable;
  readonly places: HostPlaces;
  readonly backends: ReadonlyMap<string, Backend>;
  /** Requests' deadlines. */
  readonly deadlines: TimerWheel;
  /** Coarse: idle connections, slow heads. */
  readonly idles: TimerWheel;
  readonly load: LoadReporter;
  readonly buffers: ReadBuffers;
  readonly outbox: Outbox;
  readonly parkedHeads: ParkedHeads;
  readonly counters: Counters;
  /** Told of each request, in this order. */
  readonly observers: readonly RequestObserver[];
  /** How pods came up. */
  readonly starts: Starts;
  readonly coldStarts: ColdStarts;
  /** Tells control that the first of the requests that woke a revision is answered. */
  readonly answered: (backend: Backend) => void;
  /** The latest from control. */
  settings: GatewaySettings;
  /** Made of the settings. */
  clients: ClientSettings;
  trusted: TrustedProxies;
  /** Tells control that requests wait for a revision without a ready pod; at most once a second for each. */
  readonly wake: (backend: Backend, nowMs: number) => void;
  /** True once the gateway drains: connections close after their response. */
  draining: boolean;
  /** How long a kept connection may be quiet in a drain before it is closed. */
  drainIdleMs: number;
}
