// The endpoints about events: what they ask for a request, what they refuse, and what stays on record of who did it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiResponse } from "#apiserver";
import { SeededRng, silentLogger, StatusError, type Logger } from "#core";
import type { EventsQuestion } from "#protocol";
import type { EventDeed } from "./event-deeds.ts";
import { eventEndpoints } from "./event-endpoints.ts";

interface Asked {
  readonly response: ApiResponse;
  readonly text: string;
  readonly questions: readonly EventsQuestion[];
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  readonly deeds: readonly EventDeed[];
}

async function ask(
  line: string,
  options: { readonly body?: unknown; readonly lines?: readonly unknown[]; readonly failure?: StatusError } = {},
): Promise<Asked> {
  const { body, lines = [{}], failure } = options;
  const questions: EventsQuestion[] = [];
  const logged: Record<string, unknown>[] = [];
  const deeds: EventDeed[] = [];
  const logger: Logger = { ...silentLogger, info: (_, fields) => void logged.push({ ...fields }) };
  async function* answer(question: EventsQuestion): AsyncGenerator<unknown> {
    questions.push(question);
    yield* lines;
    if (failure !== undefined) throw failure;
  }
  const [method = "", target = ""] = line.split(" ");
  const url = new URL(target, "http://x/");
  const endpoint = eventEndpoints({ events: () => ({ ask: answer, done: (deed) => void deeds.push(deed) }), rng: new SeededRng(1), logger })[url.pathname];
  assert.ok(endpoint, `${url.pathname} is served`);
  const response = await endpoint({
    method,
    query: url.searchParams,
    body: body === undefined ? undefined : JSON.stringify(body),
    user: { name: "ada", groups: [] },
    signal: new AbortController().signal,
  });
  let text = "";
  if (typeof response.body === "string") text = response.body;
  else for await (const piece of response.body as AsyncIterable<string>) text += piece;
  return { response, text, questions, logged, deeds };
}

const ROOT = "/debug/eider/events";

test("a list's words become a query and a page", async () => {
  const { questions } = await ask(`GET ${ROOT}?namespace=ns&broker=b&type=t&since=2026-01-01T00:00:00Z&limit=7&continue=99`);
  const query = { namespace: "ns", type: "t", kind: "Broker", name: "b", sinceMs: Date.UTC(2026, 0, 1) };
  assert.deepEqual(questions, [{ do: "list", query, limit: 7, before: 99 }]);
});

const refused: readonly { readonly line: string; readonly body?: unknown; readonly reason: string }[] = [
  { line: `POST ${ROOT}`, reason: "MethodNotAllowed" },
  { line: `GET ${ROOT}/replay`, reason: "MethodNotAllowed" },
  { line: `GET ${ROOT}?typ=t`, reason: "BadRequest" },
  { line: `GET ${ROOT}?since=yesterday`, reason: "BadRequest" },
  { line: `GET ${ROOT}?limit=501`, reason: "BadRequest" },
  { line: `GET ${ROOT}?broker=a&channel=b`, reason: "BadRequest" },
  { line: `GET ${ROOT}/show`, reason: "BadRequest" },
  { line: `GET ${ROOT}/show?offset=x`, reason: "BadRequest" },
  { line: `POST ${ROOT}/replay`, body: { subscriber: "ns/t" }, reason: "BadRequest" },
  { line: `POST ${ROOT}/replay`, body: { offsets: [], subscriber: "ns/t" }, reason: "BadRequest" },
  { line: `POST ${ROOT}/replay`, body: { offsets: [1], subscriber: "ns/t", url: "http://x/" }, reason: "BadRequest" },
  { line: `POST ${ROOT}/replay`, body: { offsets: [1], url: "file:///etc/passwd" }, reason: "BadRequest" },
  { line: `POST ${ROOT}/replay`, body: { query: { typ: "t" }, url: "http://x/" }, reason: "BadRequest" },
  { line: `POST ${ROOT}/resume`, body: { offset: 1 }, reason: "BadRequest" },
];
for (const { line, body, reason } of refused) {
  test(`refused: ${line} ${JSON.stringify(body) ?? ""}`, () => assert.rejects(ask(line, { body }), { reason }));
}

const STREAM = { kind: "Broker", namespace: "ns", name: "b" };
const SENT = { type: "sent", event: { stream: STREAM }, attempt: { next: "delivered" } };

test("a replay is on record with who, what and how it ended", async () => {
  const lines = [SENT, { type: "skipped" }, { type: "done", accepted: 1, failed: 0, skipped: 1 }];
  const { text, logged, questions, deeds } = await ask(`POST ${ROOT}/replay`, { body: { offsets: [5], subscriber: "ns/t" }, lines });
  assert.equal(text, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const [question] = questions;
  assert.ok(question?.do === "replay");
  const { replay } = question;
  assert.deepEqual(logged, [
    { audit: "events.replay", replay, user: "ada", events: { offsets: [5] }, to: { subscriber: "ns/t" }, ignoreFilter: false },
    { audit: "events.replay", replay, user: "ada", sent: 1, accepted: 1, failed: 0 },
  ]);
  assert.deepEqual(deeds, [{ did: "replay", user: "ada", to: { subscriber: "ns/t" }, sent: [{ ...STREAM, events: 1 }], accepted: 1 }]);
});

test("a resume is told of with how many it was", async () => {
  const { text, deeds } = await ask(`POST ${ROOT}/resume`, { body: { subscriber: "ns/t" }, lines: [{ resumed: [1, 5] }] });
  assert.deepEqual([JSON.parse(text), deeds], [{ resumed: [1, 5] }, [{ did: "resume", user: "ada", subscriber: "ns/t", events: 2 }]]);
});

test("what goes wrong before the first line is the answer's status, later its last line, and on record both times", async () => {
  const failure = new StatusError("NotFound", "gone");
  const body = { offsets: [5], subscriber: "ns/t" };
  await assert.rejects(ask(`POST ${ROOT}/replay`, { body, lines: [], failure }), { reason: "NotFound" });
  const { text, logged, deeds } = await ask(`POST ${ROOT}/replay`, { body, lines: [SENT], failure });
  assert.deepEqual(JSON.parse(text.trim().split("\n")[1] ?? ""), { type: "error", reason: "NotFound", message: "gone" });
  assert.equal(logged[1]?.["outcome"], "gone");
  assert.deepEqual(deeds, [{ did: "replay", user: "ada", to: { subscriber: "ns/t" }, sent: [{ ...STREAM, events: 1 }], accepted: 1, brokenOff: "gone" }]);
});
