// How an event stands with a subscriber, row by row.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttemptDocument, EventStanding, EventSubscriber } from "#protocol";
import type { StoredEvent } from "../stored-event.ts";
import { deliveriesOf, standingOf } from "./deliveries.ts";
import type { SubscriberView } from "./view.ts";

const attempt = (next: AttemptDocument["next"], leg: AttemptDocument["leg"] = "subscriber"): AttemptDocument => ({
  leg,
  attempt: 1,
  time: "2026-01-01T00:00:00.000Z",
  tookMs: 1,
  next,
});

interface Row {
  readonly name: string;
  readonly next: number;
  readonly open?: ReadonlyMap<number, number | undefined>;
  readonly matchesNow: boolean;
  readonly attempts?: readonly AttemptDocument[];
  readonly want: EventStanding;
}

const table: readonly Row[] = [
  { name: "the subscriber has not come so far", next: 5, matchesNow: true, want: "ahead" },
  { name: "nor will it want it", next: 5, matchesNow: false, want: "missed" },
  { name: "it is under way", next: 11, open: new Map([[10, undefined]]), matchesNow: true, want: "inFlight" },
  { name: "it waits", next: 11, open: new Map([[10, 7_000]]), matchesNow: true, attempts: [attempt("retry")], want: "waiting" },
  { name: "it is parked", next: 11, open: new Map([[10, Infinity]]), matchesNow: true, attempts: [attempt("park", "deadLetter")], want: "parked" },
  { name: "another event's state is not its own", next: 11, open: new Map([[9, Infinity]]), matchesNow: false, want: "missed" },
  { name: "the last attempt tells", next: 11, matchesNow: true, attempts: [attempt("retry"), attempt("delivered")], want: "delivered" },
  { name: "also when the filter has changed since", next: 11, matchesNow: false, attempts: [attempt("delivered")], want: "delivered" },
  { name: "nobody took it", next: 11, matchesNow: true, attempts: [attempt("gaveUp")], want: "gaveUp" },
  {
    name: "the dead letter sink did",
    next: 11,
    matchesNow: true,
    attempts: [attempt("deadLetter"), attempt("deadLettered", "deadLetter")],
    want: "deadLettered",
  },
  { name: "a replay is no delivery", next: 11, matchesNow: false, attempts: [attempt("delivered", "replay")], want: "missed" },
  { name: "a failed replay changes nothing", next: 11, matchesNow: true, attempts: [attempt("delivered"), attempt("gaveUp", "replay")], want: "delivered" },
  { name: "done with, and nothing on record", next: 11, matchesNow: true, want: "unrecorded" },
];
for (const { name, next, open = new Map<number, number | undefined>(), matchesNow, attempts = [], want } of table) {
  test(`standingOf: ${name}`, () => assert.equal(standingOf(10, { next, open, matchesNow }, attempts), want));
}

const stored: StoredEvent = { form: "binary", attributes: new Map([["id", "1"]]), headers: {} };
const view = (name: string): SubscriberView => ({
  is: { id: `${name}-uid`, namespace: "ns", name, deadLetter: { url: "http://dead/" } } as unknown as EventSubscriber,
  selects: () => true,
  next: 11,
  open: [],
});

test("subscribers come by name, then those that are no more and the URLs of replays", () => {
  const attempts = new Map([
    ["gone-uid", [attempt("delivered")]],
    ["http://by-hand/", [attempt("delivered", "replay")]],
    ["a-uid", [attempt("delivered")]],
  ]);
  const told = deliveriesOf({ offset: 10, stored }, [view("b"), view("a")], attempts);
  assert.deepEqual(
    told.map(({ subscriber, standing }) => [subscriber.name === "" ? subscriber.id : subscriber.name, standing]),
    [
      ["a", "delivered"],
      ["b", "unrecorded"],
      ["gone-uid", "delivered"],
      ["http://by-hand/", "replayed"],
    ],
  );
  assert.deepEqual([told[0]?.subscriber.deadLetterUrl, told[3]?.subscriber.url], ["http://dead/", "http://by-hand/"]);
});
