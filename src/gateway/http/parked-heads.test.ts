// Heads that wait as octets: what comes back is what was parked, and places are used again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ParkedHeads, type ParkedHead } from "./parked-heads.ts";
import { parseRequestHead, type RequestHead } from "./request-head.ts";

/** Read behind something else, and before it. */
function headOf(line: string, lines: readonly string[]): RequestHead {
  const text = `${line}\r\n${lines.map((each) => `${each}\r\n`).join("")}\r\n`;
  const [before, bytes] = [5, Buffer.from(`body\n${text}GET / HTTP/1.1\r\n`, "latin1")];
  const head = parseRequestHead(text, { bytes, from: before, to: before + text.length });
  assert.ok(!("reason" in head), JSON.stringify(head));
  return head;
}

const HOST = "Host: app.test";
const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** What is asked of a head that is parked. */
function told(parked: ParkedHead | undefined): { readonly host: string; readonly target: string; readonly trace: string } | undefined {
  return (
    parked && {
      host: parked.text(parked.hostFrom, parked.hostTo),
      target: parked.text(parked.targetFrom, parked.targetTo),
      trace: parked.text(parked.traceFrom, parked.traceTo),
    }
  );
}

test("a head comes back as it was, with its host, its target and the id of its trace", () => {
  const cases: readonly (readonly [head: RequestHead, trace: string])[] = [
    [headOf("GET / HTTP/1.1", [HOST]), ""],
    [headOf("DELETE /a/b?c=\u00e9 HTTP/1.1", [HOST, "X-Name: \u00ff\u00fe", "Cookie: a=b"]), ""],
    [headOf("POST /up HTTP/1.1", [HOST, "Content-Length: 5"]), ""],
    [headOf("GET /old HTTP/1.0", ["X: y", HOST, "Connection: close"]), ""],
    [headOf("GET /t HTTP/1.1", [HOST, `traceparent:   ${PARENT} `]), "0af7651916cd43dd8448eb211c80319c"],
    [headOf("GET /t HTTP/1.1", [HOST, "X-B3-TraceId: abc", "x-b3-spanid: d-e"]), "abc"],
    [headOf("GET /t HTTP/1.1", [HOST, "traceparent: none", "x-other: a-b-c"]), ""],
    [headOf("GET /t HTTP/1.1", [HOST, "traceparent: 00-ab", "x-other: a-b-c"]), "ab"],
  ];
  const places = new ParkedHeads();
  for (const [head, trace] of cases) {
    const parked = places.park(head);
    assert.deepEqual(told(parked), { host: head.host, target: head.target, trace });
    assert.deepEqual(parked?.head, head);
    assert.equal(parked?.head, parked?.head);
  }
});

const OTHERS: readonly (readonly [why: string, head: RequestHead])[] = [
  ["its host has a port", headOf("GET / HTTP/1.1", ["Host: app.test:8080"])],
  ["its host has capital letters", headOf("GET / HTTP/1.1", ["Host: App.test"])],
  ["its target is absolute", headOf("GET http://app.test/ HTTP/1.1", [HOST])],
  ["it has no host", headOf("GET / HTTP/1.0", [])],
  ["it is long", headOf(`GET /${"x".repeat(1_000)} HTTP/1.1`, [HOST])],
];

for (const [why, head] of OTHERS) {
  test(`a head stays what it is: ${why}`, () => assert.equal(new ParkedHeads().park(head), undefined));
}

test("a place that is left is the next one, and there are so many and no more", () => {
  const places = new ParkedHeads(1);
  const head = headOf("GET /1 HTTP/1.1", [HOST]);
  const parked: ParkedHead[] = [];
  for (let place = places.park(head); place !== undefined; place = places.park(head)) parked.push(place);
  assert.ok(parked.length > 0 && parked.length <= 64);
  assert.equal(new Set(parked).size, parked.length);
  const [first] = parked;
  assert.ok(first !== undefined);
  assert.deepEqual(first.head, head);
  places.leave(first);
  const other = headOf("GET /22 HTTP/1.1", ["Host: b"]);
  assert.equal(places.park(other), first);
  assert.deepEqual(first.head, other);
  for (const each of parked.slice(1)) assert.deepEqual(each.head, head);
});
