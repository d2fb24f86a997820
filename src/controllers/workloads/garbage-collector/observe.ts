// Finds the owners and dependents of an object among the rows of all kinds; only absence is checked live.
import { keyOf, type Client, type Informer, type InformerSet, type MetaRow } from "#client";
import type { Kind, ObjectKey, OwnerReference } from "#schema";
import type { ComingRows } from "./coming-kinds.ts";
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
  readonly #fixed: readonly Kind[];
  readonly #byName: ReadonlyMap<string, Kind>;
  readonly #coming: ComingRows;

  constructor(options: { readonly informers: InformerSet; readonly client: Client; readonly kinds: readonly Kind[] }, coming: ComingRows) {
    this.#informers = options.informers;
    this.#client = options.client;
    this.#fixed = options.kinds;
    this.#byName = new Map(options.kinds.map((kind) => [`${kind.group} ${kind.kind}`, kind]));
    this.#coming = coming;
  }

  get kinds(): readonly Kind[] {
    return [...this.#fixed, ...this.#coming.kinds];
  }

  #rowsOf(kind: Kind): Informer<MetaRow> {
    return this.#coming.of(kind) ?? this.#informers.meta(kind);
  }

  /** A kind that is gone has no rows; nobody asks for it again. */
  #isKnown(kind: Kind): boolean {
    return this.#byName.get(`${kind.group} ${kind.kind}`) !== undefined || this.#coming.of(kind) !== undefined;
  }

  /** Undefined for a reference to a kind that is not collected. */
  ownerNode(reference: OwnerReference, namespace: string): Node | undefined {
    const slash = reference.apiVersion.indexOf("/");
    const group = slash < 0 ? "" : reference.apiVersion.slice(0, slash);
    const kind = this.#byName.get(`${group} ${reference.kind}`) ?? this.#coming.kinds.find((one) => one.group === group && one.kind === reference.kind);
    return kind === undefined ? undefined : { kind, key: { namespace: kind.scope === "Namespaced" ? namespace : "", name: reference.name } };
  }

  row({ kind, key }: Node): MetaRow | undefined {
    return this.#isKnown(kind) ? this.#rowsOf(kind).get(key.namespace, key.name) : undefined;
  }

  dependents(uid: string): readonly { readonly node: Node; readonly row: MetaRow }[] {
    return this.kinds.flatMap((kind) =>
      this.#rowsOf(kind)
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
