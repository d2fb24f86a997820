// StorageClass of storage.k8s.io/v1: how volumes are made for claims that find none.
import { equal, fieldError, names, type Column, type FieldError, type Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { age } from "../core/columns.ts";
import { definitions } from "./definitions.ts";
import type { StorageClass as StorageClassObject } from "./v1.types.ts";

export type StorageClass = StorageClassObject;

const RECLAIM_POLICIES = ["Delete", "Retain"];
const BINDING_MODES = ["Immediate", "WaitForFirstConsumer"];
const PARAMETERS_MAX = 512;
const PARAMETERS_BYTES_MAX = 256 * 1024;

function parameterErrors(parameters: Readonly<Record<string, string>>): FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length > PARAMETERS_MAX) return [fieldError.tooLong("parameters", PARAMETERS_MAX)];
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  const empty = entries.some(([key]) => key === "") ? [fieldError.invalid("parameters", "", "field can not be empty.")] : [];
  return bytes > PARAMETERS_BYTES_MAX ? [...empty, fieldError.tooLong("parameters", PARAMETERS_BYTES_MAX)] : empty;
}

function oneOf(field: string, value: string | undefined, allowed: readonly string[]): FieldError[] {
  return value === undefined || value === "" || allowed.includes(value) ? [] : [fieldError.notSupported(field, value, allowed)];
}

function changeErrors(now: StorageClass, before: StorageClass): FieldError[] {
  const fixed = (["parameters", "provisioner", "reclaimPolicy"] as const).filter((field) => !equal(now[field], before[field]));
  return [
    ...fixed.map((field) => fieldError.forbidden(field, `updates to ${field} are forbidden.`)),
    ...(now.volumeBindingMode === before.volumeBindingMode
      ? []
      : [fieldError.invalid("volumeBindingMode", now.volumeBindingMode ?? null, "field is immutable")]),
  ];
}

function classErrors(now: StorageClass, before: StorageClass | undefined): FieldError[] {
  const { provisioner, parameters = {}, reclaimPolicy, volumeBindingMode } = now;
  const lower = provisioner.toLowerCase();
  const wrong = [
    ...(provisioner === ""
      ? [fieldError.required("provisioner")]
      : names.qualifiedName(lower).map((detail) => fieldError.invalid("provisioner", lower, detail))),
    ...parameterErrors(parameters),
    ...oneOf("reclaimPolicy", reclaimPolicy, RECLAIM_POLICIES),
    ...oneOf("volumeBindingMode", volumeBindingMode, BINDING_MODES),
  ];
  return before === undefined ? wrong : [...wrong, ...changeErrors(now, before)];
}

const cell =
  (read: (its: StorageClass) => string | boolean): NonNullable<Column["cell"]> =>
  (object) =>
    read(object as unknown as StorageClass);

const DEFAULT_CLASS = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/** Claims that name no class get it. */
export const isDefaultClass = ({ metadata }: Pick<StorageClass, "metadata">): boolean => DEFAULT_CLASS.some((key) => metadata.annotations?.[key] === "true");

const columns: readonly Column[] = [
  { name: "Name", type: "string", format: "name", cell: cell((its) => (isDefaultClass(its) ? `${its.metadata.name} (default)` : its.metadata.name)) },
  { name: "Provisioner", type: "string", description: "provisioner indicates the type of the provisioner.", cell: cell(({ provisioner }) => provisioner) },
  { name: "ReclaimPolicy", type: "string", cell: cell(({ reclaimPolicy = "Delete" }) => reclaimPolicy) },
  { name: "VolumeBindingMode", type: "string", cell: cell(({ volumeBindingMode = "Immediate" }) => volumeBindingMode) },
  { name: "AllowVolumeExpansion", type: "string", cell: cell(({ allowVolumeExpansion = false }) => allowVolumeExpansion) },
  age,
];

export const StorageClass: Kind<StorageClass> = builtin<StorageClass>({
  group: "storage.k8s.io",
  kind: "StorageClass",
  plural: "storageclasses",
  shortNames: ["sc"],
  scope: "Cluster",
  definitions,
  definition: "io.k8s.api.storage.v1.StorageClass",
  metadataChecks: { update: true, object: false, finalizers: false },
  blank: { provisioner: "", reclaimPolicy: null, volumeBindingMode: null },
  columns,
  defaultObject(its) {
    const filled = { ...its, reclaimPolicy: its.reclaimPolicy ?? "Delete", volumeBindingMode: its.volumeBindingMode ?? "Immediate" };
    return equal(filled, its) ? its : filled;
  },
  validate: classErrors,
});
