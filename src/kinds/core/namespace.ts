// Namespace of the core group.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { age } from "./columns.ts";
import { definitions } from "./definitions.ts";
import type { Namespace as NamespaceObject } from "./v1.types.ts";

export type Namespace = NamespaceObject;

const NAME_LABEL = "kubernetes.io/metadata.name";

/** With the label that lets selectors choose a namespace by its name. */
function labelled(namespace: Namespace): Namespace {
  const { metadata } = namespace;
  if (!metadata.name || metadata.labels?.[NAME_LABEL] === metadata.name) return namespace;
  return { ...namespace, metadata: { ...metadata, labels: { ...metadata.labels, [NAME_LABEL]: metadata.name } } };
}

/** A namespace without a phase is new: it is active, and its finalizer holds it until it is empty. */
function activated(namespace: Namespace): Namespace {
  if (namespace.status?.phase) return namespace;
  return { ...namespace, spec: { ...namespace.spec, finalizers: ["kubernetes"] }, status: { ...namespace.status, phase: "Active" } };
}

export const Namespace: Kind<Namespace> = builtin<Namespace>({
  group: "",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  scope: "Cluster",
  definitions,
  definition: "io.k8s.api.core.v1.Namespace",
  nameForm: "label",
  blank: { spec: {}, status: {} },
  columns: [{ name: "Status", type: "string", description: "The status of the namespace", cell: (object) => (object as Namespace).status?.phase ?? "" }, age],
  selectableFields: { "status.phase": (object) => (object as Namespace).status?.phase ?? "" },
  defaultObject: (namespace) => activated(labelled(namespace)),
});
