// What the plan of an ApiServerSource knows.
import type { Client } from "#client";
import { ApiServerSource, CoreService, Namespace, type FindReferenced } from "#kinds";
import type { World } from "#reconcile";
import { selectorMatches, type Kind, type LabelSelectorObject, type ObjectKey } from "#schema";
import { findAll, referencesOf, type ReferenceDeps, type ReferenceTracker } from "../references.ts";
import type { ApiWatches } from "./watches.ts";

/** What a ServiceAccount may do; `namespace` "" is all of them. */
export type MayAccount = (
  account: { readonly namespace: string; readonly name: string },
  ask: { readonly verb: string; readonly group: string; readonly resource: string; readonly namespace: string },
) => Promise<boolean>;

export interface ApiServerSourceDeps extends ReferenceDeps {
  readonly mayAccount: MayAccount;
}

export interface Denied {
  readonly verbs: readonly string[];
  readonly kind: Kind;
  readonly namespace: string;
}

export interface ObservedApiServerSource {
  readonly source: ApiServerSource;
  readonly find: FindReferenced;
  /** Kinds of `spec.resources`, in their order; undefined: nothing serves it. */
  readonly kinds: readonly (Kind | undefined)[];
  /** Sorted names of those that are watched. */
  readonly namespaces: readonly string[];
  readonly denied: readonly Denied[];
  readonly host: string;
  readonly inForce: string | undefined;
}

export const SKIPS_CHECK = "features.knative.dev/apiserversource-skip-permissions-check";
const VERBS = ["get", "list", "watch"];

/** An empty selector means all there are. */
export function isEverywhere(selector: LabelSelectorObject | undefined): boolean {
  return selector !== undefined && Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
}

async function namespacesOf({ metadata, spec }: ApiServerSource, client: Client): Promise<readonly string[]> {
  const { namespaceSelector } = spec;
  if (namespaceSelector === undefined) return [metadata.namespace ?? ""];
  const { items } = await client.list(Namespace);
  return items
    .filter((namespace) => selectorMatches(namespaceSelector, namespace.metadata.labels))
    .map((namespace) => namespace.metadata.name)
    .sort();
}

async function deniedOf(
  { metadata, spec }: ApiServerSource,
  at: { readonly kinds: readonly (Kind | undefined)[]; readonly places: readonly string[] },
  may: MayAccount,
): Promise<Denied[]> {
  if (metadata.annotations?.[SKIPS_CHECK] === "true") return [];
  const account = { namespace: metadata.namespace ?? "", name: spec.serviceAccountName ?? "default" };
  const denied: Denied[] = [];
  for (const namespace of at.places) {
    for (const kind of at.kinds) {
      if (kind === undefined) continue;
      const { group, plural: resource } = kind;
      const allowed = await Promise.all(VERBS.map((verb) => may(account, { verb, group, resource, namespace })));
      const verbs = VERBS.filter((_, index) => allowed[index] !== true);
      if (verbs.length > 0) denied.push({ verbs, kind, namespace });
    }
  }
  return denied;
}

export async function observeApiServerSource(
  key: ObjectKey,
  { client }: World,
  deps: ApiServerSourceDeps & { readonly references: ReferenceTracker; readonly watches: ApiWatches },
): Promise<ObservedApiServerSource | undefined> {
  const source = await client.find(ApiServerSource, key.namespace, key.name);
  if (source === undefined) return undefined;
  const named = referencesOf([source.spec.sink]);
  deps.references.track(key, [...named, { kind: "ServiceAccount", namespace: key.namespace, name: source.spec.serviceAccountName ?? "default" }]);
  const kinds = source.spec.resources.map(({ apiVersion = "", kind = "" }) => deps.kindOf({ apiVersion, kind }));
  const [find, namespaces, api] = await Promise.all([
    findAll(client, named, deps),
    namespacesOf(source, client),
    client.find(CoreService, "default", "kubernetes"),
  ]);
  const places = isEverywhere(source.spec.namespaceSelector) ? [""] : namespaces;
  const denied = await deniedOf(source, { kinds, places }, deps.mayAccount);
  const host = `https://${api?.spec?.clusterIP ?? "kubernetes.default.svc"}:443`;
  return { source, find, kinds, namespaces, denied, host, inForce: deps.watches.inForce(key) };
}
