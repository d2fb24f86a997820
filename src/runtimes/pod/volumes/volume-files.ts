// From objects and fields to the files of a volume, in the kubelet's words for what is missing. Pure.
import type { ConfigMap, CoreContainer, Pod, Secret, Volume } from "#kinds";
import type { PodPlace } from "../../engine.ts";
import { fieldOf, resourceOf, type NodeResources } from "../pod-fields.ts";

export interface VolumeFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/** By path below the volume. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

/** The volume cannot be had now; the kubelet tells it in an Event FailedMount and tries again. */
export class VolumeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "VolumeError";
  }
}

/** The volume is a claim that is not bound; told for the pod as a whole. */
export class UnboundError extends VolumeError {}

const DEFAULT_MODE = 0o644;

export interface KeysSource {
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[];
  readonly optional?: boolean;
}

type Values = ReadonlyMap<string, Uint8Array>;

export function configMapValues({ data = {}, binaryData = {} }: ConfigMap): Values {
  return new Map([
    ...Object.entries(data).map(([key, text]) => [key, Buffer.from(text)] as const),
    ...Object.entries(binaryData).map(([key, text]) => [key, Buffer.from(text, "base64")] as const),
  ]);
}

export function secretValues({ data = {} }: Secret): Values {
  return new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64")]));
}

/** `values` is undefined when the object is not there. Throws VolumeError. */
export function keyFiles(
  type: "configmap" | "secret",
  {
    name,
    values,
    source,
    defaultMode = DEFAULT_MODE,
  }: { readonly name: string; readonly values: Values | undefined; readonly source: KeysSource; readonly defaultMode?: number | undefined },
): VolumeFiles {
  const { items = [], optional = false } = source;
  if (values === undefined && !optional) throw new VolumeError(`${type} "${name}" not found`);
  const found = values ?? new Map<string, Uint8Array>();
  if (items.length === 0) return new Map([...found].map(([key, bytes]) => [key, { bytes, mode: defaultMode }]));
  const files = new Map<string, VolumeFile>();
  for (const { key, path, mode = defaultMode } of items) {
    const bytes = found.get(key);
    if (bytes !== undefined) files.set(path, { bytes, mode });
    else if (!optional)
      throw new VolumeError(type === "configmap" ? `configmap references non-existent config key: ${key}` : `references non-existent secret key: ${key}`);
  }
  return files;
}

export interface DownwardInput {
  readonly pod: Pod;
  readonly place: Pick<PodPlace, "podIP" | "hostIP"> | undefined;
  readonly node: NodeResources;
}

/** Throws VolumeError. */
export function downwardFiles(
  items: NonNullable<NonNullable<Volume["downwardAPI"]>["items"]>,
  { pod, place, node }: DownwardInput,
  defaultMode: number | undefined,
): VolumeFiles {
  const files = new Map<string, VolumeFile>();
  for (const { path, fieldRef, resourceFieldRef, mode = defaultMode ?? DEFAULT_MODE } of items) {
    const text =
      fieldRef === undefined
        ? resourceFieldRef === undefined
          ? undefined
          : resourceText(pod, resourceFieldRef, node)
        : fieldOf(pod, place, fieldRef.fieldPath);
    if (text === undefined) throw new VolumeError(`unsupported fieldPath: ${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? ""}`);
    files.set(path, { bytes: Buffer.from(text), mode });
  }
  return files;
}

function resourceText(
  { spec }: Pod,
  field: { readonly containerName?: string; readonly resource: string; readonly divisor?: string | number },
  node: NodeResources,
) {
  const container: CoreContainer | undefined = [...(spec.initContainers ?? []), ...spec.containers].find(({ name }) => name === field.containerName);
  return container === undefined ? undefined : resourceOf(container, field, node);
}
