// The controller of the EventTypes of sources, one for each kind of source: what they send, and to whom.
import { EventType } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { planSourceTypes, type ObservedSource, type SourceObject } from "./plan.ts";

/** Another controller has the sources themselves. */
export function sourceTypesController(kind: Kind): Controller<SourceObject, ObservedSource> {
  const primary = kind as Kind<SourceObject>;
  return {
    name: "source-eventtypes-controller",
    primary,
    owns: [EventType as unknown as Kind],
    async observe({ namespace, name }, { client }) {
      const source = await client.find(primary, namespace, name);
      return source === undefined ? undefined : { source, kind };
    },
    plan: planSourceTypes,
    primaryOf: ({ source }) => source,
  };
}
