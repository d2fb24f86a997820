// Takes fields out of an object.
import { fieldElement } from "./element.ts";
import { below, isEmpty, isMember, nodeOf, NOTHING, type Fields } from "./fields.ts";
import type { ListType, MapType, MergeType } from "./merge-type.ts";
import { asList, asMap, elementOfItem, memberType, shapeOf } from "./walk.ts";

/** What nothing is left of becomes null, as in Kubernetes. */
function removeFromMap(map: MapType, value: unknown, fields: Fields): unknown {
  const members = Object.entries(asMap(value) ?? {});
  if (map.atomic) return null;
  const out: [string, unknown][] = [];
  for (const [name, member] of members) {
    const element = fieldElement(name);
    if (member === undefined || isMember(fields, element)) continue;
    const inner = below(fields, element);
    const type = isEmpty(inner) ? undefined : memberType(map, name);
    out.push([name, type === undefined ? member : removeAt(type, member, inner)]);
  }
  return out.length === 0 ? null : Object.fromEntries(out);
}

function removeFromList(list: ListType, value: unknown, fields: Fields): unknown {
  if (list.atomic) return null;
  const out: unknown[] = [];
  for (const item of asList(value) ?? []) {
    const element = elementOfItem(list, item);
    if (isMember(fields, element)) continue;
    const inner = below(fields, element);
    out.push(isEmpty(inner) ? item : removeAt(list.items, item, inner));
  }
  return out.length === 0 ? null : out;
}

function removeAt(type: MergeType, value: unknown, fields: Fields): unknown {
  const shape = shapeOf(type, value);
  if (shape === "map" && type.map !== undefined) return removeFromMap(type.map, value, fields);
  if (shape === "list" && type.list !== undefined) return removeFromList(type.list, value, fields);
  return value;
}

/** The object without the fields of the set and all that lies below them. */
export function removeFields(type: MergeType, object: unknown, fields: Fields): unknown {
  return isEmpty(fields) ? object : removeAt(type, object, fields);
}

/** The type below an element; undefined where it is not known. */
function typeBelow(type: MergeType | undefined, element: string): MergeType | undefined {
  if (element.startsWith("f:")) return type?.map === undefined ? undefined : memberType(type.map, element.slice(2));
  return element.startsWith("k:") ? type?.list?.items : undefined;
}

function nameNode(type: MergeType | undefined, node: Fields, member: boolean): Fields | undefined {
  const parts = Object.keys(node)
    .filter((element) => element !== ".")
    .map((element) => {
      const isNamed = element.startsWith("f:") && type?.map?.fields.has(element.slice(2)) === true;
      return [element, nameNode(typeBelow(type, element), below(node, element), isNamed || isMember(node, element))] as const;
    });
  return nodeOf(member, parts, true);
}

/** The set with the declared fields that its members lie below: whoever owns something in a struct's field owns the field. */
export function withNamedFields(type: MergeType, fields: Fields): Fields {
  return nameNode(type, fields, false) ?? NOTHING;
}
