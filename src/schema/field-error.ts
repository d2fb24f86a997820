// Field errors as values: they learn their path on the way up and are rendered once, at the edge.

/** Kubernetes' cause reasons, `metav1.CauseType`; Knative's errors carry none on the wire. */
export type FieldErrorType =
  | "FieldValueNotFound"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueTypeInvalid"
  | "InternalError";

/** One problem of one field in Kubernetes' form; `message` is what follows the path, e.g. `Required value`. */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly message: string;
}

function show(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  // Go writes JSON so that it can stand in HTML.
  return typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value).replaceAll(/[&<>]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

const after = (detail: string): string => (detail === "" ? "" : `: ${detail}`);

/** Makers of field errors, with the texts of Kubernetes' `field` package. */
export const fieldError = {
  required: (field: string, detail = ""): FieldError => ({ type: "FieldValueRequired", field, message: `Required value${after(detail)}` }),
  invalid: (field: string, value: unknown, detail: string): FieldError => ({
    type: "FieldValueInvalid",
    field,
    message: `Invalid value: ${show(value)}${after(detail)}`,
  }),
  typeInvalid: (field: string, value: unknown, detail: string): FieldError => ({
    type: "FieldValueTypeInvalid",
    field,
    message: `Invalid value: ${show(value)}${after(detail)}`,
  }),
  notSupported: (field: string, value: unknown, supported: readonly unknown[]): FieldError => ({
    type: "FieldValueNotSupported",
    field,
    message: `Unsupported value: ${show(value)}: supported values: ${supported.map((one) => JSON.stringify(typeof one === "string" ? one : JSON.stringify(one))).join(", ")}`,
  }),
  duplicate: (field: string, value: unknown): FieldError => ({ type: "FieldValueDuplicate", field, message: `Duplicate value: ${show(value)}` }),
  notFound: (field: string, value: unknown): FieldError => ({ type: "FieldValueNotFound", field, message: `Not found: ${show(value)}` }),
  forbidden: (field: string, detail: string): FieldError => ({ type: "FieldValueForbidden", field, message: `Forbidden${after(detail)}` }),
  tooMany: (field: string, count: number, max: number): FieldError => ({
    type: "FieldValueTooMany",
    field,
    message: `Too many: ${count}: must have at most ${max} ${max === 1 ? "item" : "items"}`,
  }),
  tooLong: (field: string, maxBytes: number): FieldError => ({
    type: "FieldValueTooLong",
    field,
    message: `Too long: may not be more than ${maxBytes} ${maxBytes === 1 ? "byte" : "bytes"}`,
  }),
} as const;
