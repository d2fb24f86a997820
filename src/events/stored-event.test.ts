// Records hold events as they came.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeStored, encodeStored, type StoredEvent } from "./stored-event.ts";

const event: StoredEvent = {
  form: "json",
  attributes: new Map<string, string | number | boolean>([
    ["id", "1"],
    ["source", "/größe"],
    ["__proto__", "x"],
    ["count", 7],
    ["last", true],
  ]),
  types: new Map([["time", "timestamp"]]),
  headers: { "x-request-id": "7" },
  data: { octets: Buffer.from([0, 255, 10]), is: "binary" },
};

test("an event is the same when it is read again", () => {
  assert.deepEqual(decodeStored(encodeStored(event)), event);
});

test("no data and empty data are different things", () => {
  const { data: _, ...without } = event;
  assert.equal("data" in decodeStored(encodeStored(without)), false);
  const empty = decodeStored(encodeStored({ ...event, data: { octets: new Uint8Array(), is: "opaque" } }));
  assert.equal(empty.data?.octets.length, 0);
});
