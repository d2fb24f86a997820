// gateway: the data path: routes, holds, limits and proxies requests; runs in threads of its own and talks by messages.
export { Backend, type Waiter } from "./backend.ts";
export { createGateway, type Gateway, type GatewayOptions } from "./gateway.ts";
export { turnsBytes } from "./split.ts";
export { Doorbell, doorbellBytes, inFlightBytes, InFlightTable, subtractThread } from "./in-flight.ts";
