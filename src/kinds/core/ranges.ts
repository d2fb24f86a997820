// Numbers out of their range, in Kubernetes' words.
import { fieldError, type FieldError } from "#schema";

export const NOT_NEGATIVE = "must be greater than or equal to 0";

/** Errors of a port number. */
export function portErrors(field: string, port: number): FieldError[] {
  return port >= 1 && port <= 65_535 ? [] : [fieldError.invalid(field, port, "must be between 1 and 65535, inclusive")];
}

export function notNegative(field: string, value: number | undefined): FieldError[] {
  return value === undefined || value >= 0 ? [] : [fieldError.invalid(field, value, NOT_NEGATIVE)];
}
