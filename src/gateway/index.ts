// gateway: the data path: routes, holds, limits and proxies requests; runs in threads of its own and talks by messages.
export { createGateway, type Gateway, type GatewayOptions } from "./gateway.ts";
export { doorbellBytes, inFlightBytes, subtractThread } from "./in-flight.ts";
