// What follows an attempt: pure. A delivery has two legs, the subscriber and then perhaps the dead letter sink, each with its own retries.
import type { EventSubscriber } from "#protocol";
import { isAccepted, isRetryable, waitMs, type AttemptResult } from "./retry.ts";

/** Why a subscriber's leg has failed for good; becomes the error attributes of the dead letter. */
export interface DeliveryError {
  /** The URL that failed: the subscriber's, or where its reply could not be sent. */
  readonly destination: string;
  /** 500 when nobody answered. */
  readonly code: number;
  /** Base64, of what was answered. */
  readonly data: string;
}

/** How far the delivery of one event to one subscriber is. This is what the log keeps of it between attempts. */
export interface DeliveryState {
  /** Attempts of the current leg that have been made. */
  readonly attempts: number;
  /** Present: the event goes to the dead letter sink. */
  readonly error?: DeliveryError;
}

export const FRESH: DeliveryState = { attempts: 0 };

/** How a reply went; absent: there was none, or nobody wants it. */
export type ReplyResult =
  | { readonly is: "taken" }
  /** It could not be taken just now: the whole delivery is tried again (C15). */
  | { readonly is: "busy"; readonly destination: string; readonly result: AttemptResult }
  /** It will never be taken (its hops are used up): the event is a dead letter. */
  | { readonly is: "refused"; readonly destination: string; readonly result: AttemptResult };

export type DeliveryStep =
  | { readonly do: "finish"; readonly outcome: "delivered" | "deadLettered" | "gaveUp" }
  | { readonly do: "retry"; readonly state: DeliveryState; readonly afterMs: number }
  /** The other leg begins at once. */
  | { readonly do: "deadLetter"; readonly state: DeliveryState }
  /** Kept until somebody decides. */
  | { readonly do: "park"; readonly state: DeliveryState };

export interface Attempt {
  readonly result: AttemptResult;
  /** What was answered, cut short. */
  readonly body: Uint8Array;
  readonly reply?: ReplyResult;
}

/** Of an answer's body, before it becomes base64 (Knative's buffer holds 1,024 characters of that). */
export const ERROR_BODY_BYTES_MAX = 768;
const NO_ANSWER = 500;

/**
 * leg           attempt                         retries left   then
 * subscriber    accepted, no reply or taken     –              finish: delivered
 * subscriber    accepted, reply busy            yes            retry
 * subscriber    retryable                       yes            retry
 * subscriber    final, or no retries left       –              dead letter; without a sink finish: gave up
 * dead letter   accepted                        –              finish: dead-lettered
 * dead letter   retryable                       yes            retry
 * dead letter   final, or no retries left       –              park
 */
export function planStep(subscriber: EventSubscriber, state: DeliveryState, attempt: Attempt, wallMs: number): DeliveryStep {
  const { rules, deadLetter } = subscriber;
  const { destination, result, again } = verdict(subscriber, state, attempt);
  if (again === "done") return { do: "finish", outcome: state.error === undefined ? "delivered" : "deadLettered" };
  const attempts = state.attempts + 1;
  if (again === "later" && attempts <= rules.retries) {
    return { do: "retry", state: { ...state, attempts }, afterMs: waitMs(rules, attempts, result, wallMs) };
  }
  if (state.error !== undefined) return { do: "park", state: { ...state, attempts } };
  if (deadLetter === undefined) return { do: "finish", outcome: "gaveUp" };
  return { do: "deadLetter", state: { attempts: 0, error: errorOf(destination, result, attempt.body) } };
}

type Verdict = { readonly destination: string; readonly result: AttemptResult; readonly again: "done" | "later" | "never" };

function verdict({ target, deadLetter }: EventSubscriber, { error }: DeliveryState, { result, reply }: Attempt): Verdict {
  const destination = (error === undefined ? target : deadLetter)?.url ?? "";
  if (!isAccepted(result)) return { destination, result, again: isRetryable(result) ? "later" : "never" };
  if (reply === undefined || reply.is === "taken") return { destination, result, again: "done" };
  return { destination: reply.destination, result: reply.result, again: reply.is === "busy" ? "later" : "never" };
}

function errorOf(destination: string, result: AttemptResult, body: Uint8Array): DeliveryError {
  if (result.is === "answer") return { destination, code: result.status, data: base64(body.subarray(0, ERROR_BODY_BYTES_MAX)) };
  const said = Buffer.from(`dispatch error: ${result.why}`).subarray(0, ERROR_BODY_BYTES_MAX);
  return { destination, code: NO_ANSWER, data: base64(said) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** The error attributes that a dead letter carries (eventing.md 2.4); what an earlier one left is overwritten. */
export function errorAttributes({ destination, code, data }: DeliveryError): Readonly<Record<string, string | number>> {
  return { knativeerrordest: destination, knativeerrorcode: code, ...(data === "" ? {} : { knativeerrordata: data }) };
}
