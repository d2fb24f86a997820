// Filters of the Subscriptions API: schema, typed form and checks (eventing.md §1.2).
import { filterFault } from "#cesql";
import { s } from "#schema";
import { eachOf, fieldError, invalidKeyName, invalidValue, noErrors, type FieldErrors } from "../knative-field-error.ts";

/** Filters may be nested this deep: they are compiled and judged by recursion. */
const DEPTH_MAX = 32;

/** One dialect at most; an empty filter lets everything through. */
export interface EventFilter {
  readonly all?: readonly EventFilter[];
  readonly any?: readonly EventFilter[];
  readonly not?: EventFilter;
  readonly exact?: Readonly<Record<string, string>>;
  readonly prefix?: Readonly<Record<string, string>>;
  readonly suffix?: Readonly<Record<string, string>>;
  readonly cesql?: string;
}

const LISTS = ["all", "any"] as const;
const MAPS = ["exact", "prefix", "suffix"] as const;
const DIALECTS: readonly string[] = [...LISTS, ...MAPS, "not", "cesql"];

const attributes = s.optional(s.map(s.string()));
const nested = s.anything<EventFilter>();

export const EventFilterSchema = s.object({
  all: s.optional(s.list(nested, { plain: true })),
  any: s.optional(s.list(nested, { plain: true })),
  cesql: s.optional(s.string()),
  exact: attributes,
  not: s.optional(nested),
  prefix: attributes,
  suffix: attributes,
});

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

const typeOf = (value: unknown): string => (Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value);

const GO_TYPES: Readonly<Record<string, string>> = { cesql: "string", all: "[]v1.SubscriptionsAPIFilter", any: "[]v1.SubscriptionsAPIFilter" };

/** What a nested filter is not, where no schema looks: in the words of Go's decoder. */
function misfit(value: unknown, key: string): string | undefined {
  if (isEmpty(value)) return undefined;
  const fits = key === "cesql" ? typeof value === "string" : key === "all" || key === "any" ? Array.isArray(value) : isRecord(value);
  const type = GO_TYPES[key] ?? (key === "not" ? "v1.SubscriptionsAPIFilter" : "map[string]string");
  return fits ? undefined : `json: cannot unmarshal ${typeOf(value)} into Go struct field SubscriptionsAPIFilter.${key} of type ${type}`;
}

/** Why a list of filters cannot be decoded, however deep it is in there; undefined when it can. */
export function filtersMisfit(filters: unknown, depth = 0): string | undefined {
  if (depth > DEPTH_MAX) return `filters are nested more than ${DEPTH_MAX} deep`;
  for (const filter of Array.isArray(filters) ? (filters as unknown[]) : []) {
    if (!isRecord(filter)) return `json: cannot unmarshal ${typeOf(filter)} into Go value of type v1.SubscriptionsAPIFilter`;
    const unknown = Object.keys(filter).find((key) => !DIALECTS.includes(key));
    if (unknown !== undefined) return `json: unknown field ${JSON.stringify(unknown)}`;
    for (const [key, value] of Object.entries(filter)) {
      const wrong =
        misfit(value, key) ??
        attributeMisfit(value, key) ??
        filtersMisfit(key === "not" && !isEmpty(value) ? [value] : LISTS.includes(key as "all") ? value : [], depth + 1);
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
}

function attributeMisfit(value: unknown, key: string): string | undefined {
  if (!MAPS.includes(key as "exact") || !isRecord(value)) return undefined;
  const wrong = Object.values(value).find((text) => typeof text !== "string" && text !== null);
  return wrong === undefined ? undefined : `json: cannot unmarshal ${typeOf(wrong)} into Go struct field SubscriptionsAPIFilter.${key} of type string`;
}

/** Filters without what says nothing: empty maps, lists and texts go, as Go's structs lose them. */
export function typedFilters(filters: readonly EventFilter[]): EventFilter[] {
  return filters.map((filter) => {
    const { all, any, not, cesql } = filter;
    const maps = MAPS.filter((key) => Object.keys(filter[key] ?? {}).length > 0).map((key) => [key, filter[key]]);
    return {
      ...(isEmpty(all) ? {} : { all: typedFilters(all ?? []) }),
      ...(isEmpty(any) ? {} : { any: typedFilters(any ?? []) }),
      ...(isEmpty(cesql) ? {} : { cesql: cesql ?? "" }),
      ...(isEmpty(not) ? {} : { not: typedFilters([not ?? {}])[0] ?? {} }),
      ...Object.fromEntries(maps),
    };
  });
}

/** Errors at the map of attributes. */
export function checkAttributeNames(names: Readonly<Record<string, string>> | undefined): FieldErrors {
  const wrong = Object.keys(names ?? {}).filter((name) => !/^[a-z][a-z0-9]*$/.test(name));
  const details = "Attribute name must start with a letter and can only contain lowercase alphanumeric";
  return noErrors.also(...wrong.map((name) => invalidKeyName(name, "", details).viaKey(name)));
}

/** Why the expression cannot be one, or never says yes or no; below it in words. */
function checkExpression(expression: string | undefined): FieldErrors {
  const fault = expression === undefined ? undefined : filterFault(expression);
  return fault === undefined ? noErrors : invalidValue(expression ?? "", "cesql", fault);
}

function checkFilter(filter: EventFilter): FieldErrors {
  const used = DIALECTS.filter((key) => filter[key as keyof EventFilter] !== undefined);
  const several = used.length > 1 ? fieldError("multiple dialects found, filters can have only one dialect set") : noErrors;
  return several.also(
    ...MAPS.map((key) => checkAttributeNames(filter[key]).viaField(key)),
    ...LISTS.map((key) => checkFilters(filter[key]).viaField(key)),
    checkExpression(filter.cesql),
    filter.not === undefined ? noErrors : checkFilter(filter.not).viaField("not"),
  );
}

/** Errors at the list of filters, which are in typed form. */
export function checkFilters(filters: readonly EventFilter[] | undefined): FieldErrors {
  return eachOf(filters, checkFilter);
}
