// PersistentVolumeClaim of the core group: storage that outlives pods, as somebody asks for it.
import { compareQuantities, equal, fieldError, labelErrors, names, parseQuantity, type Column, type FieldError, type Kind, type Quantity } from "#schema";
import { builtin } from "./builtin.ts";
import { age } from "./columns.ts";
import { definitions } from "./definitions.ts";
import { labelSelectorErrors } from "./label-selector-errors.ts";
import {
  accessModeErrors,
  accessModesText,
  classNameErrors,
  positiveErrors,
  storageClassOf,
  storageText,
  terminatingOr,
  volumeModeErrors,
} from "./storage-checks.ts";
import type { PersistentVolumeClaim as PersistentVolumeClaimObject, PersistentVolumeClaimSpec, TypedObjectReference } from "./v1.types.ts";

export type PersistentVolumeClaim = PersistentVolumeClaimObject;

const STORAGE = "spec.resources[storage]";

/** Go writes a group that nobody named as null. */
const groupOf = ({ apiGroup }: { readonly apiGroup?: string | null }): string => apiGroup ?? "";

/** Of what a new volume is to begin with. */
function sourceErrors(field: string, { name, kind, namespace = "", ...reference }: TypedObjectReference): FieldError[] {
  const apiGroup = groupOf(reference);
  const inCore = apiGroup === "" && kind !== "PersistentVolumeClaim";
  return [
    ...(name ? [] : [fieldError.required(`${field}.name`)]),
    ...(kind ? [] : [fieldError.required(`${field}.kind`)]),
    ...(inCore ? [fieldError.invalid(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")] : []),
    ...(apiGroup === "" ? [] : names.dnsSubdomain(apiGroup).map((detail) => fieldError.invalid(`${field}.apiGroup`, apiGroup, detail))),
    ...(namespace === "" ? [] : names.dnsLabel(namespace).map((detail) => fieldError.invalid(`${field}.namespace`, namespace, detail))),
  ];
}

function sourcesErrors({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec): FieldError[] {
  const differ = dataSource !== undefined && dataSourceRef !== undefined && !equal({ ...dataSource }, { ...dataSourceRef });
  return [
    ...(dataSource === undefined ? [] : sourceErrors("spec.dataSource", dataSource)),
    ...(dataSourceRef === undefined ? [] : sourceErrors("spec.dataSourceRef", dataSourceRef)),
    ...(differ ? [fieldError.invalid("spec", "spec.dataSource", "must match dataSourceRef")] : []),
  ];
}

function specErrors(spec: PersistentVolumeClaimSpec): FieldError[] {
  const { accessModes = [], selector, resources, storageClassName, volumeMode } = spec;
  const storage = resources?.requests?.["storage"];
  return [
    ...(accessModes.length === 0 ? [fieldError.required("spec.accessModes", "at least 1 access mode is required")] : []),
    ...(selector === undefined ? [] : labelSelectorErrors("spec.selector", selector as Parameters<typeof labelSelectorErrors>[1])),
    ...accessModeErrors("spec.accessModes", accessModes),
    ...(storage === undefined ? [fieldError.required(STORAGE)] : positiveErrors(STORAGE, storage)),
    ...classNameErrors("spec.storageClassName", storageClassName),
    ...volumeModeErrors("spec.volumeMode", volumeMode),
    ...sourcesErrors(spec),
  ];
}

const FIXED = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

/** What of a claim stays: its volume is said once, its class where none was said, its size grows once it is bound. */
function fixedPart(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): PersistentVolumeClaimSpec {
  const { volumeName, storageClassName, resources, ...rest } = claim.spec;
  const bound = claim.status?.phase === "Bound";
  const grown = { ...resources, requests: { ...resources?.requests, storage: old.spec.resources?.requests?.["storage"] ?? "0" } };
  return {
    ...rest,
    ...(old.spec.volumeName && volumeName !== undefined ? { volumeName } : {}),
    ...(old.spec.storageClassName !== undefined && storageClassName !== undefined ? { storageClassName } : {}),
    ...(resources === undefined ? {} : { resources: bound ? grown : resources }),
  };
}

const sizeOf = (resources: Readonly<Record<string, string | number>> | undefined): Quantity =>
  parseQuantity(resources?.["storage"] ?? "0") ?? { nano: 0n, format: "BinarySI" };

function changeErrors(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const [size, before, has] = [sizeOf(claim.spec.resources?.requests), sizeOf(old.spec.resources?.requests), sizeOf(old.status?.capacity)];
  const lessThanIs = compareQuantities(size, before) < 0 && compareQuantities(size, has) <= 0;
  return [
    ...(equal(fixedPart(claim, old), fixedPart(old, old)) ? [] : [fieldError.forbidden("spec", FIXED)]),
    ...(lessThanIs ? [fieldError.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")] : []),
    ...(claim.spec.volumeMode === old.spec.volumeMode ? [] : [fieldError.invalid("volumeMode", claim.spec.volumeMode ?? null, "field is immutable")]),
  ];
}

/** A changed claim is looked at twice, as Kubernetes does. */
function claimErrors(claim: PersistentVolumeClaim, old: PersistentVolumeClaim | undefined, subresource = ""): FieldError[] {
  if (subresource === "status") return [];
  const wrong = specErrors(claim.spec);
  return old === undefined ? wrong : [...wrong, ...labelErrors("metadata.labels", claim.metadata.labels), ...wrong, ...changeErrors(claim, old)];
}

/** A source that only some understand is said in two fields with the same content; others were never taken here. */
function withSources(spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  const { dataSource, dataSourceRef, ...rest } = spec;
  if (dataSourceRef === undefined) {
    if (dataSource === undefined) return spec;
    const { kind } = dataSource;
    const apiGroup = groupOf(dataSource);
    const known = (kind === "PersistentVolumeClaim" && apiGroup === "") || (kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io");
    return known ? { ...spec, dataSourceRef: { ...dataSource } } : rest;
  }
  // Namespaces of sources are behind a feature that is off.
  if ((dataSourceRef.namespace ?? "") !== "") return dataSource === undefined ? rest : { ...rest, dataSource, dataSourceRef: { ...dataSource } };
  return dataSource === undefined ? { ...spec, dataSource: { ...dataSourceRef } } : spec;
}

function claimDefaults(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const spec = claim.spec ?? {};
  const filled = spec.volumeMode === undefined ? { ...spec, volumeMode: "Filesystem" } : spec;
  const status = claim.status?.phase ? claim.status : { ...claim.status, phase: "Pending" };
  return filled === claim.spec && status === claim.status ? claim : { ...claim, spec: filled, status };
}

const cell =
  (read: (claim: PersistentVolumeClaim) => string): NonNullable<Column["cell"]> =>
  (object) =>
    read(object as PersistentVolumeClaim);

const isBound = ({ spec }: PersistentVolumeClaim): boolean => (spec.volumeName ?? "") !== "";

const columns: readonly Column[] = [
  {
    name: "Status",
    type: "string",
    description: "phase represents the current phase of PersistentVolumeClaim.",
    cell: cell((claim) => terminatingOr(claim, claim.status?.phase)),
  },
  {
    name: "Volume",
    type: "string",
    description: "volumeName is the binding reference to the PersistentVolume backing this claim.",
    cell: cell(({ spec }) => spec.volumeName ?? ""),
  },
  { name: "Capacity", type: "string", cell: cell((claim) => (isBound(claim) ? storageText(claim.status?.capacity) : "")) },
  { name: "Access Modes", type: "string", cell: cell((claim) => (isBound(claim) ? accessModesText(claim.status?.accessModes) : "")) },
  { name: "StorageClass", type: "string", description: "StorageClass of the pvc", cell: cell((claim) => storageClassOf(claim) ?? "") },
  {
    name: "VolumeAttributesClass",
    type: "string",
    description: "VolumeAttributesClass of the pvc",
    cell: cell(({ spec }) => spec.volumeAttributesClassName ?? "<unset>"),
  },
  age,
  { name: "VolumeMode", type: "string", priority: 1, cell: cell(({ spec }) => spec.volumeMode ?? "<unset>") },
];

export const PersistentVolumeClaim: Kind<PersistentVolumeClaim> = builtin<PersistentVolumeClaim>({
  group: "",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  shortNames: ["pvc"],
  definitions,
  definition: "io.k8s.api.core.v1.PersistentVolumeClaim",
  metadataChecks: { update: true, object: true, finalizers: true },
  blank: { spec: { resources: {} }, status: {} },
  columns,
  // As very old clients say it.
  selectableFields: { name: (object) => object.metadata.name },
  defaultObject: claimDefaults,
  prepareNew(claim) {
    const spec = withSources(claim.spec);
    return spec === claim.spec ? claim : { ...claim, spec };
  },
  validate: claimErrors,
});
