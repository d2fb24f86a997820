// Namespace of the core group.
import { forbidden, rfc3339 } from "#core";
import { fieldError, unqualifiedFinalizers, type Admit, type FieldError, type Kind } from "#schema";
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

const FINALIZER = "kubernetes";

/** A new namespace is active, and its finalizer holds it until it is empty. */
function activated(namespace: Namespace): Namespace {
  const given = namespace.spec?.finalizers ?? [];
  const finalizers = given.includes(FINALIZER) ? given : [...given, FINALIZER];
  return { ...namespace, spec: { ...namespace.spec, finalizers }, status: { ...namespace.status, phase: "Active" } };
}

function namespaceErrors(namespace: Namespace, old: Namespace | undefined): FieldError[] {
  const wrong = unqualifiedFinalizers("spec.finalizers", namespace.spec?.finalizers ?? []);
  // Kubernetes tells the place of a finalizer only where they are changed.
  if (old === undefined) return wrong.map((error) => ({ ...error, field: "spec.finalizers" }));
  const [phase, when] = namespace.metadata.deletionTimestamp === undefined ? ["Active", "empty"] : ["Terminating", "not empty"];
  const told = namespace.status?.phase ?? "";
  return told === phase ? wrong : [...wrong, fieldError.invalid("status.Phase", told, `may only be '${phase}' if \`deletionTimestamp\` is ${when}`)];
}

const LASTING = ["default", "kube-system", "kube-public"];

/** Its finalizers change through `finalize` alone, and those of the system stay. */
export const namespaceAdmission: Admit<Namespace> = ({ operation, subresource, object, old }) => {
  if (operation === "DELETE" && LASTING.includes(object.metadata.name)) {
    throw forbidden({ group: "", resource: "namespaces" }, object.metadata.name, "this namespace may not be deleted");
  }
  if (operation !== "UPDATE" || subresource !== "" || old === undefined) return { object, warnings: [] };
  const { finalizers: _, ...spec } = object.spec ?? {};
  const kept = old.spec?.finalizers === undefined ? spec : { ...spec, finalizers: old.spec.finalizers };
  return { object: { ...object, spec: kept }, warnings: [] };
};

/** The deletion of a namespace has no grace: it goes when it is empty. */
export function beginNamespaceDeletion(namespace: Namespace, nowMs: number): Namespace {
  const metadata = { ...namespace.metadata, deletionTimestamp: rfc3339(nowMs) };
  return { ...namespace, metadata, status: { ...namespace.status, phase: "Terminating" } };
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
  defaultObject: labelled,
  // A generated name is known only now.
  prepareNew: (namespace) => activated(labelled(namespace)),
  validate: namespaceErrors,
});
