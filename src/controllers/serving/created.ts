// The event that tells of a new child.
import type { Child } from "#reconcile";

/** For a child that is not there yet: its event is written as it is made, also when the pass does not get to its end. */
export function tellsCreated(what: string): Pick<Child, "onCreated"> {
  return { onCreated: ({ metadata }) => ({ type: "Normal", reason: "Created", message: `Created ${what} "${metadata.name}"` }) };
}
