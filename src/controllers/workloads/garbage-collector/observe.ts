// Finds the owners and dependents of an object among the rows of all kinds; only absence is checked live.
import { keyOf, type Client, type InformerSet, type MetaRow } from "#client";
import type { Kind, ObjectKey, OwnerReference } from "#schema";
import { FOREGROUND, type ObservedNode, type OwnerState } from "./plan.ts";

export interface Node {
  readonly kind: Kind;
  readonly key: ObjectKey;
}

export function nodeId({ kind, key }: Node): string {
  return `${kind.group} ${kind.kind} ${keyOf(key.namespace, key.name)}`;
}

/** All objects of the kinds handed in, by owner. */
export class OwnerGraph {
  readonly #informers: InformerSet;
  readonly #client: Client;
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly kinds: readonly Kind[];

  constructor(options: { readonly informers: InformerSet; readonly client: Client; readonly kinds: readonly Kind[] }) {
    this.#informers = options.informers;
    this.#client = options.client;
    this.kinds = options.kinds;
    this.#kinds = new Map(options.kinds.map((kind) => [`${kind.group} ${kind.kind}`, kind]));
  }

  /** Undefined for a reference to a kind that is not collected. */
  ownerNode(reference: OwnerReference, namespace: string): Node | undefined {
    const slash = reference.apiVersion.indexOf("/");
    const kind = this.#kinds.get(`${slash < 0 ? "" : reference.apiVersion.slice(0, slash)} ${reference.kind}`);
    return kind === undefined ? undefined : { kind, key: { namespace: kind.scope === "Namespaced" ? namespace : "", name: reference.name } };
  }

  row({ kind, key }: Node): MetaRow | undefined {
    return this.#informers.meta(kind).get(key.namespace, key.name);
  }

  dependents(uid: string): readonly { readonly node: Node; readonly row: MetaRow }[] {
    return this.kinds.flatMap((kind) =>
      this.#informers
        .meta(kind)
        .byIndex("owner", uid)
        .map((row) => ({ node: { kind, key: row }, row })),
    );
  }

  /** What is known of an object, with the kind of each row in it: rows carry none to stay small. */
  async observe(node: Node): Promise<{ readonly observed: ObservedNode; readonly kindOf: ReadonlyMap<MetaRow, Kind> } | undefined> {
    const row = this.row(node);
    if (row === undefined) return undefined;
    const references = row.deletionTimestamp === undefined ? (row.owners ?? []) : [];
    const owners = await Promise.all(references.map(async (reference) => ({ reference, state: await this.#stateOf(reference, row) })));
    const dependents = this.dependents(row.uid);
    const kindOf = new Map([...dependents.map((dependent) => [dependent.row, dependent.node.kind] as const), [row, node.kind] as const]);
    return { observed: { row, dependents: dependents.map((dependent) => dependent.row), owners }, kindOf };
  }

  async #stateOf(reference: OwnerReference, row: MetaRow): Promise<OwnerState> {
    const owner = this.ownerNode(reference, row.namespace);
    if (owner === undefined) return "present";
    const known = this.row(owner);
    if (known?.uid === reference.uid) {
      const waiting = known.deletionTimestamp !== undefined && known.finalizers?.includes(FOREGROUND) === true;
      return waiting ? "waiting" : "present";
    }
    const live = await this.#client.find(owner.kind, owner.key.namespace, owner.key.name);
    return live?.metadata.uid === reference.uid ? "present" : "absent";
  }
}
