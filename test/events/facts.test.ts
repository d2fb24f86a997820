// The verdict of the crash test: what it lets pass, and every planted fault that it finds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, type AckRow, type KillRow, type ReceiptRow, type Verdict } from "./facts.ts";
import { KEYS, SUBSCRIBERS } from "./story.ts";

const EVENTS = 3 * KEYS;
const KILL: KillRow = { fromMs: 50_000, toMs: 53_000 };

interface Rows {
  readonly acks: AckRow[];
  readonly receipts: Map<string, ReceiptRow[]>;
  readonly kills: KillRow[];
}

const acked = (seq: number, over: Partial<AckRow> = {}): AckRow => ({ producer: 0, seq, what: "acked", fromMs: seq, toMs: seq + 1, status: 202, ...over });
const got = (seq: number, over: Partial<ReceiptRow> = {}): ReceiptRow => ({ producer: 0, seq, fromMs: 100 + seq, toMs: 101 + seq, status: 200, ...over });

/** One producer, every event where it is wanted, one kill long after. */
function good(): Rows {
  const seqs = Array.from({ length: EVENTS }, (_, seq) => seq);
  const receipts = new Map(
    SUBSCRIBERS.map(({ name, wants, attempts }) => [
      name,
      seqs.filter(wants).flatMap((seq) => (attempts === undefined ? [got(seq)] : Array.from({ length: attempts }, () => got(seq, { status: 500 })))),
    ]),
  );
  return { acks: seqs.map((seq) => acked(seq)), receipts, kills: [KILL] };
}

function verdictWith(change: (rows: Rows) => void): Verdict {
  const rows = good();
  change(rows);
  return judge(rows);
}

const of = ({ receipts }: Rows, name: string): ReceiptRow[] => receipts.get(name) ?? assert.fail(`no subscriber ${name}`);
const drop = (rows: Rows, name: string, seq: number): void =>
  void rows.receipts.set(
    name,
    of(rows, name).filter((row) => row.seq !== seq),
  );

test("nothing is said about a run without faults", () => {
  const { lost, complaints, acknowledged, repeated } = judge(good());
  assert.deepEqual([lost, complaints, acknowledged, repeated], [[], [], EVENTS, { kill: 0, timeout: 0, doubt: 0 }]);
});

test("a run that checked nothing is no good run", () => {
  assert.equal(judge({ acks: [], receipts: new Map(), kills: [] }).complaints.length, SUBSCRIBERS.length + 2);
});

for (const { name, wants } of SUBSCRIBERS) {
  const seq = Array.from({ length: EVENTS }, (_, each) => each).findLast(wants) ?? assert.fail("nothing is wanted");
  test(`found: an acknowledged event that ${name} did not get`, () => {
    assert.deepEqual(verdictWith((rows) => drop(rows, name, seq)).lost, [`${name} did not get ${seq} of producer 0`]);
  });
}

const FAULTS: readonly { readonly name: string; readonly plant: (rows: Rows) => void; readonly says: RegExp }[] = [
  {
    name: "two events of a key in the other order",
    plant: (rows) => of(rows, "ordered").push(...of(rows, "ordered").splice(0, 1)),
    says: new RegExp(`^ordered got 0 of producer 0 behind ${2 * KEYS} of the same key`),
  },
  {
    name: "a delivery once more, while nothing was killed",
    plant: (rows) => of(rows, "plain").push(got(5)),
    says: /^plain got 5 of producer 0 1 times too often/,
  },
  {
    name: "a delivery once more after a kill, of what was finished long before it",
    plant: (rows) => of(rows, "plain").push(got(5, { fromMs: KILL.toMs, toMs: KILL.toMs + 1 })),
    says: /^plain got 5 of producer 0 1 times too often/,
  },
  {
    name: "a delivery twice more, where the producer sent twice",
    plant(rows) {
      rows.acks.push(acked(5, { what: "doubt", status: 0, fromMs: KILL.fromMs, toMs: KILL.toMs }));
      of(rows, "plain").push(got(5), got(5));
    },
    says: /^plain got 5 of producer 0 1 times too often/,
  },
  { name: "an event that nobody sent", plant: (rows) => of(rows, "plain").push(got(EVENTS)), says: /^plain got 48 of producer 0, which nobody sent/ },
  { name: "an event that the filter refuses", plant: (rows) => of(rows, "chosen").push(got(1)), says: /^chosen got 1 of producer 0, which its filter/ },
  {
    name: "an attempt too many",
    plant: (rows) => of(rows, "failing").push(got(3, { status: 500 })),
    says: /^failing was asked 4 times to take 3 of producer 0, 3 are allowed/,
  },
  {
    name: "a dead letter too early",
    plant: (rows) => of(rows, "failing").splice(0, 1),
    says: /^3 of producer 0 became a dead letter after 2 attempts of 3/,
  },
  {
    name: "no answer while nothing was killed",
    plant: (rows) => rows.acks.push(acked(0, { what: "doubt", status: 0 })),
    says: /^producer 0 got no answer to 0, .* while nothing was killed/,
  },
  {
    name: "a refusal for good",
    plant: (rows) => rows.acks.push(acked(0, { what: "refused", status: 404 })),
    says: /^producer 0 was refused 0 for good, with 404/,
  },
];
for (const { name, plant, says } of FAULTS) {
  test(`found: ${name}`, () => {
    const { lost, complaints } = verdictWith(plant);
    assert.deepEqual(lost, []);
    assert.equal(complaints.length, 1, complaints.join("\n"));
    assert.match(complaints[0] ?? "", says);
  });
}

test("excused: what was finished just before a kill, what was late for its time-out, and what was sent twice", () => {
  const justBefore = { fromMs: KILL.fromMs - 20, toMs: KILL.fromMs - 10 };
  const after = { fromMs: KILL.toMs, toMs: KILL.toMs + 1 };
  const { lost, complaints, repeated } = verdictWith((rows) => {
    drop(rows, "plain", 6);
    of(rows, "plain").push(got(6, justBefore), got(6, after));
    rows.acks.push(acked(7, { what: "doubt", status: 0, fromMs: KILL.fromMs, toMs: KILL.toMs }));
    of(rows, "plain").push(got(7));
    drop(rows, "slow", 9);
    of(rows, "slow").push(got(9, { fromMs: 0, toMs: 2_000 }), got(9));
    of(rows, "plain").push(got(8, { status: 0 }));
  });
  assert.deepEqual([lost, complaints, repeated], [[], [], { kill: 1, timeout: 1, doubt: 1 }]);
});
