// log: append-only records on a disk, group commit, cursors, recovery. It knows octets only, and no meaning of any record.
export { PARKED, type Cursor, type Due, type OpenRecord } from "./cursor.ts";
export type { Disk, DiskFile, OpenOptions } from "./disk.ts";
export { LogError, type LogRefusal } from "./log-error.ts";
export { openLog, type Log, type LogOptions } from "./log.ts";
export { NodeDisk } from "./node-disk.ts";
export type { LogNote } from "./note.ts";
export type { LogRecord, Reader } from "./reader.ts";
export type { Page, Search } from "./search.ts";
export type { AtLimit } from "./state.ts";
export type { Appended, From, Stream } from "./stream.ts";
