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
