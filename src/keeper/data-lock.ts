// The kernel lock on a data folder: an exclusive SQLite transaction, which ends with its process however that dies.
import { DatabaseSync } from "node:sqlite";
import { chmodSync } from "node:fs";
import { join } from "node:path";

/** Held while referenced; `release` is for tests and orderly ends. */
export interface DataLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/** Locks `<path>/keeper.lock`, or tells that another keeper holds it. Throws when the folder cannot be written. */
export function lockDataFolder(path: string): DataLock | "held" {
  const file = join(path, "keeper.lock");
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return "held";
    throw error;
  }
  chmodSync(file, 0o600);
  return {
    release() {
      database.exec("ROLLBACK");
      database.close();
    },
  };
}
