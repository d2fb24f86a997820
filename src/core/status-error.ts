// The one error class of the product: a Kubernetes Status with a closed list of reasons.

/** Reasons as in `metav1.StatusReason`, with the HTTP code each stands for. */
export const STATUS_CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  /** A failure without a reason on the wire: `metav1.StatusReasonUnknown` is the empty text. */
  Unknown: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 504,
} as const;

export type StatusReason = keyof typeof STATUS_CODES;

/** One entry of `details.causes`; `reason` is for instance `FieldValueInvalid`. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface StatusErrorOptions {
  readonly details?: StatusDetails;
  readonly code?: number;
  readonly cause?: unknown;
  readonly warnings?: readonly string[];
  readonly continue?: string;
}

/** A failed API operation. `details.kind` holds the plural resource for most reasons, as Kubernetes does it. */
export class StatusError extends Error {
  readonly reason: StatusReason;
  readonly code: number;
  readonly details: StatusDetails | undefined;
  /** What else the client is told, beside the Status: `Warning` headers on the wire. */
  readonly warnings: readonly string[];
  /** Of an expired page: the token that reads the rest of the list as it is now. */
  readonly continue: string | undefined;

  constructor(reason: StatusReason, message: string, options: StatusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StatusError";
    this.reason = reason;
    this.code = options.code ?? STATUS_CODES[reason];
    this.details = options.details;
    this.warnings = options.warnings ?? [];
    this.continue = options.continue;
  }
}

/** `services.serving.knative.dev`, or `pods` for the core group. */
export interface ResourceName {
  readonly group: string;
  readonly resource: string;
}

export function qualified(of: ResourceName): string {
  return of.group === "" ? of.resource : `${of.resource}.${of.group}`;
}

function detailsOf(of: ResourceName, name: string): StatusDetails {
  return { name, ...(of.group === "" ? {} : { group: of.group }), kind: of.resource };
}

export function notFound(of: ResourceName, name: string): StatusError {
  return new StatusError("NotFound", `${qualified(of)} "${name}" not found`, { details: detailsOf(of, name) });
}

export function alreadyExists(of: ResourceName, name: string): StatusError {
  return new StatusError("AlreadyExists", `${qualified(of)} "${name}" already exists`, { details: detailsOf(of, name) });
}

/** `why` is the sentence after the colon; the default is optimistic locking's. */
export function conflict(
  of: ResourceName,
  name: string,
  why = "the object has been modified; please apply your changes to the latest version and try again",
): StatusError {
  return new StatusError("Conflict", `Operation cannot be fulfilled on ${qualified(of)} "${name}": ${why}`, { details: detailsOf(of, name) });
}

export function badRequest(message: string, options: StatusErrorOptions = {}): StatusError {
  return new StatusError("BadRequest", message, options);
}

/** What Kubernetes' server meets unprepared and tells as it is: code 500 and no reason. */
export function unknownFailure(message: string): StatusError {
  return new StatusError("Unknown", message);
}

export function forbidden(of: ResourceName, name: string, why: string): StatusError {
  return new StatusError("Forbidden", `${qualified(of)} "${name}" is forbidden: ${why}`, { details: detailsOf(of, name) });
}

/** A resourceVersion that is no longer in the watch window: the client lists again. */
export function expired(message: string): StatusError {
  return new StatusError("Expired", message);
}

/** True for a StatusError of the given reason; the only way to tell errors apart (never by message). */
export function isReason(error: unknown, reason: StatusReason): error is StatusError {
  return error instanceof StatusError && error.reason === reason;
}

/** `metav1.Status` on the wire. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string };
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

export function statusOf(error: StatusError): Status {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: error.continue === undefined ? {} : { continue: error.continue },
    status: "Failure",
    message: error.message,
    ...(error.reason === "Unknown" ? {} : { reason: error.reason }),
    ...(error.details === undefined ? {} : { details: error.details }),
    code: error.code,
  };
}

/** The error a remote server described; unknown reasons become InternalError with the code kept. */
export function fromStatus(status: { reason?: string; message?: string; details?: StatusDetails; code?: number; metadata?: Status["metadata"] }): StatusError {
  const reason = status.reason !== undefined && Object.hasOwn(STATUS_CODES, status.reason) ? (status.reason as StatusReason) : "InternalError";
  return new StatusError(reason, status.message ?? "unknown error", {
    ...(status.details === undefined ? {} : { details: status.details }),
    ...(status.code === undefined ? {} : { code: status.code }),
    ...(status.metadata?.continue === undefined ? {} : { continue: status.metadata.continue }),
  });
}
