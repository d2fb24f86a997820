// The shapes that every Kubernetes object shares.

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Metadata as stored: the server has filled in what it owns. */
export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: unknown[];
}

/** Any stored object. Treat it as immutable: what the store, a client or an informer hands out is shared. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** Metadata as a client writes it; the server fills in the rest. */
export type DraftMeta = Partial<ObjectMeta>;

/** An object on its way to the server. */
export type Draft<O extends KubeObject> = Omit<O, "metadata"> & { metadata: DraftMeta };

/** A condition of a status; times are RFC 3339 with seconds, empty members are omitted. */
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  severity?: "Info" | "Warning";
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

export interface ObjectKey {
  /** "" for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
}
