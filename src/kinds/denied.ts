// How a server passes a webhook's refusal on.
import { badRequest, type StatusError } from "#core";

export function denied(webhook: string, { message, warnings }: StatusError): StatusError {
  return badRequest(`admission webhook ${JSON.stringify(webhook)} denied the request: ${message}`, { warnings });
}
