// store: revisioned objects with watch, in memory and on disk, under one contract.
export type {
  Durability,
  Entry,
  Expectation,
  Listed,
  ListOptions,
  Page,
  Removal,
  Restamp,
  Snapshot,
  SnapshotOptions,
  Store,
  StoreEvent,
  WatchOptions,
  Write,
  Written,
} from "./port.ts";
export { MemoryStore } from "./memory.ts";
export { STORE_FORMAT, StoreFileError } from "./sqlite/database.ts";
export { openSqliteStore, type SqliteStore, type StoreChannel } from "./sqlite/store.ts";
export { serveWriter, type WriterChannel } from "./sqlite/writer.ts";
