// Columns and texts that tables of several kinds share.
import { ageOf, formatLabelSelector, requirementsOf, type Column, type LabelSelectorObject } from "#schema";
import type { Container } from "./v1.types.ts";

export const age: Column = { name: "Age", type: "date", cell: (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs) };

/** The text of an empty cell. */
export const NONE = "<none>";

export const orNone = (text: string | undefined): string => (text === undefined || text === "" ? NONE : text);

/** `a=b,c=d`, or `<none>`. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return orNone(
    Object.entries(labels ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
  );
}

export function selectorText(selector: LabelSelectorObject | null | undefined): string {
  return orNone(formatLabelSelector(requirementsOf(selector ?? undefined) ?? []));
}

/** Three of a list, and how many more there are. */
export function firstThree(items: readonly string[]): string {
  if (items.length === 0) return NONE;
  const more = items.length - 3;
  return more > 0 ? `${items.slice(0, 3).join(",")} + ${more} more...` : items.join(",");
}

const templateOf = (object: object): readonly Container[] =>
  (object as { spec?: { template?: { spec?: { containers?: Container[] } } } }).spec?.template?.spec?.containers ?? [];

/** The wide columns of everything with a pod template. */
export const templateColumns: readonly Column[] = [
  {
    name: "Containers",
    type: "string",
    priority: 1,
    description: "Names of each container in the template.",
    cell: (object) =>
      templateOf(object)
        .map((one) => one.name)
        .join(","),
  },
  {
    name: "Images",
    type: "string",
    priority: 1,
    description: "Images referenced by each container in the template.",
    cell: (object) =>
      templateOf(object)
        .map((one) => one.image ?? "")
        .join(","),
  },
  {
    name: "Selector",
    type: "string",
    priority: 1,
    cell: (object) => selectorText((object as { spec?: { selector?: LabelSelectorObject } }).spec?.selector),
  },
];
