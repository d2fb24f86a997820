// One request and its response: route, wait for a pod, send, relay, and every way in which that can end.
import { answerAtZero } from "./at-zero.ts";
import type { Backend } from "../pods/backend.ts";
import type { ClientSide } from "./client-side.ts";
import type { GatewayContext } from "../context.ts";
import { deadlineMs, nextDueMs, type Progress } from "./deadline.ts";
import { dialTimeoutText, failureText } from "./failure-text.ts";
import { findTarget } from "../routes/find-target.ts";
import { forwardedHead } from "../http/forward-head.ts";
import { HeldBody } from "./held-body.ts";
import { tracedHead } from "../observe/trace-context.ts";
import { errorResponse, renderResponse, textResponse, type OwnResponse } from "../http/own-response.ts";
import { PodConnection, type Chunk, type PodFailure, type ResponseSink } from "../pods/pod-connection.ts";
import type { OnPod, Pod } from "../pods/pod.ts";
import { STREAM_BYTES } from "../sockets/read-buffers.ts";
import { keptConnection } from "../pods/reach-pod.ts";
import { receiptLine } from "../start/receipt.ts";
import { relay } from "./relay.ts";
import type { Outcome, RequestFacts } from "./request-facts.ts";
import { RequestRecord } from "./request-record.ts";
import type { Framing, RequestHead } from "../http/request-head.ts";
import type { ResponseHead } from "../http/response-head.ts";
import { connectLimitMs, isRefusal, retryOf, WAIT_AGAIN_MS } from "./retry.ts";
import { tailOf } from "../http/timeout-tail.ts";
import type { Timed } from "../sockets/timer-wheel.ts";
import { headWithoutChunks, Unchunker } from "../http/without-chunks.ts";
import { CLOSING_MS, LEAVING_MS, Tunnel, type Ending } from "./tunnel.ts";
import type { Waiter } from "../pods/wait-queue.ts";
import { WAITING_PAGE, wantsPage } from "./waiting-page.ts";

/** Serves the requests of one connection that end in good order, one after the other; any other end is its last. */
export class Exchange extends RequestRecord implements OnPod, RequestFacts, Progress, ResponseSink, Waiter, Timed {
  readonly #context: GatewayContext;
  readonly #client: ClientSide;
  #connection: PodConnection | undefined;
  #response: ResponseHead | undefined;
  #responseFraming: Framing = 0;
  /** The client knows no chunks. */
  #unchunker: Unchunker | undefined;
  #keep = false;
  #tunnel: Tunnel | undefined;
  #requestDone = false;
  /** A 1xx went to the client, which counts as a begin. */
  #informed = false;
  /** Sendings that an application may have seen, but for the first. */
  #repeats = 0;
  /** Connections that took too long, and when the first of them began. */
  #connectTimeouts = 0;
  #connectingSinceMs: number | undefined;
  /** The pod that it could not be sent to and why, while it waits again. */
  #refusal: { readonly pod: Pod; readonly text: string } | undefined;
  /** Body bytes not sent yet, or kept for another attempt. */
  #held: HeldBody | undefined;
  /** Everything of the body that came so far is in `#held`. */
  #replayable = true;

  get wrote(): boolean {
    return this.#response !== undefined || this.#informed;
  }

  /** The client has not begun with the body, and may wait for the permission to. */
  get awaitsContinue(): boolean {
    return this.expectsContinue && this.requestBytes === 0;
  }

  get clientAddress(): string {
    return this.#client.address;
  }

  constructor(context: GatewayContext, client: ClientSide) {
    super();
    this.#context = context;
    this.#client = client;
  }

  /** A blank one takes a request. */
  begin(head: RequestHead): void {
    this.asks(head);
    this.arrivedMs = this.#context.clock.monotonicMs();
    this.wroteMs = this.arrivedMs;
    this.#requestDone = head.framing === 0;
  }

  /** What a request may have left behind: with this it is as a new one. */
  protected override erase(): void {
    super.erase();
    this.#response = undefined;
    this.#responseFraming = 0;
    this.#unchunker = undefined;
    this.#keep = false;
    this.#informed = false;
    this.#repeats = 0;
    this.#connectTimeouts = 0;
    this.#connectingSinceMs = undefined;
    this.#refusal = undefined;
    this.#replayable = true;
  }

  /** Routes the request; body bytes that came with the head were given to `requestBody` before. */
  start(): void {
    const { backends, load } = this.#context;
    const target = findTarget(this.head, this.#client, this.#context);
    if ("status" in target) return this.#answer(target);
    const backend = backends.get(target.backend);
    if (backend === undefined) return this.#answer(errorResponse(503, `no revision "${target.backend}"`));
    this.cold = backend.isAtZero;
    const own = this.cold ? answerAtZero(this.head, backend, this.#context) : undefined;
    if (own !== undefined) return this.#answer(own);
    this.target = target;
    this.backend = backend;
    // Before the load report, which makes the decision: whoever serves the wake knows of it first.
    if (this.cold) this.#context.wake(backend, this.arrivedMs);
    load.begin(backend, this.arrivedMs);
    for (const observer of this.#context.observers) observer.began(this);
    if (this.cold && backend.entry.waitingPage === true && wantsPage(this.head)) return this.#answer(WAITING_PAGE);
    this.#context.deadlines.add(this, nextDueMs(backend.entry, this));
    const pod = backend.take();
    if (pod !== undefined) this.granted(pod, this.arrivedMs);
    else this.#wait(backend);
  }

  #wait(backend: Backend): void {
    this.#context.counters.held++;
    if (backend.join(this)) return;
    this.#context.counters.queueFull++;
    this.#answer(errorResponse(503, "pending request queue full"));
  }

  granted(pod: Pod, nowMs = this.#context.clock.monotonicMs()): void {
    this.pod = pod;
    this.grantedMs = nowMs;
    if (this.stepDueMs !== undefined) this.stepDueMs = undefined;
    const kept = keptConnection(pod, this.method, this.grantedMs);
    if (kept === undefined) this.#connect(pod);
    else this.#send(pod, kept);
  }

  #connect(pod: Pod): void {
    const nowMs = this.#context.clock.monotonicMs();
    this.#connectingSinceMs ??= nowMs;
    const limitMs = connectLimitMs(this.#connectTimeouts);
    if (limitMs === undefined) return this.#fail(dialTimeoutText(pod.authority, nowMs - this.#connectingSinceMs));
    this.stepDueMs = nowMs + limitMs;
    this.#watch();
    this.#send(pod, new PodConnection(pod, this.#context));
  }

  refused(): void {
    this.#answer(errorResponse(503, `no revision "${this.backend?.key ?? ""}"`));
  }

  // The request's way.

  /** Bytes of the request's body, in order; they stay valid until `release` is called, which is done when they are sent and not kept. */
  requestBody(bytes: Buffer, done: boolean, release?: () => void): void {
    if (done) this.#requestDone = true;
    if (this.#over) return release?.();
    this.#context.counters.bytesIn += bytes.length;
    this.requestBytes += bytes.length;
    const kept = this.#replayable;
    if (bytes.length > 0 && kept) this.#hold(bytes);
    const connection = this.#connection;
    if (connection !== undefined && bytes.length > 0) {
      if (!connection.write(bytes, kept ? undefined : release) && !done) this.#client.pause();
    } else if (connection === undefined && this.#held?.full === true && !done) {
      this.#client.pause();
    }
  }

  /** The body is not what its framing promised, is too large, or does not come. */
  requestRefused(status: 400 | 408 | 413, reason: string): void {
    this.#context.counters.malformed++;
    if (this.#over) return;
    if (this.#response === undefined) this.#answer(errorResponse(status, reason));
    else this.#abort();
  }

  /** Octets through a tunnel, as latin1 text or bytes that stay valid until `release` is called. */
  fromClient(data: string | Buffer, release?: () => void): void {
    this.#touch();
    this.#context.counters.bytesIn += data.length;
    this.requestBytes += data.length;
    if (this.#connection?.write(data, release) === false) this.#client.pause();
  }

  clientDrained(): void {
    this.#connection?.resume();
  }

  clientGone(): void {
    if (this.#over) return;
    this.#context.counters.clientsGone++;
    this.#end(this.#tunnel?.ending?.outcome ?? "clientGone", undefined);
  }

  podDrained(): void {
    this.#client.resume();
  }

  #hold(bytes: Buffer): void {
    if (this.#held === undefined) this.#held = new HeldBody(bytes);
    else this.#held.add(bytes);
    // Before a pod has it the client is paused instead; afterwards there is no use in keeping so much.
    if (this.#held.full && this.#connection?.isConnected === true) this.#forgetBody();
  }

  #forgetBody(): void {
    this.#replayable = false;
    this.#held = undefined;
  }

  #send(pod: Pod, connection: PodConnection): void {
    const target = this.target;
    if (target === undefined || this.pod !== pod) return;
    this.attempts++;
    this.#connection = connection;
    connection.serve(this);
    const asked = this.head;
    const plain = forwardedHead(asked, target, this.#client);
    const head = this.trace === undefined ? plain : tracedHead(plain, this.trace);
    const held = this.#held;
    const room = held === undefined ? connection.write(head) : held.sendBehind(head, connection);
    if (held?.full === true && connection.isConnected) this.#forgetBody();
    if (room && !this.#requestDone) this.#client.resume();
    if (!this.#client.repeats(asked)) this.park(this.#context.parkedHeads);
  }

  // The response's way.

  framingOf(head: ResponseHead): Framing {
    return this.method === "HEAD" ? 0 : head.framing;
  }

  informational(head: ResponseHead): void {
    if (this.minor === 0) return;
    this.#informed = true;
    this.#touch();
    this.#client.write(head.plain);
  }

  responseBegan(head: ResponseHead, body: Chunk): void {
    const framing = this.framingOf(head);
    if (framing !== "chunked" || this.minor === 1) return this.#begin(head, framing, body);
    this.#unchunker = new Unchunker();
    this.#begin(headWithoutChunks(head), "close", this.#unchunker.contentOf(body));
  }

  #begin(head: ResponseHead, framing: Framing, body: Chunk): void {
    this.#held = undefined;
    this.#replayable = false;
    this.#response = head;
    this.status = head.status;
    this.firstByteMs = this.#context.clock.monotonicMs();
    this.#responseFraming = framing;
    this.#context.counters.response(head.status);
    // A client that was answered before its body was whole may never send the rest.
    this.#keep = this.keepAlive && framing !== "close" && !this.#context.draining && (this.#requestDone || (!body.done && !this.awaitsContinue));
    const text = this.#headFor(head);
    const size = body.to - body.from;
    if (size >= STREAM_BYTES) {
      this.#client.write(text);
      this.#relay(body);
      return;
    }
    this.#context.counters.bytesOut += size;
    this.responseBytes += size;
    const room = this.#client.write(size === 0 ? text : text + body.bytes.toString("latin1", body.from, body.to));
    body.release?.();
    // What is whole at once ends as it begins: the time is asked for once.
    if (body.done) this.endedMs = this.firstByteMs;
    this.#wrote(room, body.done);
  }

  #headFor(head: ResponseHead): string {
    const receipt = this.cold || this.backend?.entry.serverTiming === true ? receiptLine(this, this.#context) : "";
    const connection = this.#connectionHeader();
    if (connection === "") return receipt === "" ? head.plain : `${head.lines}${receipt}\r\n`;
    return `${head.lines}${receipt}Connection: ${connection}\r\n\r\n`;
  }

  responseBody(body: Chunk): void {
    this.#relay(this.#unchunker === undefined ? body : this.#unchunker.contentOf(body));
  }

  #relay(body: Chunk): void {
    const size = body.to - body.from;
    this.#context.counters.bytesOut += size;
    this.responseBytes += size;
    this.#wrote(relay(this.#client, body), body.done);
  }

  upgraded(head: ResponseHead, body: Chunk): void {
    if (this.head.upgrade === "") return this.#fail("the application switched protocols without being asked");
    this.#response = head;
    this.status = head.status;
    this.firstByteMs = this.#context.clock.monotonicMs();
    this.#tunnel = new Tunnel(head.upgrade);
    this.stepDueMs = undefined;
    const { pod } = this;
    if (pod !== undefined) (pod.tunnels ??= new Set()).add(this);
    this.#forgetBody();
    this.#context.counters.response(head.status);
    this.#client.write(head.text);
    if (body.to > body.from) this.tunnelData(body);
    else body.release?.();
    if (!this.#over) this.#client.openTunnel();
    if (!this.#over && pod !== undefined && pod.removedIn > 0) this.podLeaves();
  }

  tunnelData(body: Chunk): void {
    const tunnel = this.#tunnel;
    if (tunnel === undefined || tunnel.told) return body.release?.();
    tunnel.passes(body);
    this.responseBody(body);
    if (tunnel.ending !== undefined) this.#farewell(tunnel);
  }

  tunnelEnded(): void {
    this.#keep = false;
    this.#end(this.#tunnel?.ending?.outcome ?? "answered", undefined);
    this.#client.finished(false);
  }

  /** From now on a tunnel has a limit. */
  podLeaves(): void {
    if (this.#tunnel === undefined || this.#tunnel.ending !== undefined) return;
    this.stepDueMs = this.#context.clock.monotonicMs() + LEAVING_MS;
    this.#watch();
  }

  /** The gateway itself ends before long. */
  lastCall(): void {
    if (this.#tunnel !== undefined && this.#tunnel.ending === undefined) this.#endTunnel(this.#tunnel, { outcome: "answered", reason: "gateway restarts" });
  }

  /** Comes to an end in order, within some seconds. */
  #endTunnel(tunnel: Tunnel, ending: Ending): void {
    tunnel.ending = ending;
    if (!tunnel.isWebsocket) return this.tunnelEnded();
    this.#context.deadlines.add(this, this.#context.clock.monotonicMs() + CLOSING_MS);
    this.#farewell(tunnel);
  }

  #farewell(tunnel: Tunnel): void {
    const frame = tunnel.farewell();
    if (frame !== undefined) this.#client.write(frame);
  }

  podFailed(failure: PodFailure): void {
    this.#connection = undefined;
    if (this.#over) return;
    if (this.#tunnel !== undefined) return this.tunnelEnded();
    if (this.#response !== undefined) return this.#abort();
    if (this.#retry(failure)) return;
    this.#fail(failureText(failure, this.pod?.authority ?? ""));
  }

  /** Tries again: on another pod, else on this one by a new connection unless it refused or leaves, else on whichever comes next. */
  #retry(failure: PodFailure): boolean {
    const { pod, backend, attempts, method } = this;
    if (pod === undefined || backend === undefined) return false;
    const retry = retryOf(failure, { method, attempts, repeats: this.#repeats, replayable: this.#replayable });
    if (retry === "no") return false;
    if (retry === "repeat") this.#repeats++;
    this.#context.counters.retries++;
    const refused = isRefusal(failure);
    if (refused) backend.suspect(pod);
    const other = backend.takeOther(pod);
    if (other !== undefined) {
      this.granted(other);
      backend.release(pod);
    } else if (refused || pod.removedIn > 0) {
      this.#waitAgain(backend, pod, failureText(failure, pod.authority));
    } else {
      this.#connect(pod);
    }
    return true;
  }

  /** With a limit, unless control takes the pod out meanwhile: from then on it waits as those that come now. */
  #waitAgain(backend: Backend, pod: Pod, text: string): void {
    this.pod = undefined;
    this.#refusal = { pod, text };
    this.stepDueMs = this.#context.clock.monotonicMs() + WAIT_AGAIN_MS;
    this.#watch();
    backend.release(pod);
    if (!backend.join(this)) this.#fail(text);
  }

  #wrote(room: boolean, done: boolean): void {
    this.#touch();
    if (done) this.#completed();
    else if (!room) this.#connection?.pause();
  }

  #touch(): void {
    if ((this.backend?.entry.idleTimeoutMs ?? 0) > 0) this.wroteMs = this.#context.clock.monotonicMs();
  }

  #completed(): void {
    const keep = this.#keep && this.#requestDone;
    this.#end("answered", this.#requestDone ? this.#response : undefined);
    this.#client.finished(keep);
    // Not before: the next request may have begun in there, with another exchange.
    if (keep) this.erase();
  }

  #connectionHeader(): "" | "close" | "keep-alive" {
    if (!this.#keep) return "close";
    return this.minor === 0 ? "keep-alive" : "";
  }

  // Ends.

  expire(nowMs: number): void {
    const entry = this.backend?.entry;
    if (entry === undefined || this.#over) return;
    if (this.#tunnel?.ending !== undefined) return this.#abort(this.#tunnel.ending.outcome);
    if (nowMs >= deadlineMs(entry, this)) return this.#timedOut();
    if (this.stepDueMs === undefined || nowMs < this.stepDueMs) return this.#watch();
    this.stepDueMs = undefined;
    this.#stepOver();
  }

  /** A step took too long; connecting may have succeeded meanwhile. */
  #stepOver(): void {
    if (this.#tunnel !== undefined) return this.#endTunnel(this.#tunnel, { outcome: "answered", reason: "scaled down" });
    const connection = this.#connection;
    const refusal = this.#refusal;
    if (connection === undefined && refusal?.pod.removedIn === 0) return this.#fail(refusal.text);
    if (connection === undefined || connection.isConnected) return this.#watch();
    this.#connectTimeouts++;
    connection.destroy();
    this.podFailed({ error: undefined, connected: false, fresh: true, untouched: true, unsent: true, malformed: false });
  }

  #watch(): void {
    if (this.backend !== undefined) this.#context.deadlines.add(this, nextDueMs(this.backend.entry, this));
  }

  #timedOut(): void {
    this.#context.counters.timeouts++;
    const text = this.pod === undefined ? "activator request timeout" : "request timeout";
    if (this.#response === undefined) return this.#answer(textResponse(504, text), "timedOut");
    const connection = this.#connection;
    if (this.#tunnel !== undefined) return this.#endTunnel(this.#tunnel, { outcome: "timedOut", reason: text });
    if (connection === undefined) return this.#abort("timedOut");
    const tail = tailOf(connection.tracker, this.#responseFraming, text);
    this.#client.write(tail.text);
    this.#end("timedOut", undefined);
    this.#client.finished(tail.whole && this.#keep && this.#requestDone);
  }

  #fail(text: string): void {
    this.#answer(errorResponse(502, text));
  }

  /** A response of our own, instead of the application's. */
  #answer(response: OwnResponse, outcome: Outcome = "own"): void {
    this.#context.counters.response(response.status);
    this.status = response.status;
    this.#keep = this.keepAlive && this.#requestDone && !this.#context.draining;
    const text = renderResponse(response, { wallMs: this.#context.clock.wallMs(), connection: this.#connectionHeader(), isHead: this.method === "HEAD" });
    this.#client.write(text);
    this.#end(outcome, undefined);
    this.#client.finished(this.#keep);
  }

  #abort(outcome: Outcome = "aborted"): void {
    this.#end(outcome, undefined);
    this.#client.abort(this.#responseFraming === "close");
  }

  get #over(): boolean {
    return this.outcome !== "running";
  }

  /** Gives everything back, once. With the response's head the connection may serve again; without, it is closed. */
  #end(outcome: Outcome, response: ResponseHead | undefined): void {
    if (this.#over) return;
    this.outcome = outcome;
    if (Number.isNaN(this.endedMs)) this.endedMs = this.#context.clock.monotonicMs();
    this.#held = undefined;
    if (outcome === "answered") this.#context.deadlines.rest(this);
    else this.#context.deadlines.remove(this);
    const backend = this.backend;
    const connection = this.#connection;
    const pod = this.pod;
    this.#connection = undefined;
    if (connection !== undefined && response !== undefined && pod !== undefined && pod.removedIn === 0) connection.release(pod.idle, response, this.endedMs);
    else connection?.destroy();
    for (const observer of this.#context.observers) observer.ended(this);
    this.unpark(this.#context.parkedHeads);
    if (backend === undefined) return;
    backend.load.end(this.endedMs);
    if (this.#tunnel !== undefined) pod?.tunnels?.delete(this);
    if (pod === undefined) backend.leave(this);
    else backend.release(pod);
  }
}
