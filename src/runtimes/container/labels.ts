// How what we made is known again: labels on containers, of the platform that made them, of their pod, and of their place in it.
import type { Pod } from "#kinds";

export const LABELS = {
  /** Of the data folder: several platforms may use one daemon. */
  platform: "dev.eider.platform",
  uid: "dev.eider.pod-uid",
  pod: "dev.eider.pod",
  namespace: "dev.eider.namespace",
  /** Empty on the one that holds the pod's network. */
  container: "dev.eider.container",
  restarts: "dev.eider.restarts",
  /** What `stop` means to the image, where that is not SIGTERM. */
  stopSignal: "dev.eider.stop-signal",
  /** Where its output goes on this machine. */
  output: "dev.eider.output",
} as const;

export function podLabels(platform: string, { metadata }: Pod): Record<string, string> {
  return {
    [LABELS.platform]: platform,
    [LABELS.uid]: metadata.uid,
    [LABELS.pod]: metadata.name,
    [LABELS.namespace]: metadata.namespace ?? "",
  };
}

/** As the `filters` of a list. */
export function labelFilter(labels: Readonly<Record<string, string>>, namePart?: string): string {
  return JSON.stringify({
    label: Object.entries(labels).map(([name, value]) => `${name}=${value}`),
    ...(namePart === undefined ? {} : { name: [namePart] }),
  });
}

const NAME_PART_MAX = 60;

/** Of a network that is nobody's yet; no pod's name begins so. */
const SPARE = "eider__spare_";

export const spareName = (unique: string): string => `${SPARE}${unique}`;

/** As a list tells of it. */
export interface Named {
  readonly Names?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

export const isSpare = ({ Names }: Pick<Named, "Names">): boolean => (Names ?? []).some((name) => name.replace(/^\//, "").startsWith(SPARE));

/** Empty for what is nobody's. A network that was made ahead tells by its name alone. */
export function podUidOf(named: Named): string {
  const uid = named.Labels?.[LABELS.uid] ?? "";
  return uid !== "" || isSpare(named) ? uid : ((named.Names ?? [])[0]?.split("_").at(-1) ?? "");
}

/** For people who look at `docker ps`; the uid makes it the only one. */
export function containerName({ metadata }: Pod, container: string, restarts: number): string {
  const parts = [metadata.name.slice(0, NAME_PART_MAX), container.slice(0, NAME_PART_MAX), String(restarts)];
  return `eider_${parts.join("_")}_${metadata.uid}`;
}
