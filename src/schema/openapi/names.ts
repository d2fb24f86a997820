// How OpenAPI names what is served: definitions, operations, tags.
import { apiVersionOf, type Kind } from "../kind.ts";

export const META = "io.k8s.apimachinery.pkg.apis.meta.v1";

type Named = Pick<Kind, "group" | "version" | "kind" | "custom" | "definitions">;

/** `io.k8s.api.core.v1.Pod` for Kubernetes' own kinds; the group backwards for others: `dev.knative.serving.v1.Route`. */
export function definitionName(kind: Named): string {
  if (kind.custom) return [...kind.group.split(".").toReversed(), kind.version, kind.kind].join(".");
  const own = Object.keys(kind.definitions ?? {}).find((name) => name.endsWith(`.${kind.version}.${kind.kind}`));
  return own ?? `io.k8s.api.${kind.group === "" ? "core" : (kind.group.split(".", 1)[0] ?? "")}.${kind.version}.${kind.kind}`;
}

/** `/api/v1`, `/apis/apps/v1`. */
export function basePath(kind: Pick<Kind, "group" | "version">): string {
  return `${kind.group === "" ? "/api" : "/apis"}/${apiVersionOf(kind)}`;
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function groupWords(group: string): string {
  if (group === "") return "Core";
  const words = group.replace(/\.k8s\.io$/, "").split(".");
  return words.map(capital).join("");
}

/** `AppsV1`, as operations have it in their names. */
export function operationGroup(kind: Pick<Kind, "group" | "version">): string {
  return groupWords(kind.group) + capital(kind.version);
}

/** `apps_v1`. */
export function tagOf(kind: Pick<Kind, "group" | "version">): string {
  const words = groupWords(kind.group);
  return `${words.charAt(0).toLowerCase()}${words.slice(1)}_${kind.version}`;
}
