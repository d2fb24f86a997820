// Checks of `metadata`, in Kubernetes' order and wording.
import { fieldError, type FieldError } from "./field-error.ts";
import type { ManagedFieldsEntry } from "./apply/index.ts";
import type { Kind, MetadataChecks } from "./kind.ts";
import { managerErrors } from "./manager-name.ts";
import { names } from "./names.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "./object.ts";

const SUBRESOURCE_BYTES_MAX = 256;
const ANNOTATIONS_MAX_BYTES = 256 * 1024;

const CHECKS = { path: names.pathSegment, subdomain: names.dnsSubdomain, label: names.dnsLabel, label1035: names.dns1035Label } as const;

/** A generated name may end in a dash that the random suffix follows. */
function nameErrors(meta: ObjectMeta, kind: Kind): FieldError[] {
  const checkName = CHECKS[kind.nameForm ?? "subdomain"];
  const prefix = meta.generateName ?? "";
  const wrong: FieldError[] = [];
  if (prefix !== "") {
    const masked = prefix.endsWith("-") && prefix.length > 1 ? `${prefix.slice(0, -1)}a` : prefix;
    wrong.push(...checkName(masked).map((detail) => fieldError.invalid("metadata.generateName", prefix, detail)));
  }
  if ((meta.name ?? "") === "") {
    wrong.push(fieldError.required("metadata.name", "name or generateName is required"));
  } else {
    wrong.push(...checkName(meta.name).map((detail) => fieldError.invalid("metadata.name", meta.name, detail)));
  }
  return wrong;
}

function namespaceErrors(meta: ObjectMeta, kind: Kind): FieldError[] {
  const namespace = meta.namespace ?? "";
  if (kind.scope === "Cluster") return namespace === "" ? [] : [fieldError.forbidden("metadata.namespace", "not allowed on this type")];
  if (namespace === "") return [fieldError.required("metadata.namespace")];
  return names.dnsLabel(namespace).map((detail) => fieldError.invalid("metadata.namespace", namespace, detail));
}

/** Errors of a map of labels; also for selectors and templates. */
export function labelErrors(field: string, labels: Readonly<Record<string, string>> | undefined): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...names.qualifiedName(key).map((detail) => fieldError.invalid(field, key, detail)),
    ...names.labelValue(value).map((detail) => fieldError.invalid(field, value, detail)),
  ]);
}

/** Errors of a map of annotations: keys, and 256 KiB for all of it. */
function annotationErrors(field: string, annotations: Readonly<Record<string, string>> | undefined): FieldError[] {
  const entries = Object.entries(annotations ?? {});
  const wrong = entries.flatMap(([key]) => names.qualifiedName(key.toLowerCase()).map((detail) => fieldError.invalid(field, key, detail)));
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return bytes > ANNOTATIONS_MAX_BYTES ? [...wrong, fieldError.tooLong(field, ANNOTATIONS_MAX_BYTES)] : wrong;
}

function ownerErrors(owners: readonly OwnerReference[]): FieldError[] {
  const field = "metadata.ownerReferences";
  const wrong: FieldError[] = [];
  let controller: OwnerReference | undefined;
  for (const owner of owners) {
    const version = (owner.apiVersion ?? "").split("/").at(-1) ?? "";
    if (version === "") wrong.push(fieldError.invalid(`${field}.apiVersion`, owner.apiVersion ?? "", "version must not be empty"));
    for (const member of ["kind", "name", "uid"] as const) {
      if ((owner[member] ?? "") === "") wrong.push(fieldError.invalid(`${field}.${member}`, owner[member] ?? "", "must not be empty"));
    }
    if (owner.apiVersion === "v1" && owner.kind === "Event") wrong.push(fieldError.invalid(field, owner, "/v1, Kind=Event is disallowed from being an owner"));
    if (owner.controller !== true) continue;
    if (controller !== undefined) {
      const both = `Found "true" in references for ${controller.kind}/${controller.name} and ${owner.kind}/${owner.name}`;
      wrong.push(fieldError.invalid(field, owners, `Only one reference can have Controller set to true. ${both}`));
    }
    controller = owner;
  }
  return wrong;
}

function finalizerErrors(finalizers: readonly string[]): FieldError[] {
  const field = "metadata.finalizers";
  const wrong = finalizers.flatMap((one) => names.qualifiedName(one).map((detail) => fieldError.invalid(field, one, detail)));
  const both = finalizers.includes("orphan") && finalizers.includes("foregroundDeletion");
  return both ? [...wrong, fieldError.invalid(field, finalizers, "finalizer orphan and foregroundDeletion cannot be both set")] : wrong;
}

/** Finalizers of the general form that are no standard ones need a domain; not every kind asks for it. */
export function unqualifiedFinalizers(field: string, finalizers: readonly string[]): FieldError[] {
  const standard = new Set(["kubernetes", "orphan", "foregroundDeletion"]);
  return finalizers.flatMap((one, index) =>
    one.includes("/") || standard.has(one)
      ? []
      : [fieldError.invalid(`${field}[${index}]`, one, "name is neither a standard finalizer name nor is it fully qualified")],
  );
}

/** What is wrong with the metadata of an object inside another one. */
export function embeddedMetadataErrors({ labels, annotations }: Partial<ObjectMeta>, path: string): FieldError[] {
  return [...labelErrors(`${path}.labels`, labels), ...annotationErrors(`${path}.annotations`, annotations)];
}

/** What is wrong with names in entries that a client has rewritten; all else of a wrong entry is not even taken. */
function managedFieldsErrors(entries: readonly unknown[]): FieldError[] {
  return (entries as readonly ManagedFieldsEntry[]).flatMap(({ manager = "", subresource = "" }, index) => {
    const field = `metadata.managedFields[${index}]`;
    const long = Buffer.byteLength(subresource) > SUBRESOURCE_BYTES_MAX ? [fieldError.tooLong(`${field}.subresource`, SUBRESOURCE_BYTES_MAX)] : [];
    return [...managerErrors(`${field}.manager`, manager), ...long];
  });
}

/** What a writer of custom objects is told of new finalizers that others might also think of. */
export function finalizerWarnings(finalizers: readonly string[], old: readonly string[]): string[] {
  const added = [...new Set(finalizers)].filter((one) => !old.includes(one) && unqualifiedFinalizers("", [one]).length > 0);
  return added.sort().map((one) => {
    const path = one.includes(".") ? " including a path (/)" : "";
    return `metadata.finalizers: ${JSON.stringify(one)}: prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
  });
}

/** All that is wrong with an object's metadata as such. */
function objectErrors(kind: Kind, meta: ObjectMeta): FieldError[] {
  return [
    ...nameErrors(meta, kind),
    ...namespaceErrors(meta, kind),
    ...labelErrors("metadata.labels", meta.labels),
    ...annotationErrors("metadata.annotations", meta.annotations),
    ...ownerErrors(meta.ownerReferences ?? []),
    ...finalizerErrors(meta.finalizers ?? []),
    ...managedFieldsErrors(meta.managedFields ?? []),
  ];
}

/** What an update may not change. */
function updateErrors(meta: ObjectMeta, old: ObjectMeta): FieldError[] {
  const wrong: FieldError[] = [];
  for (const member of ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const) {
    if ((meta[member] ?? "") !== (old[member] ?? "")) wrong.push(fieldError.invalid(`metadata.${member}`, meta[member] ?? "", "field is immutable"));
  }
  const added = (meta.finalizers ?? []).filter((one) => !(old.finalizers ?? []).includes(one));
  if (old.deletionTimestamp !== undefined && added.length > 0) {
    const list = `[]string{${added.map((one) => JSON.stringify(one)).join(", ")}}`;
    wrong.push(fieldError.forbidden("metadata.finalizers", `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`));
  }
  return wrong;
}

const BUILT_IN: MetadataChecks = { update: true, object: true, finalizers: true };
const CUSTOM: MetadataChecks = { update: true, object: false, finalizers: false };

/** Everything that Kubernetes finds in an object's metadata, as often as it looks. */
export function metadataErrors(kind: Kind, { metadata: meta }: KubeObject, old: ObjectMeta | undefined, subresource = ""): FieldError[] {
  const checks = kind.metadataChecks ?? (kind.custom ? CUSTOM : BUILT_IN);
  const wrong = objectErrors(kind, meta);
  const finalizers = checks.finalizers ? unqualifiedFinalizers("metadata.finalizers", meta.finalizers ?? []) : [];
  if (old === undefined) return [...wrong, ...finalizers];
  const changed = updateErrors(meta, old);
  const own = [...wrong, ...finalizers];
  return [...wrong, ...wrong, ...changed, ...(checks.update ? [...own, ...changed] : []), ...(checks.object && subresource !== "status" ? own : [])];
}
