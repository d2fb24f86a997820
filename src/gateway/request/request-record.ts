// What an exchange writes down of its request. A record is used again: a new one for each request would outlive the young generation
// while the request waits, and be copied with its times (each a box of its own) by the garbage collector.
import type { Backend } from "../pods/backend.ts";
import type { Pod } from "../pods/pod.ts";
import type { Queued } from "../pods/wait-queue.ts";
import type { Timed } from "../sockets/timer-wheel.ts";
import type { ParkedHead, ParkedHeads } from "../http/parked-heads.ts";
import { parseRequestHead, type RequestHead } from "../http/request-head.ts";
import type { Target } from "../routes/target.ts";
import type { Progress } from "./deadline.ts";
import type { Outcome, RequestFacts, RequestTrace } from "./request-facts.ts";

/** What a record says before a request begins. */
const NO_HEAD = parseRequestHead("GET / HTTP/1.1\r\nHost: none\r\n\r\n") as RequestHead;

/** Blank until a request begins, and again after one that ended in good order. */
export abstract class RequestRecord implements Omit<RequestFacts, "clientAddress">, Omit<Progress, "wrote"> {
  dueMs = NaN;
  bucket = -1;
  before: Timed | undefined = undefined;
  after: Timed | undefined = undefined;
  queued: Queued | undefined = undefined;

  #head: RequestHead = NO_HEAD;
  parked: ParkedHead | undefined = undefined;
  method = "";
  minor: 0 | 1 = 1;
  keepAlive = false;
  expectsContinue = false;
  target: Target | undefined = undefined;
  backend: Backend | undefined = undefined;
  pod: Pod | undefined = undefined;
  status = 0;
  requestBytes = 0;
  responseBytes = 0;
  attempts = 0;
  arrivedMs = NaN;
  cold = false;
  grantedMs = NaN;
  firstByteMs = NaN;
  endedMs = NaN;
  outcome: Outcome = "running";
  trace: RequestTrace | undefined = undefined;
  wroteMs = NaN;
  stepDueMs: number | undefined = undefined;

  /** Nothing of a request is in it: another may begin. */
  get isBlank(): boolean {
    return this.method === "";
  }

  get head(): RequestHead {
    return this.parked === undefined ? this.#head : this.parked.head;
  }

  protected asks(head: RequestHead): void {
    this.#head = head;
    this.method = head.method;
    this.minor = head.minor;
    this.keepAlive = head.keepAlive;
    this.expectsContinue = head.expectsContinue;
  }

  /** The head has been sent on: what is still wanted of it waits among its octets. */
  protected park(places: ParkedHeads): void {
    if (this.parked !== undefined) return;
    this.parked = places.park(this.#head);
    if (this.parked !== undefined) this.#head = NO_HEAD;
  }

  /** Nobody asks for the head any more. */
  protected unpark(places: ParkedHeads): void {
    if (this.parked === undefined) return;
    places.leave(this.parked);
    this.parked = undefined;
  }

  /** Forgets the request. The links are those of wheel and queue; times are set as they come. */
  protected erase(): void {
    this.#head = NO_HEAD;
    this.method = "";
    this.target = undefined;
    this.backend = undefined;
    this.pod = undefined;
    this.status = 0;
    this.requestBytes = 0;
    this.responseBytes = 0;
    this.attempts = 0;
    this.cold = false;
    this.grantedMs = NaN;
    this.firstByteMs = NaN;
    this.endedMs = NaN;
    this.outcome = "running";
    this.trace = undefined;
    this.stepDueMs = undefined;
  }
}
