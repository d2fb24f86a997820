// Labels and annotations on their way from parent to child.

export type StringMap = Readonly<Record<string, string>>;

/** The last manifest of a client-side apply; never handed down. */
export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** A copy without the keys that `drop` names. */
export function without(map: StringMap | undefined, drop: (key: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !drop(key)));
}

/** The names in a comma-separated annotation such as `serving.knative.dev/routes`. */
export function namesIn(value: string | undefined): readonly string[] {
  return value === undefined || value === "" ? [] : value.split(",");
}

/** Sorted and joined as Knative writes such a list. */
export function joinNames(names: Iterable<string>): string {
  return [...new Set(names)].sort().join(",");
}
