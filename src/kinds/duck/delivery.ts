// How events are delivered: retries, their delays, and where what failed goes (eventing.md §0.4).
import { s, type ValueOf } from "#schema";
import { disallowedFields, invalidValue, noErrors, type FieldErrors } from "../knative-field-error.ts";
import { checkDestination, destinationDefaults, DestinationSchema } from "./destination.ts";
import { parsePeriodMs } from "./period.ts";
import type { ReferenceRules } from "./reference.ts";

const text = s.optional(s.string());

export const DeliverySchema = s.object({
  backoffDelay: text,
  backoffPolicy: text,
  deadLetterSink: s.optional(DestinationSchema),
  format: text,
  retry: s.optional(s.int32()),
  retryAfterMax: text,
  timeout: text,
});
/** Times are periods of ISO 8601: `parsePeriodMs` reads them. */
export type DeliverySpec = ValueOf<typeof DeliverySchema>;

/** Properties of `status` of what delivers: the dead-letter sink as it was resolved. */
export const deliveryStatus = { deadLetterSinkAudience: text, deadLetterSinkCACerts: text, deadLetterSinkUri: text };

export interface DeliveryRules extends ReferenceRules {
  /** Feature `delivery-timeout`. */
  readonly timeoutAllowed: boolean;
  /** Feature `delivery-retryafter`. */
  readonly retryAfterAllowed: boolean;
}

/** The period of the field is none, or `isWrong` says so. */
function checkPeriod(value: string | undefined, field: string, isWrong: (ms: number) => boolean = () => false): FieldErrors {
  if (value === undefined) return noErrors;
  const ms = parsePeriodMs(value);
  return ms === undefined || isWrong(ms) ? invalidValue(value, field) : noErrors;
}

function checkWord(value: string | undefined, field: string, words: readonly string[]): FieldErrors {
  return value === undefined || words.includes(value) ? noErrors : invalidValue(value, field);
}

/** Errors at the delivery. */
export function checkDelivery(delivery: DeliverySpec | undefined, rules: DeliveryRules): FieldErrors {
  if (delivery === undefined) return noErrors;
  const { deadLetterSink, retry, timeout, retryAfterMax } = delivery;
  const sink = deadLetterSink === undefined ? noErrors : checkDestination(deadLetterSink, rules).viaField("deadLetterSink");
  return sink.also(
    retry !== undefined && retry < 0 ? invalidValue(retry, "retry") : noErrors,
    timeout !== undefined && !rules.timeoutAllowed ? disallowedFields("timeout") : checkPeriod(timeout, "timeout", (ms) => ms <= 0),
    checkWord(delivery.backoffPolicy, "backoffPolicy", ["linear", "exponential"]),
    checkPeriod(delivery.backoffDelay, "backoffDelay"),
    checkWord(delivery.format, "format", ["json", "binary"]),
    retryAfterMax !== undefined && !rules.retryAfterAllowed ? disallowedFields("retryAfterMax") : checkPeriod(retryAfterMax, "retryAfterMax", (ms) => ms < 0),
  );
}

/** The delivery with the namespace of the object that holds it, where the sink's reference names none. */
export function deliveryDefaults(delivery: DeliverySpec, namespace: string): DeliverySpec {
  const { deadLetterSink } = delivery;
  return deadLetterSink === undefined ? delivery : { ...delivery, deadLetterSink: destinationDefaults(deadLetterSink, namespace) };
}
