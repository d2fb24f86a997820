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
  type InProcessCall,
  type InProcessTransport,
  type InProcessWatchEvent,
  type Listening,
  type ListenOptions,
  type Peer,
  type ServedKind,
  type StoredForm,
  type SubresourceHandler,
  type SubresourceRequest,
  type Verb,
} from "./port.ts";
export { acceptCommand, wantedStreams, type RunningCommand, type TerminalSize, type WantedStreams } from "./streams/command.ts";
export { restamp } from "./keys.ts";
export { createApiServer } from "./server.ts";
