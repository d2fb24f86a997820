// The file: its tables, its format number, and how it is opened.
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isDiskFull, reserveSharedMemory, tryRoom } from "./shared-memory.ts";

/** Grows with each change of the tables. A newer file is refused, an older one migrated after a copy (decision 15). */
export const STORE_FORMAT = 1;

/** The file is damaged, of a newer format, or not a store; the text says which and what to do. */
export class StoreFileError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StoreFileError";
  }
}

const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE objects (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value TEXT NOT NULL, expires_at_ms INTEGER) STRICT;
  CREATE INDEX objects_expiry ON objects (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
  INSERT INTO meta VALUES ('format', ${STORE_FORMAT}), ('revision', 0);
`;

export interface WritingConnection {
  readonly db: DatabaseSync;
  close(): void;
}

/** The one connection that writes, opened before those that read. Creates the file when it is missing. A full disk is an error of its own kind. */
export function openForWriting(path: string): WritingConnection {
  const fresh = !existsSync(path);
  try {
    tryRoom(path);
    const db = new DatabaseSync(path);
    if (fresh) db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1000; PRAGMA journal_size_limit = 4194304");
    if (tableCount(db) === 0) db.exec(`BEGIN; ${TABLES} COMMIT`);
    checkFormat(db, path);
    const release = reserveSharedMemory(path);
    return {
      db,
      close() {
        db.close();
        release();
      },
    };
  } catch (error) {
    if (error instanceof StoreFileError || isDiskFull(error)) throw error;
    throw new StoreFileError(`${path} cannot be opened as Eider's store: ${(error as Error).message}`, error);
  }
}

/** A connection that only reads; sees what was committed before each statement. */
export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true });
  db.exec("PRAGMA cache_size = -2000");
  return db;
}

function tableCount(db: DatabaseSync): number {
  return Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"] ?? 0);
}

function checkFormat(db: DatabaseSync, path: string): void {
  const found = Number(db.prepare("SELECT value FROM meta WHERE name = 'format'").get()?.["value"] ?? 0);
  if (found > STORE_FORMAT) {
    throw new StoreFileError(
      `${path} has format ${found}, this Eider reads up to ${STORE_FORMAT}: it was written by a newer version. Use that version, or another --data folder.`,
    );
  }
  if (found < 1) throw new StoreFileError(`${path} is not a store of Eider`);
}
