// HTTP endpoints below /debug/eider/events (decision 51): what has happened to events, and doing it again.
//   GET  …                 a list, the newest first   ?namespace= broker= channel= type= source= id= subject= since= until= limit= continue=
//   GET  …/show            one event's whole path     ?offset=, or id= with the same words
//   GET  …/watch           lines of JSON, from now on
//   POST …/replay          { "offsets": […] | "query": {…}, "subscriber": "NS/NAME" | "url": "…", "ignoreFilter": … }; lines of JSON
//   POST …/resume          { "subscriber": "NS/NAME", "offset": … }
import type { ApiResponse, EndpointRequest } from "#apiserver";
import { StatusError, uuid, type Logger, type Rng } from "#core";
import type { EventQuery, EventsQuestion, ReplayLine, Resumed, StreamName } from "#protocol";
import type { EventDeed } from "./event-deeds.ts";

const ROOT = "/debug/eider/events";
const LIMIT = 50;
const LIMIT_MAX = 500;
const OFFSETS_MAX = 1_000;
const WORDS = ["namespace", "type", "source", "id", "subject"] as const;

export interface EventEndpointsOptions {
  readonly events: () => {
    ask(question: EventsQuestion, signal: AbortSignal): AsyncIterator<unknown>;
    /** Something was done. */
    done(deed: EventDeed): void;
  };
  readonly rng: Rng;
  readonly logger: Logger;
}

export function eventEndpoints(options: EventEndpointsOptions): Readonly<Record<string, (request: EndpointRequest) => Promise<ApiResponse>>> {
  return {
    [ROOT]: (request) => {
      const { query } = only(request, "GET");
      return whole(options, { do: "list", query: queryOf(query), ...pageOf(query) }, request);
    },
    [`${ROOT}/show`]: (request) => {
      const { query } = only(request, "GET");
      return whole(options, { do: "show", event: choiceOf(query) }, request);
    },
    [`${ROOT}/watch`]: async (request) => streamed(options.events().ask({ do: "watch", query: queryOf(only(request, "GET").query) }, request.signal)),
    [`${ROOT}/replay`]: (request) => replay(options, only(request, "POST")),
    [`${ROOT}/resume`]: (request) => resume(options, only(request, "POST")),
  };
}

function only(request: EndpointRequest, method: string): EndpointRequest {
  if (request.method === method) return request;
  throw new StatusError("MethodNotAllowed", `this path is for ${method}`);
}

/** An answer of one line. */
async function whole({ events }: EventEndpointsOptions, question: EventsQuestion, { signal }: EndpointRequest): Promise<ApiResponse> {
  const { value } = await events().ask(question, signal).next();
  return answer(value);
}

function answer(value: unknown): ApiResponse {
  return { status: 200, headers: { "content-type": "application/json" }, body: `${JSON.stringify(value)}\n` };
}

function streamed(lines: AsyncIterator<unknown>): ApiResponse {
  return { status: 200, headers: { "content-type": "application/jsonl" }, body: texts(lines) };
}

/** What goes wrong once the answer has begun is its last line. */
async function* texts(lines: AsyncIterator<unknown>, first?: IteratorResult<unknown>): AsyncGenerator<string> {
  try {
    for (let at = first ?? (await lines.next()); at.done !== true; at = await lines.next()) yield `${JSON.stringify(at.value)}\n`;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    yield `${JSON.stringify({ type: "error", reason: error.reason, message: error.message })}\n`;
  } finally {
    await lines.return?.();
  }
}

/** Who, what and how it went stands in the platform's log, in the folder that only its owner reads. */
async function replay(options: EventEndpointsOptions, request: EndpointRequest): Promise<ApiResponse> {
  const { events, rng, logger } = options;
  const wish = replayOf(request);
  const id = uuid(rng);
  const audit = { audit: "events.replay", replay: id, user: request.user.name, ...wish };
  const lines = counted(events().ask({ do: "replay", ...wish, replay: id }, request.signal), ({ streams, accepted, ...outcome }) => {
    logger.info("a replay of events has ended", { audit: audit.audit, replay: id, user: request.user.name, ...outcome, accepted });
    const brokenOff = "outcome" in outcome ? { brokenOff: outcome.outcome } : {};
    events().done({ did: "replay", user: request.user.name, to: wish.to, sent: streams, accepted, ...brokenOff });
  });
  logger.info("events are replayed", audit);
  const first = await lines.next();
  return { ...streamed(lines), body: texts(lines, first) };
}

type Outcome = { readonly sent: number; readonly streams: readonly Sent[]; readonly accepted: number } & (
  | { readonly failed: number }
  | { readonly outcome: string }
);
type Sent = StreamName & { events: number };

async function* counted(lines: AsyncIterator<unknown>, ended: (outcome: Outcome) => void): AsyncGenerator<unknown> {
  let sent = 0;
  let accepted = 0;
  const streams = new Map<string, Sent>();
  let done: ReplayLine | undefined;
  let failure: string | undefined;
  try {
    for (let at = await lines.next(); at.done !== true; at = await lines.next()) {
      const line = at.value as ReplayLine;
      if (line.type === "sent") {
        sent++;
        if (line.attempt.next === "delivered") accepted++;
        const { kind, namespace, name } = line.event.stream;
        const key = `${kind} ${namespace}/${name}`;
        const of = streams.get(key) ?? { kind, namespace, name, events: 0 };
        of.events++;
        streams.set(key, of);
      }
      if (line.type === "done") done = line;
      yield line;
    }
  } catch (error) {
    failure = (error as Error).message;
    throw error;
  } finally {
    const counts = { sent, streams: [...streams.values()], accepted };
    ended(done === undefined ? { ...counts, outcome: failure ?? "broken off" } : { ...counts, failed: sent - accepted });
    await lines.return?.();
  }
}

async function resume(options: EventEndpointsOptions, request: EndpointRequest): Promise<ApiResponse> {
  const body = bodyOf(request);
  const { subscriber, offset } = body;
  if (typeof subscriber !== "string") throw new StatusError("BadRequest", "subscriber: NAMESPACE/NAME of a Trigger or Subscription is wanted");
  if (offset !== undefined && !isOffset(offset)) throw new StatusError("BadRequest", "offset: a whole number is wanted");
  options.logger.info("events are resumed", { audit: "events.resume", user: request.user.name, subscriber, offset });
  const { value } = await options
    .events()
    .ask({ do: "resume", subscriber, ...(offset === undefined ? {} : { offset }) }, request.signal)
    .next();
  options.events().done({ did: "resume", user: request.user.name, subscriber, events: (value as Resumed).resumed.length });
  return answer(value);
}

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function bodyOf({ body }: EndpointRequest): Readonly<Record<string, unknown>> {
  try {
    const read: unknown = JSON.parse(typeof body === "string" ? body : Buffer.from(body ?? "").toString());
    if (typeof read === "object" && read !== null && !Array.isArray(read)) return read as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new StatusError("BadRequest", "the body is no JSON object");
}

type Wish = Omit<Extract<EventsQuestion, { readonly do: "replay" }>, "do" | "replay">;

function replayOf(request: EndpointRequest): Wish {
  const { offsets, query, subscriber, url, ignoreFilter } = bodyOf(request);
  return { events: eventsOf(offsets, query), to: receiverOf(subscriber, url), ignoreFilter: ignoreFilter === true };
}

function eventsOf(offsets: unknown, query: unknown): Wish["events"] {
  if (Array.isArray(offsets)) {
    if (offsets.length === 0 || offsets.length > OFFSETS_MAX || !offsets.every(isOffset))
      throw new StatusError("BadRequest", `offsets: from 1 to ${OFFSETS_MAX} whole numbers are wanted`);
    return { offsets };
  }
  if (typeof query !== "object" || query === null) throw new StatusError("BadRequest", "offsets or query: which events are wanted has to be said");
  return { query: queryOf(new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))) };
}

function receiverOf(subscriber: unknown, url: unknown): Wish["to"] {
  if (typeof subscriber === "string" && url === undefined) return { subscriber };
  if (typeof url === "string" && subscriber === undefined && URL.canParse(url) && /^https?:/.test(url)) return { url };
  throw new StatusError("BadRequest", "expected exactly one of subscriber (NAMESPACE/NAME) and url (absolute, http or https)");
}

function choiceOf(query: URLSearchParams): Extract<EventsQuestion, { readonly do: "show" }>["event"] {
  const offset = query.get("offset");
  if (offset !== null) {
    if (!isOffset(Number(offset)) || offset === "") throw new StatusError("BadRequest", `offset: ${JSON.stringify(offset)} is no whole number`);
    return { offset: Number(offset) };
  }
  const id = query.get("id");
  if (id === null) throw new StatusError("BadRequest", "expected exactly one of offset and id");
  return { ...queryOf(query), id };
}

function pageOf(query: URLSearchParams): { readonly limit: number; readonly before?: number } {
  const limit = Number(query.get("limit") ?? LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) throw new StatusError("BadRequest", `limit: a number from 1 to ${LIMIT_MAX} is wanted`);
  const token = query.get("continue") ?? "";
  if (token !== "" && !isOffset(Number(token))) throw new StatusError("BadRequest", "continue: it is not what a list has answered");
  return { limit, ...(token === "" ? {} : { before: Number(token) }) };
}

/** Throws BadRequest for times that are none, and for words that are not known: a mistyped filter must not find everything. */
export function queryOf(query: URLSearchParams): EventQuery {
  const known = new Set<string>([...WORDS, "broker", "channel", "since", "until", "limit", "continue"]);
  for (const name of query.keys())
    if (!known.has(name)) throw new StatusError("BadRequest", `${JSON.stringify(name)} is no filter: ${[...known].join(", ")} are`);
  const [broker, channel] = [query.get("broker"), query.get("channel")];
  if (broker !== null && channel !== null) throw new StatusError("BadRequest", "expected exactly one of broker and channel, got both");
  const [since, until] = [timeOf(query, "since"), timeOf(query, "until")];
  return {
    ...Object.fromEntries(WORDS.flatMap((name) => (query.has(name) ? [[name, query.get(name) ?? ""]] : []))),
    ...(broker === null ? {} : { kind: "Broker" as const, name: broker }),
    ...(channel === null ? {} : { kind: "Channel" as const, name: channel }),
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
  };
}

function timeOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(ms)) throw new StatusError("BadRequest", `${name}: ${JSON.stringify(text)} is no time of RFC 3339`);
  return ms;
}
