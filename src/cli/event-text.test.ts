// The path of an event as people read it, and events as flags make them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttemptDocument, EventPath, EventStory } from "#protocol";
import { draftOf, messageOf } from "./event-draft.ts";
import { choiceQuery, eventQuery } from "./event-query.ts";
import { listText, paintFor, pathText, replayText, watchText } from "./event-text.ts";

const paint = paintFor(false);
const TIME = "2026-01-02T03:04:05.006Z";

const attempt = (more: Partial<AttemptDocument> = {}): AttemptDocument => ({
  leg: "subscriber",
  attempt: 1,
  time: TIME,
  tookMs: 12.34,
  status: 200,
  next: "delivered",
  ...more,
});

const story = (offset: number, type: string, deliveries: EventStory["deliveries"], more: Partial<EventStory> = {}): EventStory => ({
  offset,
  stream: { kind: "Broker", namespace: "ns", name: "default" },
  time: TIME,
  attributes: { id: `${offset}`, type, source: "/s" },
  dataBytes: 7,
  deliveries,
  ...more,
});

const reply = story(20, "b", [], { origin: 10 });
const path: EventPath = {
  asked: 20,
  root: story(
    10,
    "a",
    [
      {
        subscriber: { id: "1", namespace: "ns", name: "one", url: "http://one/" },
        matchesNow: true,
        standing: "delivered",
        attempts: [attempt({ status: 503, next: "retry" }), attempt({ attempt: 2, reply: 20 })],
        replies: [reply],
      },
      { subscriber: { id: "2", namespace: "ns", name: "two", url: "http://two/" }, matchesNow: false, standing: "missed", attempts: [], replies: [] },
      {
        subscriber: { id: "3", namespace: "ns", name: "three", url: "http://three/", deadLetterUrl: "http://dead/" },
        matchesNow: true,
        standing: "parked",
        attempts: [
          attempt({ status: undefined as unknown as number, why: "connect ECONNREFUSED", next: "deadLetter" }),
          attempt({ leg: "deadLetter", status: 500, next: "park" }),
        ],
        replies: [],
      },
    ],
    { data: { json: { x: 1 } } },
  ),
};

test("a path is a tree: subscribers, their attempts, the event that was answered with", () => {
  assert.equal(
    pathText(path, paint),
    `event a  id 10  source /s
@10  came in at ${TIME}  Broker ns/default  7 bytes
{"x":1}
├─ one → http://one/  delivered
│  ├─ attempt 1  503  12.3 ms, tried again  ${TIME}
│  └─ attempt 2  200  12.3 ms, answered with an event  ${TIME}
│     └─ event b  id 20  source /s  ◀ asked for
│        │  @20  went on at ${TIME}  Broker ns/default  7 bytes
│        └─ nobody subscribes
├─ two  missed: its filter, as it is now, does not let it pass
└─ three → http://three/  parked: the dead letter sink has not taken it; eider event resume tries again
   ├─ attempt 1  connect ECONNREFUSED  12.3 ms, goes to the dead letter sink  ${TIME}
   └─ dead letter, attempt 1 → http://dead/  500  12.3 ms, parked  ${TIME}
`,
  );
});

test("what a sender wrote does not steer the terminal", () => {
  const text = pathText({ asked: 1, root: story(1, "a\u001B[2J", [], { data: { text: "\u001B]0;x\u0007" } }) }, paint);
  assert.equal(text.includes("\u001B"), false);
  assert.match(text, /event a\uFFFD\[2J/);
});

test("colours are there on a terminal alone", () => {
  assert.equal(pathText(path, paint).includes("\u001B["), false);
  assert.ok(pathText(path, paintFor(true)).includes("\u001B[32mdelivered\u001B[0m"));
});

test("a list counts how an event stands; an empty one says so", () => {
  const { deliveries: _, ...event } = story(10, "a", []);
  const text = listText({ items: [{ ...event, standings: { missed: 3, delivered: 1 } }] }, Date.parse(TIME) + 5_000, false);
  assert.equal(text.split("\n")[1]?.replaceAll(/ {2,}/g, "|"), "@10|5s|broker:default|a|/s|10|1 delivered, 3 missed");
  assert.equal(listText({ items: [] }, 0, false), "No events found.\n");
});

test("lines of a watch and of a replay", () => {
  const event = story(10, "a", []);
  const subscriber = { id: "1", namespace: "ns", name: "one" };
  assert.equal(watchText({ type: "event", event }, paint), `${TIME}  in   a  id 10  @10  Broker ns/default\n`);
  assert.equal(watchText({ type: "attempt", event, subscriber, attempt: attempt() }, paint), `${TIME}  out  a  id 10  @10  ns/one: attempt 1  200  12.3 ms\n`);
  assert.equal(replayText({ type: "skipped", event, why: "no" }, paint), "@10  a  id 10  skipped: no\n");
  assert.equal(
    replayText({ type: "done", replay: "r", accepted: 1, failed: 2, skipped: 3, more: false }, paint),
    "1 accepted, 2 failed, 3 skipped (replay r)\n",
  );
});

const NEW = { id: "new", source: "eider" };
const drafts: readonly { readonly name: string; readonly flags: Parameters<typeof draftOf>[0]; readonly data: string | undefined }[] = [
  { name: "no data", flags: {}, data: undefined },
  {
    name: "typed values and paths",
    flags: { field: ["a.b=1", "a.c=true", "d=x=y", "e=null", "f=007"] },
    data: '{"a":{"b":1,"c":true},"d":"x=y","e":null,"f":"007"}',
  },
  { name: "texts of everything", flags: { rawField: ["a=1"] }, data: '{"a":"1"}' },
  { name: "names of the language's own are names", flags: { field: ["__proto__.x=1"] }, data: '{"__proto__":{"x":1}}' },
  { name: "data as they are", flags: { rawData: "<a/>" }, data: "<a/>" },
];
for (const { name, flags, data } of drafts) test(`draftOf: ${name}`, () => assert.equal(draftOf(flags, NEW).data, data));

test("a draft is a message in binary mode, with encoded values", () => {
  const { headers, body } = messageOf(draftOf({ type: "t", subject: 'ä "%', rawData: "x", contentType: "text/plain; charset=utf-8" }, NEW));
  assert.deepEqual(headers, {
    "ce-specversion": "1.0",
    "ce-id": "new",
    "ce-source": "eider",
    "ce-type": "t",
    "ce-subject": "%C3%A4%20%22%25",
    "content-type": "text/plain; charset=utf-8",
  });
  assert.equal(body, "x");
});

for (const flags of [{ field: ["a"] }, { field: ["a=1"], rawData: "x" }, { field: ["a=1", "a.b=2"] }, { attribute: ["A=1"] }]) {
  test(`draftOf refuses ${JSON.stringify(flags)}`, () => assert.throws(() => draftOf(flags, NEW), { exit: "usage" }));
}

test("times are ages or moments; an id is an id, and @ a place", () => {
  const now = Date.parse("2026-01-01T01:00:00Z");
  assert.deepEqual(eventQuery({ since: "10m", until: "2026-01-01T00:59:00Z", type: "t" }, "ns", now), {
    namespace: "ns",
    type: "t",
    since: "2026-01-01T00:50:00.000Z",
    until: "2026-01-01T00:59:00.000Z",
  });
  assert.deepEqual([choiceQuery("@12"), choiceQuery("12"), choiceQuery("@x")], [{ offset: "12" }, { id: "12" }, { id: "@x" }]);
  assert.throws(() => eventQuery({ since: "yesterday" }, "ns", now), { exit: "usage" });
  assert.throws(() => eventQuery({ broker: "a", channel: "b" }, "ns", now), { exit: "usage" });
});
