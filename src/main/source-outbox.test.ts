// Events of sources outlive the thread that sends them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceOutbox } from "./source-outbox.ts";

const event = { namespace: "ns", attributes: { id: "1" }, data: "{}", filters: [], target: { url: "http://sink/" } };

test("an event is handed in again to the next thread until it is over, and dropped when nobody wants it", async () => {
  const posted: string[] = [];
  const outbox = new SourceOutbox(({ type, id }) => posted.push(`${type} ${id}`));
  const stop = new AbortController();
  const first = outbox.send(event, stop.signal);
  const second = outbox.send(event, stop.signal);
  outbox.over({ type: "sourceEventOver", id: 1, outcome: "taken" });
  await first;
  outbox.again();
  stop.abort();
  await second;
  outbox.again();
  await outbox.send(event, stop.signal);
  assert.deepEqual(posted, ["sourceEvent 1", "sourceEvent 2", "sourceEvent 2", "dropSourceEvent 2"]);
});
