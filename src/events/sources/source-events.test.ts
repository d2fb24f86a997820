// Single events of sources: filtered, sent until they are taken, and told to be over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, SimClock } from "#core";
import type { SourceEvent } from "#protocol";
import type { Outgoing } from "../delivery/send.ts";
import { SourceEvents } from "./source-events.ts";

const event = (over: Partial<SourceEvent> = {}): SourceEvent => ({
  type: "sourceEvent",
  id: 1,
  namespace: "ns",
  attributes: { id: "1", type: "t", source: "s", datacontenttype: "application/json" },
  data: "{}",
  filters: [],
  target: { url: "http://sink/" },
  ...over,
});

test("events are sent until their sinks take or refuse them, those that no filter lets through are not, dropped ones no more", async () => {
  const clock = new SimClock();
  const sent: Outgoing[] = [];
  const over: string[] = [];
  const statuses: Record<string, number[]> = { "http://sink/": [500, 202], "http://refuses/": [400], "http://away/": [503] };
  const sender = {
    async send(outgoing: Outgoing) {
      sent.push(outgoing);
      const left = statuses[outgoing.target.url] ?? [];
      const status = (left.length > 1 ? left.shift() : left[0]) ?? 0;
      return { result: { is: "answer", status } as const, headers: {}, body: new Uint8Array() };
    },
  };
  const events = new SourceEvents({ sender, clock, logger: silentLogger, over: ({ id, outcome }) => over.push(`${id} ${outcome}`) });
  events.take(event());
  events.take(event({ id: 2, target: { url: "http://refuses/" } }));
  events.take(event({ id: 3, filters: [{ exact: { type: "other" } }] }));
  events.take(event({ id: 4, target: { url: "http://away/" } }));
  await clock.advance(1_000);
  events.drop(4);
  const { length } = sent;
  await clock.advance(600_000);
  assert.deepEqual(over.sort(), ["1 taken", "2 refused", "3 filtered"]);
  assert.equal(sent.length, length);
  assert.deepEqual(sent[0]?.headers, {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-type": "t",
    "ce-source": "s",
    "content-type": "application/json",
    "kn-namespace": "ns",
  });
});
