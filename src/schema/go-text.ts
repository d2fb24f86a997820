// Values as Go prints them (`%v`), which is how they stand in some of Kubernetes' messages.
import { isObject } from "./compile-nodes.ts";

/** Longer texts are cut: they are for people, and come from what a client sent. */
const TEXT_MAX = 10_000;

function printed(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(printed).join(" ")}]`;
  if (isObject(value)) {
    const names = Object.keys(value).sort();
    return `map[${names.map((name) => `${name}:${printed(value[name])}`).join(" ")}]`;
  }
  return typeof value === "number" ? printedNumber(value) : String(value as string | boolean);
}

/** Whole numbers plainly, others in Go's shortest form. */
function printedNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 21) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** A JSON value as `fmt.Sprint` writes it: `map[a:1 b:[x y] c:<nil>]`. */
export function goText(value: unknown): string {
  return printed(value).slice(0, TEXT_MAX);
}

/** The Go type of a decoded JSON value, as in `expected a map[string]interface {}, but received a string`. */
export function goTypeOf(value: unknown): string {
  if (value === null || value === undefined) return "%!s(<nil>)";
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}
