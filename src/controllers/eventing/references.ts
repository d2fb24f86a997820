// Objects that Brokers and Triggers name: read for their addresses, and remembered, so that their changes wake who named them.
import type { Client } from "#client";
import type { Destination, FindReferenced, KReference } from "#kinds";
import type { Watched } from "#reconcile";
import type { Kind, KubeObject, ObjectKey } from "#schema";

export interface ReferenceDeps {
  /** The kind that a reference means, users' own among them; undefined when nothing serves it. */
  readonly kindOf: (reference: KReference) => Kind | undefined;
}

const text = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`;

/** Which keys named which objects. Losing it is harmless: after a start every key is reconciled and names them again. */
export class ReferenceTracker {
  readonly #named = new Map<string, { readonly key: ObjectKey; readonly references: ReadonlySet<string> }>();
  readonly #askers = new Map<string, Map<string, ObjectKey>>();

  /** Replaces what the key names; namespaces are filled in. */
  track(key: ObjectKey, references: readonly KReference[]): void {
    this.forget(key);
    const id = `${key.namespace}/${key.name}`;
    const names = new Set(references.map(({ kind = "", namespace = "", name = "" }) => text(kind, namespace, name)));
    this.#named.set(id, { key, references: names });
    for (const name of names) {
      const askers = this.#askers.get(name) ?? new Map<string, ObjectKey>();
      askers.set(id, key);
      this.#askers.set(name, askers);
    }
  }

  forget(key: ObjectKey): void {
    const id = `${key.namespace}/${key.name}`;
    for (const name of this.#named.get(id)?.references ?? []) {
      const askers = this.#askers.get(name);
      askers?.delete(id);
      if (askers?.size === 0) this.#askers.delete(name);
    }
    this.#named.delete(id);
  }

  askersOf({ kind, metadata: { namespace = "", name } }: KubeObject): readonly ObjectKey[] {
    return [...(this.#askers.get(text(kind, namespace, name))?.values() ?? [])];
  }

  /** Changes of these kinds wake who named the object. */
  watches(kinds: readonly Kind[]): readonly Watched[] {
    return kinds.map((kind) => ({ kind, keys: (object) => this.askersOf(object) }));
  }
}

export function referencesOf(destinations: readonly (Destination | undefined)[]): KReference[] {
  return destinations.flatMap((destination) => (destination?.ref === undefined ? [] : [destination.ref]));
}

/** Reads what the destinations name, and remembers that the key named it. */
export function findNamed(
  client: Client,
  { key, destinations }: { readonly key: ObjectKey; readonly destinations: readonly (Destination | undefined)[] },
  deps: ReferenceDeps & { readonly references: ReferenceTracker },
): Promise<FindReferenced> {
  const named = referencesOf(destinations);
  deps.references.track(key, named);
  return findAll(client, named, deps);
}

/** Reads all that is named; the answers are Knative's errors where something cannot be had. */
export async function findAll(client: Client, references: readonly KReference[], { kindOf }: ReferenceDeps): Promise<FindReferenced> {
  const found = new Map<string, KubeObject | { readonly error: string }>();
  const idOf = ({ apiVersion = "", group = "", kind = "", namespace = "", name = "" }: KReference): string =>
    [apiVersion, group, kind, namespace, name].join(" ");
  await Promise.all(
    references.map(async (reference) => {
      const kind = kindOf(reference);
      const { namespace = "", name = "" } = reference;
      if (kind === undefined) {
        found.set(idOf(reference), {
          error: `no matches for kind ${JSON.stringify(reference.kind ?? "")} in version ${JSON.stringify(reference.apiVersion ?? reference.group ?? "")}`,
        });
        return;
      }
      const resource = kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
      const object = await client.find(kind, kind.scope === "Namespaced" ? namespace : "", name);
      found.set(idOf(reference), object ?? { error: `${resource} ${JSON.stringify(name)} not found` });
    }),
  );
  return (reference) => found.get(idOf(reference)) ?? { error: "not looked at" };
}
