// Where the API keeps a kind: paths of collections, objects and subresources.
import type { Kind } from "#schema";

export interface ApiPlace {
  readonly kind: Pick<Kind, "group" | "version" | "plural" | "scope">;
  /** "" for cluster-scoped kinds and for lists over all namespaces. */
  readonly namespace: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: Readonly<Record<string, string>>;
}

/** `/apis/serving.knative.dev/v1/namespaces/default/services/hello/status?…`. */
export function apiPath({ kind, namespace, name, subresource, query }: ApiPlace): string {
  const parts = kind.group === "" ? ["api", kind.version] : ["apis", kind.group, kind.version];
  // The Namespace kind is cluster-scoped although clients may pass a namespace with it.
  if (kind.scope === "Namespaced" && namespace !== "") parts.push("namespaces", namespace);
  parts.push(kind.plural);
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined && subresource !== "") parts.push(subresource);
  const search = new URLSearchParams(query).toString();
  return `/${parts.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}
