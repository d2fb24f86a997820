// events: the data path of events, in a thread of its own: streams take events, filters choose, subscribers get them.
export { HttpSender } from "./delivery/send.ts";
export { EventsNode } from "./events-node.ts";
export { EventHistory } from "./history/history.ts";
export { EventMeters } from "./observe/event-meters.ts";
export { EventTracer } from "./observe/event-tracer.ts";
export { Ingress } from "./ingress/server.ts";
export type { RunMark } from "./sources/ping-plan.ts";
export { PingSources } from "./sources/ping-sources.ts";
export { SourceEvents } from "./sources/source-events.ts";
export { Sightings } from "./sightings.ts";
