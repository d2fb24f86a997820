// Event of the core group/v1.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { Event as EventObject } from "./v1.types.ts";

export type Event = EventObject;

export const Event: Kind<Event> = builtin<Event>({
  group: "",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  categories: [],
  definitions,
  definition: "io.k8s.api.core.v1.Event",
  columns: [],
});
