// The kinds that are served, found by the words of a URL, with what is computed from each once.
import { assert, type ResourceName } from "#core";
import { apiVersionOf, compileKind, tableOf, type CompiledKind, type Kind, type TableOf } from "#schema";
import type { ServedKind } from "./port.ts";

/** A served kind with its compiled schema and the fixed parts of its texts. */
export interface Resource {
  readonly served: ServedKind;
  readonly kind: Kind;
  readonly compiled: CompiledKind;
  readonly table: TableOf;
  readonly apiVersion: string;
  readonly name: ResourceName;
  readonly namespaced: boolean;
  /** All keys of the kind begin with it: `/GROUP/PLURAL/`, `core` for the group without a name. */
  readonly prefix: string;
  /** How every stored text of the kind begins. */
  readonly head: string;
}

export interface Registry {
  readonly resources: readonly Resource[];
  find(group: string, version: string, plural: string): Resource | undefined;
  /** The resource of a kind that an in-process caller names; fails for a kind that is not served. */
  of(kind: Kind): Resource;
}

function resourceOf(served: ServedKind): Resource {
  const { kind } = served;
  const apiVersion = apiVersionOf(kind);
  const kindText = `"kind":${JSON.stringify(kind.kind)}`;
  const versionText = `"apiVersion":${JSON.stringify(apiVersion)}`;
  return {
    served,
    kind,
    compiled: compileKind(kind),
    table: tableOf(kind),
    apiVersion,
    name: { group: kind.group, resource: kind.plural },
    namespaced: kind.scope === "Namespaced",
    prefix: `/${kind.group === "" ? "core" : kind.group}/${kind.plural}/`,
    head: kind.custom ? `{${versionText},${kindText},` : `{${kindText},${versionText},`,
  };
}

export function createRegistry(kinds: readonly ServedKind[]): Registry {
  const resources = kinds.map(resourceOf);
  const byName = new Map(resources.map((resource) => [`${resource.apiVersion}/${resource.kind.plural}`, resource]));
  assert(byName.size === resources.length, "a kind is served twice");
  const find = (group: string, version: string, plural: string): Resource | undefined =>
    byName.get(`${group === "" ? version : `${group}/${version}`}/${plural}`);
  return {
    resources,
    find,
    of(kind) {
      const resource = find(kind.group, kind.version, kind.plural);
      assert(resource !== undefined, `${kind.plural} of ${apiVersionOf(kind)} are not served`);
      return resource;
    },
  };
}
