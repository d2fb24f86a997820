// log: append-only records on a disk, group commit, cursors, recovery. It knows octets only, and no meaning of any record.
export { PARKED, type Cursor, type Due, type OpenRecord } from "./cursor.ts";
export type { Disk, DiskFile, OpenOptions } from "./disk.ts";
export { LogError, type LogRefusal } from "./log-error.ts";
export { openLog, type Appended, type From, type Log, type LogOptions, type Stream } from "./log.ts";
export { NodeDisk } from "./node-disk.ts";
export type { LogRecord, Reader } from "./reader.ts";
export type { AtLimit } from "./state.ts";
