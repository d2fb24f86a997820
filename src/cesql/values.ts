// Values, their types and casts (specification, 3.1 and 3.7).
import type { Value, ValueType } from "./syntax.ts";

export const INTEGER_MIN = -2_147_483_648;
export const INTEGER_MAX = 2_147_483_647;

export const ZERO = { Boolean: false, Integer: 0, String: "" } as const satisfies Record<ValueType, Value>;

export function typeOf(value: Value): ValueType {
  if (typeof value === "string") return "String";
  return typeof value === "number" ? "Integer" : "Boolean";
}

/** Undefined: the text is neither `true` nor `false` in any case. */
export function toBoolean(value: Value): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  const text = value.length > 5 ? value : value.toLowerCase();
  return text === "true" ? true : text === "false" ? false : undefined;
}

/** Undefined: the text is no decimal integer of 32 bits. */
export function toInteger(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (!/^[+-]?[0-9]+$/.test(value)) return undefined;
  const number = Number(value);
  return number < INTEGER_MIN || number > INTEGER_MAX ? undefined : number | 0;
}

/** Total. */
export function toText(value: Value): string {
  return typeof value === "string" ? value : String(value);
}

export function cast(value: Value, type: ValueType): Value | undefined {
  if (type === "String") return toText(value);
  return type === "Integer" ? toInteger(value) : toBoolean(value);
}
