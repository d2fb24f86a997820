// The table of codes of the data plane's specification (D4), and the waits of both policies.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeliveryRules } from "#protocol";
import { isAccepted, isRetryable, retryAfterMs, WAIT_MS_MAX, waitMs, type AttemptResult } from "./retry.ts";

const answer = (status: number, retryAfter?: string): AttemptResult => ({ is: "answer", status, ...(retryAfter === undefined ? {} : { retryAfter }) });
const refused: AttemptResult = { is: "failure", why: "connect ECONNREFUSED" };
const rules = (over: Partial<DeliveryRules> = {}): DeliveryRules => ({ retries: 5, backoff: "exponential", backoffMs: 200, timeoutMs: 1_000, ...over });

const CODES: readonly { readonly statuses: readonly number[]; readonly accepted: boolean; readonly again: boolean }[] = [
  { statuses: [200, 201, 202, 204, 299], accepted: true, again: false },
  { statuses: [404, 408, 409, 429, 500, 502, 503, 504, 599], accepted: false, again: true },
  { statuses: [101, 300, 301, 302, 307, 308, 400, 401, 403, 405, 406, 410, 413, 415, 422, 451], accepted: false, again: false },
];
for (const { statuses, accepted, again } of CODES) {
  for (const status of statuses) {
    test(`a ${status} is ${accepted ? "accepted" : again ? "tried again" : "final"}`, () => {
      assert.equal(isAccepted(answer(status)), accepted);
      assert.equal(isRetryable(answer(status)), again);
    });
  }
}

test("no answer at all is tried again", () => {
  assert.equal(isAccepted(refused), false);
  assert.equal(isRetryable(refused), true);
});

const WAITS: readonly { readonly name: string; readonly given: Partial<DeliveryRules>; readonly result?: AttemptResult; readonly want: readonly number[] }[] = [
  { name: "exponential doubles from the delay", given: {}, want: [200, 400, 800, 1_600] },
  { name: "linear grows by the delay, and the first wait is not zero", given: { backoff: "linear" }, want: [200, 400, 600, 800] },
  { name: "a delay of zero waits for nothing", given: { backoffMs: 0 }, want: [0, 0] },
  { name: "Retry-After is not looked at unless asked for", given: {}, result: answer(503, "9"), want: [200] },
  { name: "Retry-After makes the wait longer", given: { retryAfterMaxMs: 60_000 }, result: answer(429, "9"), want: [9_000, 9_000] },
  { name: "… up to its maximum", given: { retryAfterMaxMs: 3_000 }, result: answer(503, "9"), want: [3_000] },
  { name: "… never shorter", given: { retryAfterMaxMs: 60_000, backoffMs: 20_000 }, result: answer(503, "9"), want: [20_000] },
  { name: "… for 429 and 503 alone", given: { retryAfterMaxMs: 60_000 }, result: answer(500, "9"), want: [200] },
  { name: "… and not when it is no number and no date", given: { retryAfterMaxMs: 60_000 }, result: answer(503, "-3"), want: [200] },
];
for (const { name, given, result = refused, want } of WAITS) {
  test(`waitMs: ${name}`, () => {
    assert.deepEqual(
      want.map((_, at) => waitMs(rules(given), at + 1, result, 0)),
      want,
    );
  });
}

test("no wait is without end", () => {
  assert.equal(waitMs(rules(), 5_000, refused, 0), WAIT_MS_MAX);
  assert.equal(waitMs(rules({ retryAfterMaxMs: 1e15 }), 1, answer(503, "99999999999"), 0), WAIT_MS_MAX);
});

test("a date in Retry-After counts from now, and one that is past asks for nothing", () => {
  const now = Date.UTC(2026, 0, 1, 0, 0, 0);
  assert.equal(retryAfterMs("Thu, 01 Jan 2026 00:00:07 GMT", now), 7_000);
  assert.equal(retryAfterMs("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
  assert.equal(retryAfterMs("soon", now), undefined);
  assert.equal(retryAfterMs("1.5", now), undefined);
});
