// store: revisioned objects with watch.
export type { Durability, Entry, Expectation, Listed, ListOptions, Removal, Store, StoreEvent, WatchOptions, Write, Written } from "./port.ts";
