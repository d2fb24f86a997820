// What Kubernetes refuses in volumes, and in the variables that take their values from elsewhere.
import { fieldError, names, type FieldError } from "#schema";
import type { EnvVar, HostPathVolumeSource, Volume } from "./v1.types.ts";

const SOURCES = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"] as const;

const required = (field: string, value: string | undefined): FieldError[] => (value === undefined || value === "" ? [fieldError.required(field)] : []);

const HOST_PATH_TYPES = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

export function noBacksteps(field: string, path: string): FieldError[] {
  return path.split("/").includes("..") ? [fieldError.invalid(field, path, "must not contain '..'")] : [];
}

export function hostPathErrors(field: string, { path, type }: HostPathVolumeSource): FieldError[] {
  if (!path) return [fieldError.required(`${field}.path`)];
  const unknown = type === undefined || HOST_PATH_TYPES.includes(type) ? [] : [fieldError.notSupported(`${field}.type`, type, HOST_PATH_TYPES)];
  return [...noBacksteps(`${field}.path`, path), ...unknown];
}

function sourceErrors(field: string, volume: Volume): FieldError[] {
  const { secret, configMap, hostPath, persistentVolumeClaim } = volume;
  return [
    ...Object.keys(volume)
      .filter((name) => name !== "name")
      .slice(1)
      .map((source) => fieldError.forbidden(`${field}.${source}`, "may not specify more than 1 volume type")),
    ...(hostPath === undefined ? [] : hostPathErrors(`${field}.hostPath`, hostPath)),
    ...(secret === undefined ? [] : required(`${field}.secret.secretName`, secret.secretName)),
    ...(persistentVolumeClaim === undefined ? [] : required(`${field}.persistentVolumeClaim.claimName`, persistentVolumeClaim.claimName)),
    ...(configMap === undefined ? [] : required(`${field}.configMap.name`, configMap.name)),
  ];
}

/** Errors of the list at `field`; a volume with an error cannot be mounted, so its name is not among `usable`. */
export function volumeErrors(field: string, volumes: readonly Volume[]): { readonly errors: FieldError[]; readonly usable: ReadonlySet<string> } {
  const errors: FieldError[] = [];
  const usable = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const { name } = volume;
    const at = `${field}[${index}]`;
    const wrong = [
      ...sourceErrors(at, volume),
      ...(name ? names.dnsLabel(name).map((detail) => fieldError.invalid(`${at}.name`, name, detail)) : [fieldError.required(`${at}.name`)]),
      ...(usable.has(name) ? [fieldError.duplicate(`${at}.name`, name)] : []),
    ];
    if (wrong.length === 0) usable.add(name);
    errors.push(...wrong);
  }
  return { errors, usable };
}

/** What a variable may show of its pod. */
const SHOWN = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const KEYED = /^metadata\.(labels|annotations)\['[^']*'\]$/;

function fieldPathErrors(field: string, path: string | undefined): FieldError[] {
  if (path === undefined || path === "") return [fieldError.required(field)];
  if (SHOWN.includes(path) || KEYED.test(path)) return [];
  if (path === "metadata.labels" || path === "metadata.annotations") return [fieldError.notSupported(field, path, SHOWN)];
  return [fieldError.invalid(field, path, `error converting fieldPath: field label not supported: ${path}`)];
}

function valueFromErrors(field: string, { value, valueFrom = {} }: EnvVar): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  const keyErrors = (at: string, key: string | undefined): FieldError[] =>
    key ? names.configKey(key).map((detail) => fieldError.invalid(at, key, detail)) : [fieldError.required(at)];
  const given = SOURCES.filter((source) => valueFrom[source] !== undefined);
  const nameErrors = (at: string, name: string | undefined): FieldError[] =>
    names.dnsSubdomain(name ?? "").map((detail) => fieldError.invalid(at, name ?? "", detail));
  const wrong = [
    ...(fieldRef === undefined ? [] : fieldPathErrors(`${field}.fieldRef.fieldPath`, fieldRef.fieldPath)),
    ...(resourceFieldRef === undefined ? [] : required(`${field}.resourceFieldRef.resource`, resourceFieldRef.resource)),
    ...(configMapKeyRef === undefined ? [] : nameErrors(`${field}.configMapKeyRef.name`, configMapKeyRef.name)),
    ...(configMapKeyRef === undefined ? [] : keyErrors(`${field}.configMapKeyRef.key`, configMapKeyRef.key)),
    ...(secretKeyRef === undefined ? [] : nameErrors(`${field}.secretKeyRef.name`, secretKeyRef.name)),
    ...(secretKeyRef === undefined ? [] : keyErrors(`${field}.secretKeyRef.key`, secretKeyRef.key)),
  ];
  if (given.length === 0) wrong.push(fieldError.invalid(field, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"));
  else if (value) wrong.push(fieldError.invalid(field, "", "may not be specified when `value` is not empty"));
  else if (given.length > 1) wrong.push(fieldError.invalid(field, "", "may not have more than one field specified at a time"));
  return wrong;
}

/** Errors of a container's variables at `field`. */
export function envErrors(field: string, env: readonly EnvVar[]): FieldError[] {
  return env.flatMap((variable, index) => [
    ...required(`${field}[${index}].name`, variable.name),
    ...(variable.valueFrom === undefined ? [] : valueFromErrors(`${field}[${index}].valueFrom`, variable)),
  ]);
}
