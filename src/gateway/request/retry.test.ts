// The table of what may be tried again, and the pace of connecting.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodFailure } from "../pods/pod-connection.ts";
import { connectLimitMs, isRefusal, retryOf, type Tried } from "./retry.ts";

const DIED: PodFailure = { error: undefined, connected: true, fresh: true, untouched: true, unsent: false, malformed: false };

const rows: readonly { name: string; failure?: Partial<PodFailure>; tried?: Partial<Tried>; want: ReturnType<typeof retryOf> }[] = [
  { name: "GET without an octet of an answer", want: "repeat" },
  { name: "PUT, too", tried: { method: "PUT" }, want: "repeat" },
  { name: "DELETE on a kept connection", failure: { fresh: false }, tried: { method: "DELETE" }, want: "repeat" },
  { name: "POST may have been seen", tried: { method: "POST" }, want: "no" },
  { name: "PATCH may have been seen, also on a kept connection", failure: { fresh: false }, tried: { method: "PATCH" }, want: "no" },
  { name: "a method nobody knows", tried: { method: "PURGE" }, want: "no" },
  { name: "POST that met a closed connection", failure: { fresh: false, unsent: true }, tried: { method: "POST" }, want: "unsent" },
  { name: "POST without a connection", failure: { connected: false }, tried: { method: "POST" }, want: "unsent" },
  { name: "half of a response", failure: { untouched: false }, want: "no" },
  { name: "nonsense", failure: { untouched: false, malformed: true }, want: "no" },
  { name: "a body that is not held any more", tried: { method: "PUT", replayable: false }, want: "no" },
  { name: "not even without a connection", failure: { connected: false }, tried: { replayable: false }, want: "no" },
  { name: "the second repetition", tried: { attempts: 2, repeats: 1 }, want: "repeat" },
  { name: "a third repetition", tried: { attempts: 3, repeats: 2 }, want: "no" },
  { name: "a refusal after two repetitions", failure: { connected: false }, tried: { attempts: 3, repeats: 2 }, want: "unsent" },
  { name: "the twentieth attempt", failure: { connected: false }, tried: { attempts: 19 }, want: "unsent" },
  { name: "one more", failure: { connected: false }, tried: { attempts: 20 }, want: "no" },
];
for (const { name, failure, tried, want } of rows) {
  test(`retries: ${name}`, () => {
    assert.equal(retryOf({ ...DIED, ...failure }, { method: "GET", attempts: 1, repeats: 0, replayable: true, ...tried }), want);
  });
}

test("a pod is suspect when nobody listens, not when we have run out of files", () => {
  const failed = (code: string, connected = false): boolean => isRefusal({ ...DIED, connected, error: Object.assign(new Error(code), { code }) });
  assert.deepEqual(
    [failed("ECONNREFUSED"), failed("EHOSTUNREACH"), failed("EMFILE"), failed("ECONNREFUSED", true), isRefusal({ ...DIED, connected: false })],
    [true, true, false, false, false],
  );
});

test("connecting is given up after fifteen attempts and 19 seconds", () => {
  const limits = Array.from({ length: 16 }, (_, timeouts) => connectLimitMs(timeouts));
  assert.equal(limits[0], 50);
  assert.equal(limits[1], 70);
  assert.equal(limits[15], undefined);
  assert.equal(Math.round(limits.reduce<number>((sum, limit) => sum + (limit ?? 0), 0)), 19_321);
});
