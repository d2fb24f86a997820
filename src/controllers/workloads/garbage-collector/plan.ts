// Decides what happens to one object because of its owners or its dependents.
import type { MetaRow } from "#client";
import type { DeleteQuery } from "#client";
import type { OwnerReference } from "#schema";

export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

/** `waiting`: the owner is deleted in the foreground and stays until its dependents are gone. */
export type OwnerState = "present" | "absent" | "waiting";

export interface ObservedNode {
  readonly row: MetaRow;
  /** Objects that name this one as an owner. */
  readonly dependents: readonly MetaRow[];
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
}

export type GarbageAction =
  | { readonly do: "delete"; readonly row: MetaRow; readonly policy: NonNullable<DeleteQuery["propagationPolicy"]> }
  /** Takes owner references with these uids from the object. */
  | { readonly do: "disown"; readonly row: MetaRow; readonly uids: readonly string[] }
  | { readonly do: "removeFinalizer"; readonly row: MetaRow; readonly finalizer: string };

function blocks(dependent: MetaRow, owner: MetaRow): boolean {
  return dependent.owners?.some(({ uid, blockOwnerDeletion }) => uid === owner.uid && blockOwnerDeletion === true) === true;
}

/** The policy that an earlier request left on the object; background otherwise. */
function policyOf(row: MetaRow): NonNullable<DeleteQuery["propagationPolicy"]> {
  if (row.finalizers?.includes(ORPHAN) === true) return "Orphan";
  return row.finalizers?.includes(FOREGROUND) === true ? "Foreground" : "Background";
}

function planDeleting({ row, dependents }: ObservedNode): readonly GarbageAction[] {
  if (row.finalizers?.includes(ORPHAN) === true) {
    const disowned = dependents.map((dependent): GarbageAction => ({ do: "disown", row: dependent, uids: [row.uid] }));
    return [...disowned, { do: "removeFinalizer", row, finalizer: ORPHAN }];
  }
  if (row.finalizers?.includes(FOREGROUND) === true && !dependents.some((dependent) => blocks(dependent, row))) {
    return [{ do: "removeFinalizer", row, finalizer: FOREGROUND }];
  }
  return [];
}

/** An object goes when none of its owners stays; with an owner that stays, it only loses those that went. */
export function planGarbage(observed: ObservedNode): readonly GarbageAction[] {
  const { row, dependents, owners } = observed;
  if (row.deletionTimestamp !== undefined) return planDeleting(observed);
  const gone = owners.filter(({ state }) => state !== "present");
  if (gone.length === 0) return [];
  if (gone.length < owners.length) return [{ do: "disown", row, uids: gone.map(({ reference }) => reference.uid) }];
  const awaited = gone.some(({ state }) => state === "waiting") && dependents.length > 0;
  return [{ do: "delete", row, policy: awaited ? "Foreground" : policyOf(row) }];
}
