// Which objects a list or a watch is about: a prefix of keys, perhaps one name, and a test of the object.
import { badRequest } from "#core";
import {
  checkFields,
  labelMatcher,
  matchesFields,
  parseFieldSelector,
  parseLabelSelector,
  requiredValue,
  type FieldRequirements,
  type KubeObject,
  type LabelRequirements,
} from "#schema";
import { decode, keyOf, prefixOf } from "./keys.ts";
import type { Resource } from "./registry.ts";

export interface Selection {
  /** Every key of the selection begins with it. */
  readonly prefix: string;
  /** Whether a key below the prefix can be meant; cheap, without the object. */
  readonly ownsKey: (key: string) => boolean;
  /** Whether the stored text can be that of a matching object; saves parsing most of the others. */
  readonly mayMatch: (text: string) => boolean;
  /** Everything below the prefix, without a selector. */
  readonly isWhole: boolean;
  /** Undefined when no object needs to be looked at. */
  readonly matches: ((object: KubeObject) => boolean) | undefined;
}

/** Selectors of this length are refused before they are parsed. */
const SELECTOR_LENGTH_MAX = 64 << 10;

function textOf(query: URLSearchParams, name: string): string {
  const text = query.get(name) ?? "";
  if (text.length > SELECTOR_LENGTH_MAX) throw badRequest(`${name} is too long: limit is ${SELECTOR_LENGTH_MAX}`);
  return text;
}

/** `labelSelector` and `fieldSelector` as they can be read without knowing the kind. */
export interface Selectors {
  readonly labels: LabelRequirements;
  readonly fields: FieldRequirements;
}

/** Throws BadRequest for what cannot be read. */
export function parseSelectors(query: URLSearchParams): Selectors {
  return { labels: parseLabelSelector(textOf(query, "labelSelector")), fields: parseFieldSelector(textOf(query, "fieldSelector")) };
}

/** The one object that a path names is chosen as by its name; another selection than that has to agree. */
function withName(fields: FieldRequirements, name: string): FieldRequirements {
  if (name === "") return fields;
  if (fields.length === 0) return [{ field: "metadata.name", equals: true, value: name }];
  if (requiredValue(fields, "metadata.name") !== name) throw badRequest("fieldSelector metadata.name doesn't match requested name");
  return fields;
}

/** Throws BadRequest for fields that the kind does not offer. `place.name` is "" for a collection. */
export function selectionOf(resource: Resource, place: { readonly namespace: string; readonly name: string }, selectors: Selectors): Selection {
  const { labels } = selectors;
  checkFields(selectors.fields, resource.kind);
  const fields = withName(selectors.fields, place.name);
  const name = requiredValue(fields, "metadata.name");
  const inNamespace = place.namespace !== "" ? place.namespace : (requiredValue(fields, "metadata.namespace") ?? "");
  // What the key already says need not be asked of the object again; a contradiction still is.
  const said = { "metadata.name": name, "metadata.namespace": resource.namespaced ? inNamespace : undefined };
  const asked = fields.filter(({ field, equals, value }) => !equals || said[field as keyof typeof said] !== value);
  const one = name === undefined || (resource.namespaced && inNamespace === "") ? undefined : keyOf(resource, inNamespace, name);
  // Stored texts have no spaces, so a label stands in them exactly like this.
  const pairs = labels.filter(({ operator, values }) => operator === "In" && values.length === 1);
  const members = pairs.map((label) => `${JSON.stringify(label.key)}:${JSON.stringify(label.values[0])}`);
  const fit = labelMatcher(labels);
  return {
    prefix: one ?? prefixOf(resource, inNamespace),
    ownsKey: one !== undefined ? (key) => key === one : name !== undefined ? (key) => key.endsWith(`/${name}`) : () => true,
    isWhole: labels.length === 0 && fields.length === 0,
    mayMatch: (text) => members.every((member) => text.includes(member)),
    matches: labels.length === 0 && asked.length === 0 ? undefined : (object) => fit(object.metadata.labels) && matchesFields(asked, resource.kind, object),
  };
}

/** Whether the entry is of the selection; parses it only when it has to. */
export function isMeant({ ownsKey, mayMatch, matches }: Selection, key: string, text: string): boolean {
  return ownsKey(key) && (matches === undefined || (mayMatch(text) && matches(decode(text))));
}
