// Go's fmt as far as templates use it.
import type { TemplateValue } from "./go-template.ts";

/** Widths and precisions beyond are cut: a template is not to make megabytes. */
const WIDTH_MAX = 200;

/** `%v`. */
export function goText(value: TemplateValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return goNumber(value);
  if (typeof value === "boolean") return String(value);
  if (value === undefined) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  return (value as { text(): string }).text();
}

/** The shortest form; with an exponent of two digits at least below 1e-4 and from 1e21 on. */
export function goNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return String(value);
}

function typed(value: TemplateValue): string {
  if (typeof value === "number") return `${Number.isInteger(value) ? "int" : "float64"}=${goNumber(value)}`;
  return `${typeof value === "boolean" ? "bool" : typeof value}=${goText(value)}`;
}

const VERB = /%(?:([-+ 0#]*)(\d*)(?:\.(\d*))?([a-zA-Z])|%)/g;

/** `Sprintf` with the verbs v s q d f g e t x, width, precision and the flags - and 0. */
export function goFormat(format: string, args: readonly TemplateValue[]): string {
  let used = 0;
  const text = format.replaceAll(VERB, (_: string, flags?: string, width?: string, precision?: string, verb?: string) => {
    if (verb === undefined) return "%";
    if (used >= args.length) return `%!${verb}(MISSING)`;
    const value = args[used++];
    const digits = precision === undefined ? undefined : Math.min(Number(precision), WIDTH_MAX);
    const shown = formatted(verb, value, digits) ?? `%!${verb}(${typed(value)})`;
    const wide = Math.min(Number(width ?? 0), WIDTH_MAX);
    if (flags?.includes("-") === true) return shown.padEnd(wide);
    if (flags?.includes("0") !== true || typeof value !== "number") return shown.padStart(wide);
    return shown.startsWith("-") ? `-${shown.slice(1).padStart(wide - 1, "0")}` : shown.padStart(wide, "0");
  });
  return used < args.length ? `${text}%!(EXTRA ${args.slice(used).map(typed).join(", ")})` : text;
}

function formatted(verb: string, value: TemplateValue, digits: number | undefined): string | undefined {
  switch (verb) {
    case "v":
    case "s":
      return verb === "s" && (typeof value === "number" || typeof value === "boolean")
        ? undefined
        : digits === undefined
          ? goText(value)
          : goText(value).slice(0, digits);
    case "q":
      return JSON.stringify(goText(value));
    case "t":
      return typeof value === "boolean" ? String(value) : undefined;
    case "d":
      return typeof value === "number" && Number.isInteger(value) ? String(value) : undefined;
    case "x":
      return typeof value === "number" ? value.toString(16) : typeof value === "string" ? Buffer.from(value, "latin1").toString("hex") : undefined;
    case "f":
    case "F":
      return typeof value === "number" ? value.toFixed(Math.min(digits ?? 6, 100)) : undefined;
    case "e":
      return typeof value === "number" ? value.toExponential(Math.min(digits ?? 6, 100)).replace(/e([+-])(\d)$/, "e$10$2") : undefined;
    case "g":
      return typeof value === "number" ? goNumber(digits === undefined ? value : Number(value.toPrecision(Math.min(Math.max(digits, 1), 100)))) : undefined;
    default:
      return undefined;
  }
}
