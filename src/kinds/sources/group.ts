// What the kinds of sources.knative.dev have in common (eventing.md §0.1).
import { s, type Column, type LabelSelectorObject } from "#schema";
import { AGE, eventingLabels, READY } from "../eventing/group.ts";

const LABELS = { ...eventingLabels.plain, "duck.knative.dev/source": "true", "eventing.knative.dev/source": "true" };

export const sourcesGroup = { group: "sources.knative.dev", version: "v1", categories: ["all", "knative", "sources"], labels: LABELS } as const;

export const bindingsGroup = {
  ...sourcesGroup,
  categories: ["all", "knative", "sources", "bindings"],
  labels: { ...LABELS, "duck.knative.dev/binding": "true" },
} as const;

const SINK: Column = { name: "Sink", type: "string", path: ".status.sinkUri" };
export const SOURCE_COLUMNS: readonly Column[] = [SINK, AGE, ...READY];
export const PING_COLUMNS: readonly Column[] = [SINK, { name: "Schedule", type: "string", path: ".spec.schedule" }, AGE, ...READY];

/** The annotation of a definition that tells which events its sources send. */
export function eventTypes(types: readonly { readonly type: string; readonly description: string }[]): Readonly<Record<string, string>> {
  return { "registry.knative.dev/eventTypes": `${JSON.stringify(types, undefined, 2)}\n` };
}

const text = s.optional(s.string());
const texts = s.optional(s.list(s.string(), { plain: true }));
export const LabelSelectorSchema = s.node<LabelSelectorObject>(
  s.object({
    matchExpressions: s.optional(s.list(s.object({ key: text, operator: text, values: texts }), { plain: true })),
    matchLabels: s.optional(s.map(s.string())),
  }),
);
