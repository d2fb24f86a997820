// Names of the managers of fields.
import { fieldError, type FieldError } from "./field-error.ts";

/** As long as a manager's name may be, in bytes. */
const MANAGER_BYTES_MAX = 128;

const isPrintable = (char: string): boolean => char === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char);

/** A text as Go quotes it. */
function quoted(text: string): string {
  return JSON.stringify(text)
    .replaceAll("\u007f", "\\x7f")
    .replaceAll(/\\u00([0-9a-f]{2})/g, "\\x$1");
}

/** The position is in bytes, as Go counts. */
function characterErrors(field: string, text: string): FieldError[] {
  const wrong: FieldError[] = [];
  let at = 0;
  for (const char of text) {
    if (!isPrintable(char)) {
      const code = `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
      wrong.push({ type: "FieldValueInvalid", field, message: `Invalid value: ${quoted(text)}: invalid character ${code} (at position ${at})` });
    }
    at += Buffer.byteLength(char);
  }
  return wrong;
}

/** What is wrong with the name of a manager. */
export function managerErrors(field: string, manager: string): FieldError[] {
  const long = Buffer.byteLength(manager) > MANAGER_BYTES_MAX ? [fieldError.tooLong(field, MANAGER_BYTES_MAX)] : [];
  return [...long, ...characterErrors(field, manager)];
}

/** What of a text can be a manager's name. */
export function managerName(text: string): string {
  let name = "";
  for (const char of text) {
    if (!isPrintable(char)) continue;
    if (Buffer.byteLength(name) + Buffer.byteLength(char) > MANAGER_BYTES_MAX) break;
    name += char;
  }
  return name;
}
