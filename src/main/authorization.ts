// What users may do here, where there are no Roles: masters all, viewers read, and everybody who is known may ask who he is and what he may do.
import type { ApiServerOptions, ServedKind } from "#apiserver";
import type { AccessRules } from "#kinds";
import type { Kind, UserInfo } from "#schema";

export const MASTERS = "system:masters";
/** Of ServiceAccounts with the annotation `eider.dev/api-access: view`. */
export const VIEWERS = "eider:viewers";
const KNOWN = "system:authenticated";

/** Whoever has the token of the data folder. */
export const ADMIN: UserInfo = { name: "kubernetes-admin", groups: [MASTERS, KNOWN] };
/** The platform's own parts. */
export const CONTROLLER: UserInfo = {
  name: "system:serviceaccount:knative-serving:controller",
  groups: ["system:serviceaccounts", MASTERS, KNOWN],
};

const READS: readonly string[] = ["get", "list", "watch"];
/** What viewers see of an object; a GET of other parts is a command or a tunnel. */
const SEEN: readonly string[] = ["", "status", "scale", "log"];
/** Questions about oneself, by group. */
const ABOUT_ONESELF: Readonly<Record<string, readonly string[]>> = {
  "authentication.k8s.io": ["selfsubjectreviews"],
  "authorization.k8s.io": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
};
/** Where paths that concern no resource are not everybody's. */
const CLOSED_PATHS: readonly string[] = ["/debug/", "/metrics"];

type Served = Pick<ServedKind, "answer"> & { readonly kind: Pick<Kind, "group" | "plural"> };
type Attributes = Parameters<ApiServerOptions["authorize"]>[1];

/** The reason of a refusal, which Kubernetes leaves empty; undefined allows. Discovery and health are everybody's. */
export function mayUse({ groups }: UserInfo, { verb, group, resource, subresource, path }: Attributes): string | undefined {
  if (groups.includes(MASTERS)) return undefined;
  if (path !== undefined) return READS.includes(verb) && !CLOSED_PATHS.some((closed) => path.startsWith(closed)) ? undefined : "";
  if (verb === "create" && subresource === "" && groups.includes(KNOWN) && ABOUT_ONESELF[group]?.includes(resource) === true) return undefined;
  if (groups.includes(VIEWERS) && READS.includes(verb) && isSeen(group, resource, subresource)) return undefined;
  return "";
}

/** Also of what was asked for as `*`, which is more than a viewer sees. */
function isSeen(group: string, resource: string, subresource: string): boolean {
  return resource !== "secrets" && resource !== "*" && group !== "*" && SEEN.includes(subresource);
}

/** The same as rules. Paths that are everybody's are as many as there are; those of Kubernetes are named. */
export function rulesOf({ groups }: UserInfo, served: readonly Served[]): AccessRules {
  const all = ["*"];
  if (groups.includes(MASTERS)) {
    return { resourceRules: [{ verbs: all, apiGroups: all, resources: all }], nonResourceRules: [{ verbs: all, nonResourceURLs: all }], incomplete: false };
  }
  const oneself = Object.entries(ABOUT_ONESELF).map(([group, resources]) => ({ verbs: ["create"], apiGroups: [group], resources: [...resources] }));
  const paths = ["/healthz", "/livez", "/readyz", "/version", "/version/", "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"];
  return {
    resourceRules: [...(groups.includes(KNOWN) ? oneself : []), ...(groups.includes(VIEWERS) ? readRules(served) : [])],
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: paths }],
    incomplete: false,
  };
}

function readRules(served: readonly Served[]): AccessRules["resourceRules"] {
  const groups = new Map<string, Set<string>>();
  for (const { kind, answer } of served) {
    const { group, plural } = kind;
    // Questions are not there to be read.
    if (answer !== undefined || !isSeen(group, plural, "")) continue;
    const resources = groups.get(group) ?? new Set();
    groups.set(group, resources.add(plural));
  }
  const parts = SEEN.flatMap((part) => (part === "" ? [] : [`*/${part}`]));
  return [...groups].map(([group, resources]) => ({ verbs: [...READS], apiGroups: [group], resources: [...resources, ...parts] }));
}
