// routing: from Ingresses, Revisions and Pods to route deltas with a generation; pure, no IO.
export { RouteTable, type IngressState, type RouteTableOptions, type Settled } from "./route-table.ts";
export { PingTable } from "./events/ping-table.ts";
export { EventTable, type EventsSettled, type EventStanding } from "./events/event-table.ts";
export type { ChannelStanding } from "./events/channel-table.ts";
export { gatewaySettings, tracingOf } from "./gateway-settings.ts";
export { StartTimes } from "./start-times.ts";
