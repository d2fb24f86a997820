// client: readers and writers of the API, in-process and remote, and informers.
export { createClient, type ClientOptions } from "./client.ts";
export { FakeApi, type FakeWrite } from "./fake-api.ts";
export { createHttpTransport, type HttpTransport, type HttpTransportOptions } from "./http-transport.ts";
export {
  createInformer,
  createInformerSet,
  type InformerOptions,
  type InformerSet,
  type InformerSetOptions,
  type MetaRow,
  type RunningInformer,
} from "./informer.ts";
export { loadKubeconfig, loadKubeconfigFile, type ServerAccess } from "./kubeconfig.ts";
export {
  endsInitialEvents,
  type ApiCall,
  type ApplyOptions,
  type Client,
  type DeleteQuery,
  type ListQuery,
  type ObjectList,
  type PatchType,
  type PropagationPolicy,
  type Reader,
  type Transport,
  type WatchCall,
  type WatchEvent,
  type WatchQuery,
} from "./port.ts";
export { keyFrom, keyOf, type Change, type Informer } from "./projection.ts";
