import assert from "node:assert/strict";
import { test } from "node:test";
import type { TracedEvent } from "#protocol";
import { spansOfEvent } from "./event-spans.ts";

const TAKEN: TracedEvent = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  parentId: "",
  spanId: "1111111111111111",
  traceState: "",
  destination: "broker:b.ns",
  at: { kind: "Broker", namespace: "ns", name: "b" },
  startMs: 1,
  endMs: 2,
  event: { id: "é", type: "t", source: "/s", subject: "", specVersion: "1.0" },
  status: 202,
};
const sent = (over: Partial<TracedEvent>): TracedEvent => ({
  ...TAKEN,
  destination: "trigger:t.ns",
  sent: { url: "http://me:secret@sub:8080/a?b=c", leg: "subscriber", attempt: 2 },
  ...over,
});

test("what a Broker takes has the name and the attributes of Knative's ingress", () => {
  const [span] = spansOfEvent(TAKEN);
  assert.deepEqual([span?.name, span?.kind, span?.failed], ["broker:b.ns", "server", false]);
  assert.deepEqual(span?.attributes, {
    "messaging.system": "knative",
    "messaging.operation.name": "send",
    "messaging.destination.name": "broker:b.ns",
    "kn.broker.name": "b",
    "kn.broker.namespace": "ns",
    // Octets of UTF-8, as the wire form takes them.
    "cloudevents.event_id": "\u00c3\u00a9",
    "cloudevents.type": "t",
    "cloudevents.source": "/s",
    "cloudevents.subject": "",
    "cloudevents.specversion": "1.0",
    "http.response.status_code": 202,
    "url.scheme": "http",
  });
});

test("an attempt tells where it went, without what its URL says of who asks, and how often it was tried", () => {
  const [span] = spansOfEvent(sent({}));
  assert.deepEqual([span?.name, span?.kind], ["trigger:t.ns", "client"]);
  const { attributes = {} } = span ?? {};
  assert.equal(attributes["url.full"], "http://sub:8080/a?b=c");
  assert.deepEqual([attributes["server.address"], attributes["server.port"], attributes["http.request.resend_count"]], ["sub", 8080, 1]);
});

const fails = [
  { name: "a producer's mistake is none of the Broker's", of: { ...TAKEN, status: 400 }, failed: false, type: undefined },
  { name: "a log that takes nothing is", of: { ...TAKEN, status: 503 }, failed: true, type: "503" },
  { name: "a subscriber's 404", of: sent({ status: 404 }), failed: true, type: "404" },
  { name: "nobody answered", of: sent({ status: 0 }), failed: true, type: "no_answer" },
];
for (const { name, of, failed, type } of fails) {
  test(`a failed span: ${name}`, () => {
    const [span] = spansOfEvent(of);
    assert.deepEqual([span?.failed, span?.attributes["error.type"]], [failed, type]);
  });
}
