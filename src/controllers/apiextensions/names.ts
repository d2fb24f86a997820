// Which names of a definition are its own: what another definition of the group has taken first stays taken.
import type { CustomResourceDefinition } from "#kinds";
import { equal } from "#schema";
import type { DefinitionCondition } from "./conditions.ts";

type Names = CustomResourceDefinition["spec"]["names"];

export interface NamesPlan {
  readonly accepted: Names;
  readonly condition: Omit<DefinitionCondition, "lastTransitionTime">;
}

/** What is wrong with a wanted name; undefined when it is ours already or free. */
function taken(wanted: string, accepted: string | undefined, used: ReadonlySet<string>): string | undefined {
  return wanted === accepted || !used.has(wanted) ? undefined : `${JSON.stringify(wanted)} is already in use`;
}

/** Several texts as Go's aggregates show them. */
const together = (texts: readonly string[]): string => (texts.length === 1 ? (texts[0] ?? "") : `[${[...new Set(texts)].join(", ")}]`);

/** `others` are the accepted names of the other definitions of the group. */
export function planNames(wanted: Names, current: Names | undefined, others: readonly Names[]): NamesPlan {
  const resources = new Set(others.flatMap(({ plural, singular, shortNames = [] }) => [plural, ...(singular === undefined ? [] : [singular]), ...shortNames]));
  const kinds = new Set(others.flatMap(({ kind, listKind }) => [kind, ...(listKind === undefined ? [] : [listKind])]));
  const accepted: { -readonly [N in keyof Names]: Names[N] } = { ...(current ?? { plural: "", kind: "" }) };
  let conflict: { reason: string; message: string } | undefined;
  const members = [
    ["plural", "PluralConflict", resources],
    ["singular", "SingularConflict", resources],
    ["shortNames", "ShortNamesConflict", resources],
    ["kind", "KindConflict", kinds],
    ["listKind", "ListKindConflict", kinds],
  ] as const;
  for (const [member, reason, used] of members) {
    const problems =
      member === "shortNames"
        ? (wanted.shortNames ?? []).flatMap((name) => ((current?.shortNames ?? []).includes(name) ? [] : (taken(name, "", used) ?? [])))
        : [taken(wanted[member] ?? "", current?.[member], used)].filter((text) => text !== undefined);
    if (problems.length > 0) conflict = { reason, message: together(problems) };
    else if (wanted[member] === undefined) delete accepted[member];
    else Object.assign(accepted, { [member]: wanted[member] });
  }
  if (wanted.categories === undefined) delete accepted.categories;
  else accepted.categories = wanted.categories;
  const condition = conflict === undefined ? { status: "True", reason: "NoConflicts", message: "no conflicts found" } : { status: "False", ...conflict };
  return { accepted: equal(accepted, current) && current !== undefined ? current : accepted, condition: { type: "NamesAccepted", ...condition } };
}
