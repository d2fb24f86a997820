// host: the real machine behind core's interfaces; only `main` imports it.
export { servingCertificate, type ServingCertificate } from "./certificates.ts";
export { createJsonLogger } from "./json-logger.ts";
export { createSystemRng } from "./system-rng.ts";
export { systemClock } from "./system-clock.ts";
