// What is known of one request, for those who watch: metrics, logs, traces, load recordings, receipts.
import type { Backend } from "../pods/backend.ts";
import type { Pod } from "../pods/pod.ts";
import type { ParkedHead } from "../http/parked-heads.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { Target } from "../routes/target.ts";

/**
 * How a request ended. `answered`: the application's response went out whole; `own`: a response of the gateway itself; `timedOut`: a
 * limit of the revision ended it; `aborted`: the application's response broke off; `clientGone`: the client left before the end.
 */
export type Outcome = "running" | "answered" | "own" | "timedOut" | "aborted" | "clientGone";

/** Times are monotonic milliseconds; NaN where the thing has not happened. An exchange is its own facts: nothing is allocated for them. */
export interface RequestFacts {
  /** What of the head all want to know. */
  readonly method: string;
  readonly minor: 0 | 1;
  /** The head as octets, once it was sent on, there is a place for it, and the client does not repeat it. */
  readonly parked: ParkedHead | undefined;
  /** Parsed again when it is parked, which is for those who ask seldom. */
  readonly head: RequestHead;
  readonly clientAddress: string;
  /** Undefined while no route matched. */
  readonly target: Target | undefined;
  readonly backend: Backend | undefined;
  /** The pod of the latest attempt. */
  readonly pod: Pod | undefined;
  /** Of the response that began; 0 before. */
  readonly status: number;
  /** Octets of the bodies with their framing; both ways of a tunnel. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Sendings to a pod; 0 when none was tried. */
  readonly attempts: number;
  readonly arrivedMs: number;
  /** No pod could take a request when it came. */
  readonly cold: boolean;
  /** A place on a pod was granted, for the latest attempt. */
  readonly grantedMs: number;
  /** The first octet of the final response was read. */
  readonly firstByteMs: number;
  readonly endedMs: number;
  readonly outcome: Outcome;
  /** Set in `began` by the tracer, when the request is sampled: it goes to the pod with this context. */
  trace: RequestTrace | undefined;
}

export interface RequestTrace {
  readonly traceId: string;
  /** Of the client's span; "" when the trace begins here. */
  readonly parentId: string;
  /** Of our span for the whole request, and of the one for its way to the pod: the parent of what the application does. */
  readonly spanId: string;
  readonly upstreamId: string;
}

/** Called within the request's turn: no waiting, no throwing, little work. */
export interface RequestObserver {
  /** The request found its backend, and will wait for a pod or is about to be sent. */
  began(facts: RequestFacts): void;
  /** It is over, whatever the end; also without a backend. Once for each request. */
  ended(facts: RequestFacts): void;
}
