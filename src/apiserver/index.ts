// apiserver: the Kubernetes REST API over a store. It knows no kind by name.
export {
  served,
  type ApiBody,
  type ApiRequest,
  type ApiResponse,
  type ApiServer,
  type ApiServerOptions,
  type Attributes,
  type Credentials,
  type EndpointRequest,
  type InProcessCall,
  type InProcessTransport,
  type InProcessWatchEvent,
  type Listening,
  type ListenOptions,
  type MadeObjects,
  type Peer,
  type ProxyTarget,
  type ServedKind,
  type StoredForm,
  type SubresourceHandler,
  type SubresourceRequest,
  type Verb,
} from "./port.ts";
export type { TerminalSize, WantedStreams } from "./streams/client-streams.ts";
export { acceptCommand, wantedStreams, type RunningCommand } from "./streams/command.ts";
export { passOn } from "./streams/proxy.ts";
export { acceptForward } from "./streams/port-forward.ts";
export { restamp } from "./keys.ts";
export { createApiServer } from "./server.ts";
