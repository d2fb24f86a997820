// What the plan of an EventType knows.
import { EventType } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";
import type { ReferenceDeps, ReferenceTracker } from "../references.ts";

/** What is behind the reference of an EventType. */
export type Referred = "unset" | "exists" | "missing" | { readonly error: string };

export interface ObservedEventType {
  readonly eventType: EventType;
  readonly referred: Referred;
}

export async function observeEventType(
  key: ObjectKey,
  world: World,
  { kindOf, references }: ReferenceDeps & { readonly references: ReferenceTracker },
): Promise<ObservedEventType | undefined> {
  const eventType = await world.client.find(EventType, key.namespace, key.name);
  if (eventType === undefined) return undefined;
  const { reference } = eventType.spec;
  if (reference === undefined) {
    references.forget(key);
    return { eventType, referred: "unset" };
  }
  const { name = "", namespace = key.namespace } = reference;
  references.track(key, [{ ...reference, namespace }]);
  const kind = kindOf(reference);
  if (kind === undefined) {
    const version = reference.apiVersion ?? reference.group ?? "";
    return { eventType, referred: { error: `no matches for kind ${JSON.stringify(reference.kind ?? "")} in version ${JSON.stringify(version)}` } };
  }
  const found = await world.client.find(kind, kind.scope === "Namespaced" ? namespace : "", name);
  return { eventType, referred: found === undefined ? "missing" : "exists" };
}
