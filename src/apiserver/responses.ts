// Responses: JSON texts, Status errors, and warnings as headers.
import { StatusError, type Logger } from "#core";
import { encodedStatus } from "./encode.ts";
import { COMPACT, type Encoding } from "./negotiate.ts";
import type { ApiBody, ApiResponse } from "./port.ts";

const PRIVATE = { "cache-control": "no-cache, private" } as const;

/** Longer warnings are cut and further ones dropped: headers have a limit at clients, too. */
const WARNINGS_MAX = 16;
const WARNING_LENGTH_MAX = 1024;

/** The `Warning: 299` header of RFC 7234, once a text. */
function warningHeaders(warnings: readonly string[]): Record<string, readonly string[]> {
  if (warnings.length === 0) return {};
  // Header values are Latin-1 without control characters; what does not fit is shown as a question mark.
  const clean = [...new Set(warnings)].slice(0, WARNINGS_MAX).map((text) => text.slice(0, WARNING_LENGTH_MAX).replaceAll(/[^\x20-\x7e]/g, "?"));
  return { warning: clean.map((text) => `299 - "${text.replaceAll(/["\\]/g, "\\$&")}"`) };
}

export function jsonResponse(status: number, body: ApiBody): ApiResponse {
  return { status, headers: { ...PRIVATE, "content-type": "application/json" }, body };
}

export function textResponse(status: number, body: string): ApiResponse {
  return { status, headers: { ...PRIVATE, "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" }, body };
}

/** An answer of somebody else, which no cache may keep unless they say so. */
export function asPrivate(response: ApiResponse): ApiResponse {
  return response.takeOver === undefined ? { ...response, headers: { ...PRIVATE, ...response.headers } } : response;
}

/** Kubernetes' answer for paths that nothing is served at. */
export function pageNotFound(): ApiResponse {
  return textResponse(404, "404 page not found\n");
}

/** Kubernetes' answer when too many wait already; clients come back after the second that it names. */
export function tooManyRequests(): ApiResponse {
  const response = textResponse(429, "Too many requests, please try again later.\n");
  return { ...response, headers: { ...response.headers, "retry-after": "1" } };
}

/** Any failure as a StatusError; what nobody foresaw is logged and shown without its inner message. */
export function asStatusError(error: unknown, logger: Logger): StatusError {
  if (error instanceof StatusError) return error;
  logger.error("request failed", { err: error });
  return new StatusError("InternalError", "Internal error occurred: the request failed unexpectedly; the server's log says why", { cause: error });
}

/** A response in an encoding that was agreed upon. */
export function encodedResponse(status: number, body: ApiBody, contentType: string, warnings: readonly string[]): ApiResponse {
  return { status, headers: { ...PRIVATE, "content-type": contentType, ...warningHeaders(warnings) }, body };
}

export function errorResponse(error: StatusError, warnings: readonly string[] = [], encoding: Encoding = COMPACT): ApiResponse {
  const response = encodedResponse(error.code, encodedStatus(error, encoding), encoding.type, [...warnings, ...error.warnings]);
  const retry = error.details?.retryAfterSeconds;
  return retry === undefined ? response : { ...response, headers: { ...response.headers, "retry-after": String(retry) } };
}
