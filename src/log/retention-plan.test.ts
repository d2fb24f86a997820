import assert from "node:assert/strict";
import { test } from "node:test";
import { Cursor } from "./cursor.ts";
import { holdsOf, planRetention, type EndedSegment } from "./retention-plan.ts";
import type { StreamState } from "./state.ts";

/** Six segments of a hundred octets, one a second. */
const segments: readonly EndedSegment[] = [0, 1, 2, 3, 4, 5].map((index) => ({
  base: index * 100,
  end: index * 100 + 100,
  endedMs: index * 1_000,
  bytes: 100,
}));

function stream(last: number, cursors: readonly { readonly next: number; readonly open?: readonly number[] }[]): StreamState {
  const made = cursors.map(({ next, open = [] }, id): [string, Cursor] => {
    const cursor = new Cursor({ id, stream: 1, name: `${id}`, next: 0 }, () => undefined);
    for (const offset of open) cursor.take(offset);
    cursor.pass(next);
    return [cursor.name, cursor];
  });
  return { id: 1, name: "a", atLimit: "refuse", last, dropped: 0, removed: false, cursors: new Map(made) };
}

const EVERYTHING = { beforeMs: Infinity, bytes: 0 };
const table: {
  readonly name: string;
  readonly streams: readonly StreamState[];
  readonly limit: { readonly beforeMs: number; readonly bytes: number };
  readonly want: readonly number[];
}[] = [
  { name: "nobody reads: all that is old goes, but for the newest", streams: [], limit: EVERYTHING, want: [0, 100, 200, 300, 400] },
  { name: "nothing is old and there is room: nothing goes", streams: [], limit: { beforeMs: -1, bytes: 0 }, want: [] },
  { name: "what is old goes", streams: [], limit: { beforeMs: 2_000, bytes: 0 }, want: [0, 100] },
  { name: "as much as is wanted goes, oldest first", streams: [], limit: { beforeMs: -1, bytes: 101 }, want: [0, 100] },
  { name: "a cursor that is behind keeps what is before it", streams: [stream(550, [{ next: 250 }])], limit: EVERYTHING, want: [0, 100] },
  { name: "the one furthest behind counts", streams: [stream(550, [{ next: 450 }, { next: 150 }])], limit: EVERYTHING, want: [0] },
  { name: "a cursor at the end of a quiet stream keeps nothing", streams: [stream(120, [{ next: 150 }])], limit: EVERYTHING, want: [0, 100, 200, 300, 400] },
  {
    name: "one open record keeps its segment alone",
    streams: [stream(320, [{ next: 350, open: [220] }])],
    limit: EVERYTHING,
    want: [0, 100, 300, 400],
  },
  {
    name: "what is kept does not count as freed",
    streams: [stream(320, [{ next: 350, open: [20, 120] }])],
    limit: { beforeMs: -1, bytes: 150 },
    want: [200, 300],
  },
];

for (const { name, streams, limit, want } of table) {
  test(`planRetention: ${name}`, () => {
    const going = planRetention(segments, holdsOf(streams, segments), limit);
    assert.deepEqual(
      going.map(({ base }) => base),
      want,
    );
  });
}

test("a segment of which the age is not known goes for its size only", () => {
  const [first, ...others] = segments.map((segment) => ({ ...segment, endedMs: undefined }));
  assert.ok(first !== undefined);
  const holds = holdsOf([], segments);
  assert.deepEqual(planRetention([first, ...others], holds, EVERYTHING), []);
  assert.deepEqual(planRetention([first, ...others], holds, { beforeMs: Infinity, bytes: 1 }), [first]);
});
