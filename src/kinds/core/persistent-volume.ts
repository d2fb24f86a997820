// PersistentVolume of the core group: a piece of storage that exists, and the claim that it is bound to.
import { equal, fieldError, labelErrors, parseQuantity, sortKeys, type Admit, type Column, type FieldError, type Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { age } from "./columns.ts";
import { definitions } from "./definitions.ts";
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
import { VOLUME_PROTECTION, withFinalizer } from "./storage-protection.ts";
import type { PersistentVolume as PersistentVolumeObject, PersistentVolumeSpec } from "./v1.types.ts";
import { hostPathErrors, noBacksteps } from "./volume-validation.ts";

export type PersistentVolume = PersistentVolumeObject;

/** In the order in which Kubernetes looks at them: of two the later one is too many. */
const SOURCES = [
  ...(["hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi", "cinder", "fc"] as const),
  ...(["flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi"] as const),
] as const;
const RECLAIM_POLICIES = ["Delete", "Recycle", "Retain"];

const sourcesOf = (spec: PersistentVolumeSpec) => SOURCES.filter((source) => spec[source] !== undefined);

/** Of the sources that pods can use here; others are counted only, since nothing here would mount them. */
function sourceErrors(spec: PersistentVolumeSpec): FieldError[] {
  const [first, ...others] = sourcesOf(spec);
  const { hostPath, local, nodeAffinity } = spec;
  const tooMany = others.map((source) => fieldError.forbidden(`spec.${source}`, "may not specify more than 1 volume type"));
  if (first === undefined) return [fieldError.required("spec", "must specify a volume type")];
  if (first === "hostPath" && hostPath !== undefined) return [...hostPathErrors("spec.hostPath", hostPath), ...tooMany];
  if (first !== "local" || local === undefined) return tooMany;
  const field = "spec.local.path";
  const unplaced = nodeAffinity === undefined ? [fieldError.required("spec.nodeAffinity", "Local volume requires node affinity")] : [];
  return [...(local.path ? noBacksteps(field, local.path) : [fieldError.required(field)]), ...unplaced, ...tooMany];
}

function capacityErrors({ capacity }: PersistentVolumeSpec): FieldError[] {
  const field = "spec.capacity";
  const sizes = Object.entries(capacity ?? {});
  const other = capacity?.["storage"] === undefined || sizes.length > 1;
  return [
    ...(sizes.length === 0 ? [fieldError.required(field)] : []),
    ...(other ? [fieldError.notSupported(field, capacity === undefined ? null : sortKeys(capacity), ["storage"])] : []),
    ...sizes.flatMap(([name, value]) => {
      const quantity = parseQuantity(value);
      const negative = quantity !== undefined && quantity.nano <= -1_000_000_000n;
      const whole = negative ? [fieldError.invalid(`${field}[${name}]`, Number(quantity.nano / 1_000_000_000n), "must be a valid resource quantity")] : [];
      return [...whole, ...positiveErrors(`${field}[${name}]`, value)];
    }),
  ];
}

function specErrors(spec: PersistentVolumeSpec): FieldError[] {
  const { accessModes = [], persistentVolumeReclaimPolicy: policy = "", nodeAffinity, hostPath } = spec;
  const unbound = nodeAffinity !== undefined && nodeAffinity.required === undefined;
  const rooted = policy === "Recycle" && hostPath !== undefined && /^\/+$/.test(hostPath.path);
  return [
    ...(accessModes.length === 0 ? [fieldError.required("spec.accessModes")] : []),
    ...accessModeErrors("spec.accessModes", accessModes),
    ...capacityErrors(spec),
    ...(policy === "" || RECLAIM_POLICIES.includes(policy) ? [] : [fieldError.notSupported("spec.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES)]),
    ...(unbound ? [fieldError.required("spec.nodeAffinity.required", "must specify required node constraints")] : []),
    ...sourceErrors(spec),
    ...(rooted ? [fieldError.forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")] : []),
    ...classNameErrors("spec.storageClassName", spec.storageClassName),
    ...volumeModeErrors("spec.volumeMode", spec.volumeMode),
  ];
}

const FIXED = "spec.persistentvolumesource is immutable after creation";

function changeErrors(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): FieldError[] {
  const moved = old.nodeAffinity !== undefined && !equal(spec.nodeAffinity, old.nodeAffinity);
  const affinity = "field is immutable, except for updating from beta label to GA";
  const sources = (of: PersistentVolumeSpec): object => Object.fromEntries(sourcesOf(of).map((source) => [source, of[source]]));
  return [
    ...(equal(sources(spec), sources(old)) ? [] : [fieldError.forbidden("spec.persistentvolumesource", FIXED)]),
    ...(spec.volumeMode === old.volumeMode ? [] : [fieldError.invalid("volumeMode", spec.volumeMode ?? null, "field is immutable")]),
    ...(moved ? [fieldError.invalid("nodeAffinity", spec.nodeAffinity ?? null, affinity)] : []),
  ];
}

/** A changed volume is looked at twice, as Kubernetes does. */
function volumeErrors(volume: PersistentVolume, old: PersistentVolume | undefined, subresource = ""): FieldError[] {
  if (subresource === "status") return [];
  const wrong = specErrors(volume.spec);
  return old === undefined ? wrong : [...wrong, ...labelErrors("metadata.labels", volume.metadata.labels), ...wrong, ...changeErrors(volume.spec, old.spec)];
}

function volumeDefaults(volume: PersistentVolume): PersistentVolume {
  const { status = {} } = volume;
  const spec = volume.spec ?? {};
  const { hostPath } = spec;
  const typed = hostPath === undefined || hostPath.type !== undefined ? {} : { hostPath: { ...hostPath, type: "" } };
  const filled = {
    ...spec,
    ...typed,
    persistentVolumeReclaimPolicy: spec.persistentVolumeReclaimPolicy || "Retain",
    volumeMode: spec.volumeMode ?? "Filesystem",
  };
  const phased = status.phase ? status : { ...status, phase: "Pending" };
  return equal(filled, spec) && phased === volume.status ? volume : { ...volume, spec: filled, status: phased };
}

/** A new one is held by its claim. Tells when it came into the phase that it is in; who writes the status may say so, too. */
export function volumeAdmission(now: () => string): Admit<PersistentVolume> {
  return ({ operation, subresource, object, old }) => {
    if (operation === "CREATE") {
      const status = { phase: "Pending", lastPhaseTransitionTime: object.metadata.creationTimestamp };
      return { object: { ...withFinalizer(object, VOLUME_PROTECTION), status }, warnings: [] };
    }
    if (subresource !== "status" || old === undefined) return { object, warnings: [] };
    const { phase, lastPhaseTransitionTime: said } = object.status ?? {};
    const before = old.status?.lastPhaseTransitionTime;
    const since = phase === old.status?.phase ? (said ?? before) : said === undefined || said === before ? now() : said;
    return {
      object: since === said || since === undefined ? object : { ...object, status: { ...object.status, lastPhaseTransitionTime: since } },
      warnings: [],
    };
  };
}

const cell =
  (read: (volume: PersistentVolume) => string): NonNullable<Column["cell"]> =>
  (object) =>
    read(object as PersistentVolume);

const columns: readonly Column[] = [
  { name: "Capacity", type: "string", cell: cell(({ spec }) => storageText(spec.capacity)) },
  { name: "Access Modes", type: "string", cell: cell(({ spec }) => accessModesText(spec.accessModes)) },
  { name: "Reclaim Policy", type: "string", cell: cell(({ spec }) => spec.persistentVolumeReclaimPolicy ?? "") },
  { name: "Status", type: "string", cell: cell((volume) => terminatingOr(volume, volume.status?.phase)) },
  {
    name: "Claim",
    type: "string",
    cell: cell(({ spec: { claimRef } }) => (claimRef === undefined ? "" : `${claimRef.namespace ?? ""}/${claimRef.name ?? ""}`)),
  },
  { name: "StorageClass", type: "string", description: "StorageClass of the pv", cell: cell((volume) => storageClassOf(volume) ?? "") },
  {
    name: "VolumeAttributesClass",
    type: "string",
    description: "VolumeAttributesClass of the pv",
    cell: cell(({ spec }) => spec.volumeAttributesClassName ?? "<unset>"),
  },
  { name: "Reason", type: "string", cell: cell(({ status }) => status?.reason ?? "") },
  age,
  { name: "VolumeMode", type: "string", priority: 1, cell: cell(({ spec }) => spec.volumeMode ?? "<unset>") },
];

export const PersistentVolume: Kind<PersistentVolume> = builtin<PersistentVolume>({
  group: "",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  shortNames: ["pv"],
  scope: "Cluster",
  definitions,
  definition: "io.k8s.api.core.v1.PersistentVolume",
  metadataChecks: { update: false, object: true, finalizers: true },
  blank: { spec: {}, status: {} },
  columns,
  // As very old clients say it.
  selectableFields: { name: (object) => object.metadata.name },
  defaultObject: volumeDefaults,
  validate: volumeErrors,
});
