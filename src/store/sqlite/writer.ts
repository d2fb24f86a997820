// The store thread's side: one transaction and one fsync for every batch.
import type { ControlToStore, StoreRow, StoreToControl } from "#protocol";
import type { DatabaseSync } from "node:sqlite";
import { isDiskFull } from "./shared-memory.ts";
import { openForWriting, type WritingConnection } from "./database.ts";

/** The thread's end of the message channel. */
export interface WriterChannel {
  postMessage(message: StoreToControl): void;
  on(event: "message", listener: (message: ControlToStore) => void): unknown;
  close(): void;
}

/**
 * Opens the file and serves batches until told to close. A batch that fails ends the service: memory is ahead of the disk then.
 * Throws when the disk is full: whoever starts it again later may find room.
 */
export function serveWriter(channel: WriterChannel, path: string): void {
  let connection: WritingConnection;
  try {
    connection = openForWriting(path);
  } catch (error) {
    if (isDiskFull(error)) throw error;
    channel.postMessage({ type: "refused", error: (error as Error).message });
    channel.close();
    return;
  }
  const { db } = connection;
  const commit = committer(db);
  const revision = Number(db.prepare("SELECT value FROM meta WHERE name = 'revision'").get()?.["value"] ?? 0);
  channel.on("message", (message) => {
    try {
      if (message.type === "commit") {
        commit(message.rows);
        channel.postMessage({ type: "committed", batch: message.batch });
      } else if (message.type === "compact") {
        db.exec("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)");
      } else {
        connection.close();
        channel.postMessage({ type: "closed" });
        channel.close();
      }
    } catch (error) {
      channel.postMessage({ type: "failed", error: `the store cannot write: ${(error as Error).message}` });
    }
  });
  channel.postMessage({ type: "opened", revision });
}

function committer(db: DatabaseSync): (rows: readonly StoreRow[]) => void {
  const put = db.prepare(
    "INSERT INTO objects (key, revision, value, expires_at_ms) VALUES (?, ?, ?, ?) " +
      "ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, value = excluded.value, expires_at_ms = excluded.expires_at_ms",
  );
  const remove = db.prepare("DELETE FROM objects WHERE key = ?");
  const advance = db.prepare("UPDATE meta SET value = ? WHERE name = 'revision'");
  return (rows) => {
    db.exec("BEGIN IMMEDIATE");
    try {
      for (const row of rows) {
        if (row.value === undefined) remove.run(row.key);
        else put.run(row.key, row.revision, row.value, row.expiresAtMs ?? null);
      }
      advance.run(rows[rows.length - 1]?.revision ?? 0);
      db.exec("COMMIT");
    } catch (error) {
      // A full disk has ended the transaction itself.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  };
}
