// What a pod says about itself to its containers: fields and resources, for variables and files. Pure.
import type { CoreContainer, Pod } from "#kinds";
import { parseQuantity } from "#schema";
import type { PodPlace } from "../engine.ts";

/** What a container without limits may use. */
export interface NodeResources {
  readonly cpuNanos: bigint;
  readonly memoryBytes: bigint;
}

/** Undefined for a field that is no source. */
export function fieldOf(pod: Pod, place: Pick<PodPlace, "podIP" | "hostIP"> | undefined, path: string): string | undefined {
  const subscript = /^metadata\.(annotations|labels)\['(.+)'\]$/.exec(path);
  if (subscript !== null) return pod.metadata[subscript[1] as "annotations" | "labels"]?.[subscript[2] ?? ""] ?? "";
  switch (path) {
    case "metadata.name":
      return pod.metadata.name;
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid;
    case "metadata.labels":
      return pairs(pod.metadata.labels);
    case "metadata.annotations":
      return pairs(pod.metadata.annotations);
    case "spec.nodeName":
      return pod.spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return pod.spec.serviceAccountName ?? "default";
    case "status.podIP":
    case "status.podIPs":
      return place?.podIP;
    case "status.hostIP":
    case "status.hostIPs":
      return place?.hostIP;
    default:
      return undefined;
  }
}

/** `key="value"` a line, sorted, with Go's quotes. */
function pairs(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map)
    .toSorted()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join("\n");
}

export interface ResourceField {
  readonly resource: string;
  readonly divisor?: string | number;
}

/** In units of the divisor, rounded up, as the kubelet gives it; undefined for a resource that is none. */
export function resourceOf({ resources }: Pick<CoreContainer, "resources">, { resource, divisor }: ResourceField, node: NodeResources): string | undefined {
  const [, list, name] = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(resource) ?? [];
  if (list === undefined || name === undefined) return undefined;
  const asked = parseQuantity(resources?.[list as "limits" | "requests"]?.[name] ?? "")?.nano;
  const whole = { cpu: node.cpuNanos, memory: node.memoryBytes * 1_000_000_000n }[name];
  const nano = asked ?? (list === "limits" ? whole : undefined) ?? 0n;
  const given = parseQuantity(divisor ?? "")?.nano ?? 0n;
  // The kubelet counts CPU in thousandths before it divides.
  const unit = name === "cpu" ? 1_000_000n : 1_000_000_000n;
  const by = up(given === 0n ? 1_000_000_000n : given, unit);
  return String(up(up(nano, unit), by));
}

function up(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}
