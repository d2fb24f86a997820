// Puts the API server together.
import type { ApiServer, ApiServerOptions } from "./port.ts";

export function createApiServer(options: ApiServerOptions): ApiServer {
  throw new Error(`${options.version}: being written`);
}
