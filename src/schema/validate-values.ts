// Checks of single values of a custom object: texts, numbers, and how many there are, in Kubernetes' texts.
import type { Engines, Pattern } from "./engines.ts";
import { fieldError, type FieldError } from "./field-error.ts";
import { formatCheck } from "./formats.ts";
import type { Node } from "./node.ts";

export type ValueErrors<V> = (value: V, path: string) => FieldError[];

/** A number as Go prints it. */
function go(value: number): string {
  const text = Math.abs(value) > 0 && Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** The first thing that is wrong with a text; then its format. */
export function textErrors(node: Node, engines: Engines): ValueErrors<string> | undefined {
  const { minLength, maxLength, pattern: source } = node;
  const isOfFormat = formatCheck(node.format);
  if (minLength === undefined && maxLength === undefined && (source ?? "") === "" && isOfFormat === undefined) return undefined;
  // Most patterns of most schemas are never asked.
  let compiled: Pattern | undefined;
  const isMatch = (value: string): boolean => source === undefined || source === "" || (compiled ??= engines.pattern(source)).matches(value);
  const counts = minLength !== undefined || maxLength !== undefined;
  const first: ValueErrors<string> = (value, path) => {
    const length = counts ? [...value].length : 0;
    if (maxLength !== undefined && length > maxLength) return [fieldError.tooLong(path, maxLength)];
    if (minLength !== undefined && length < minLength) return [fieldError.invalid(path, value, `${path} in body should be at least ${minLength} chars long`)];
    if (!isMatch(value)) return [fieldError.invalid(path, value, `${path} in body should match '${source ?? ""}'`)];
    return [];
  };
  if (isOfFormat === undefined) return first;
  return (value, path) => {
    const wrong = first(value, path);
    if (isOfFormat(value)) return wrong;
    return [...wrong, fieldError.typeInvalid(path, value, `${path} in body must be of type ${node.format ?? ""}: ${JSON.stringify(value)}`)];
  };
}

function isMultiple(value: number, factor: number): boolean {
  if (Number.isInteger(value)) return Number.isInteger(factor) ? value % factor === 0 : Math.trunc(factor) !== 0 && value % Math.trunc(factor) === 0;
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9;
}

export function numberErrors(node: Node): ValueErrors<number> | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = node;
  if (minimum === undefined && maximum === undefined && multipleOf === undefined) return undefined;
  return (value, path) => {
    const wrong: FieldError[] = [];
    const say = (what: string): unknown => wrong.push(fieldError.invalid(path, value, `${path} in body should be ${what}`));
    if (multipleOf !== undefined && !isMultiple(value, multipleOf)) say(`a multiple of ${go(multipleOf)}`);
    if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum))
      say(`greater than ${exclusiveMinimum === true ? "" : "or equal to "}${go(minimum)}`);
    if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum))
      say(`less than ${exclusiveMaximum === true ? "" : "or equal to "}${go(maximum)}`);
    return wrong;
  };
}

/** How many items a list, or properties an object, may have. */
export function countErrors(
  path: string,
  count: number,
  limits: { readonly min: number | undefined; readonly max: number | undefined; readonly what: string },
): FieldError[] {
  const { min, max, what } = limits;
  if (min !== undefined && count < min) return [fieldError.invalid(path, count, `${path} in body should have at least ${min} ${what}`)];
  return max !== undefined && count > max ? [fieldError.tooMany(path, count, max)] : [];
}
