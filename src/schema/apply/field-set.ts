// The set of all fields that an object mentions: what its sender claims when it is applied.
import { fieldElement } from "./element.ts";
import { nodeOf, NOTHING, type Fields } from "./fields.ts";
import type { ListType, MapType, MergeType } from "./merge-type.ts";
import { asList, asMap, itemsByElement, memberType, Misfit, shapeOf } from "./walk.ts";

/** What is claimed of a place: itself, and what lies below. */
interface Claim {
  readonly member: boolean;
  readonly parts: readonly (readonly [string, Fields | undefined])[];
}

const NONE: Claim = { member: false, parts: [] };
const WHOLE: Claim = { member: true, parts: [] };

function claimOfMap(map: MapType, value: unknown): Claim {
  if (map.atomic) return WHOLE;
  const parts: [string, Fields | undefined][] = [];
  for (const [name, member] of Object.entries(asMap(value) ?? {})) {
    if (member === undefined) continue;
    const type = memberType(map, name);
    if (type === undefined) throw new Misfit(`.${name}: field not declared in schema`);
    const inner = asMap(member);
    const isNone = member === null || (inner !== undefined && Object.keys(inner).length === 0);
    const claim = claimOf(type, member);
    parts.push([fieldElement(name), nodeOf(claim.member || isNone || !map.fields.has(name), claim.parts)]);
  }
  return { member: false, parts };
}

/** Items that occur several times are claimed as one place. */
function claimOfList(list: ListType, value: unknown): Claim {
  if (list.atomic) return WHOLE;
  const parts: [string, Fields | undefined][] = [];
  for (const [element, items] of itemsByElement(list, asList(value))) {
    const { parts: inner } = items.length > 1 ? NONE : claimOf(list.items, items[0]);
    parts.push([element, nodeOf(true, inner)]);
  }
  return { member: false, parts };
}

function claimOf(type: MergeType, value: unknown): Claim {
  const shape = shapeOf(type, value);
  if (shape === "map" && type.map !== undefined) return claimOfMap(type.map, value);
  if (shape === "list" && type.list !== undefined) return claimOfList(type.list, value);
  return WHOLE;
}

/** The set of an object; throws Misfit for values that do not fit the type. */
export function fieldsOfObject(type: MergeType, object: unknown): Fields {
  return nodeOf(false, claimOf(type, object).parts) ?? NOTHING;
}
