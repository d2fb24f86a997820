// client: readers and writers of the API, in-process and remote, and informers.
export type { ApiCall, Client, DeleteQuery, ListQuery, ObjectList, PatchType, PropagationPolicy, Reader, Transport, WatchEvent } from "./port.ts";
