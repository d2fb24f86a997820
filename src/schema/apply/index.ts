// What the rest of the room and the API server use of server-side apply.
export type { ManagedFieldsEntry } from "./entries.ts";
export { fieldsOf, type Fields } from "./fields.ts";
export { mergeTypeOf, type MergeType } from "./merge-type.ts";
export { toParentEntries, toScaleEntries, type ReplicasPath } from "./scale-entries.ts";
export { objectText, trackApply, trackUpdate, type Tracked } from "./track.ts";
export type { Tracking } from "./update.ts";
