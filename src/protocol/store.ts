// Control thread ↔ store thread: batches of writes and their acknowledgements.

export interface StoreRow {
  readonly key: string;
  readonly revision: number;
  /** Undefined deletes the key. */
  readonly value: string | undefined;
  /** Wall-clock milliseconds after which the row is deleted; undefined keeps it. */
  readonly expiresAtMs: number | undefined;
}

export type ControlToStore =
  | { readonly type: "commit"; readonly batch: number; readonly rows: readonly StoreRow[] }
  | { readonly type: "compact" }
  | { readonly type: "close" };

export type StoreToControl =
  | { readonly type: "opened"; readonly revision: number }
  /** The file could not be opened; the platform ends with this text. */
  | { readonly type: "refused"; readonly error: string }
  | { readonly type: "committed"; readonly batch: number }
  /** A write failed for good (disk full, damage): the platform must end. */
  | { readonly type: "failed"; readonly error: string }
  | { readonly type: "closed" };
