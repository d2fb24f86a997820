// Which events a subscriber wants, compiled once (decision 47): Knative's older attribute filter, and the dialects.
import { compileExpression, eitherNeeds, type Need } from "#cesql";
import type { AttributeValues, EventFilter, EventSelection } from "#protocol";
import { canonical, type AttributeValue } from "../cloudevents/event.ts";
import { essence } from "../cloudevents/media-type.ts";

export type Attributes = ReadonlyMap<string, AttributeValue>;
export type Match = (attributes: Attributes) => boolean;

export interface Matcher {
  readonly matches: Match;
  /** All of them hold of every event that it matches. */
  readonly needs: readonly Need[];
}

const EVERYTHING: Matcher = { matches: () => true, needs: [] };

/** The older filter counts only while there is none of the others. */
export function matcherFor({ attributes, filters }: EventSelection): Matcher {
  return (filters.length > 0 ? allOf(filters) : legacy(attributes)) ?? EVERYTHING;
}

/**
 * An element that says nothing (no dialect, no attributes, an empty name or value, an expression that cannot be read) is undefined:
 * it lets pass and refuses nothing, wherever it stands. Nothing of that depends on the event.
 */
function compiled(filter: EventFilter): Matcher | undefined {
  if (filter.exact !== undefined) return textual(filter.exact, (text, wanted) => text === wanted, exactNeeds);
  if (filter.prefix !== undefined) return textual(filter.prefix, (text, wanted) => text.startsWith(wanted));
  if (filter.suffix !== undefined) return textual(filter.suffix, (text, wanted) => text.endsWith(wanted));
  if (filter.all !== undefined) return allOf(filter.all);
  if (filter.any !== undefined) return anyOf(filter.any);
  if (filter.not !== undefined) return negated(filter.not);
  return filter.cesql === undefined ? undefined : expression(filter.cesql);
}

function allOf(filters: readonly EventFilter[]): Matcher | undefined {
  const matchers = usable(filters);
  const matches = matchers.map((one) => one.matches);
  return matchers.length < 2
    ? matchers[0]
    : { matches: (attributes) => matches.every((match) => match(attributes)), needs: matchers.flatMap(({ needs }) => needs) };
}

function anyOf(filters: readonly EventFilter[]): Matcher | undefined {
  const matchers = usable(filters);
  const matches = matchers.map((one) => one.matches);
  if (matchers.length < 2) return matchers[0];
  return { matches: (attributes) => matches.some((match) => match(attributes)), needs: eitherNeeds(matchers.map(({ needs }) => needs)) };
}

const usable = (filters: readonly EventFilter[]): Matcher[] => filters.map(compiled).filter((matcher) => matcher !== undefined);

function negated(filter: EventFilter): Matcher | undefined {
  const inner = compiled(filter);
  return inner && { matches: (attributes) => !inner.matches(attributes), needs: [] };
}

function expression(text: string): Matcher | undefined {
  const result = compileExpression(text);
  return "fault" in result ? undefined : { matches: (attributes) => result.matches(attributes), needs: result.needs };
}

const exactNeeds = (name: string, value: string): Need => ({ attribute: name, values: new Set([value]) });

/** Every attribute has to fit; one that is missing never does. Typed values are compared in their canonical string form. */
function textual(values: AttributeValues, fits: (text: string, wanted: string) => boolean, need?: typeof exactNeeds): Matcher | undefined {
  const entries = Object.entries(values);
  if (entries.length === 0 || entries.some(([name, value]) => name === "" || value === "")) return undefined;
  const matches = (attributes: Attributes): boolean => {
    for (const [name, wanted] of entries) {
      const value = attributes.get(name);
      if (value === undefined || !fits(canonical(value), wanted)) return false;
    }
    return true;
  };
  return { matches, needs: need === undefined ? [] : entries.map(([name, value]) => need(name, value)) };
}

/** Names of the older filter that are no attributes of version 1.0. */
const ALIASES: Readonly<Record<string, (attributes: Attributes) => AttributeValue | undefined>> = {
  schemaurl: (attributes) => attributes.get("dataschema") ?? attributes.get("schemaurl"),
  dataschema: (attributes) => attributes.get("dataschema") ?? attributes.get("schemaurl"),
  datamediatype: (attributes) => {
    const type = attributes.get("datacontenttype");
    return type === undefined ? undefined : essence(canonical(type));
  },
};

/** An empty value asks only that the attribute be there. */
function legacy(values: AttributeValues): Matcher | undefined {
  const entries = Object.entries(values);
  if (entries.length === 0) return undefined;
  const tests = entries.map(([name, wanted]): Match => {
    const get = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
    return (attributes) => {
      const value = get === undefined ? attributes.get(name) : get(attributes);
      return value !== undefined && (wanted === "" || canonical(value) === wanted);
    };
  });
  return {
    matches: (attributes) => tests.every((test) => test(attributes)),
    needs: entries.filter(([name, wanted]) => wanted !== "" && !Object.hasOwn(ALIASES, name)).map(([name, wanted]) => exactNeeds(name, wanted)),
  };
}
