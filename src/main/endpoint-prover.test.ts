// Attempts to reach what an Ingress waits for: often at first, then less, and not once nobody waits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { EndpointProver, type Endpoint } from "./endpoint-prover.ts";

function world(answers: (attempt: number) => boolean) {
  const clock = new SimClock();
  const tried: number[] = [];
  const proved: string[] = [];
  const wanted = new Map<string, readonly Endpoint[]>([
    [
      "ns/web:80",
      [
        { address: "a", port: 1 },
        { address: "a", port: 2 },
      ],
    ],
  ]);
  const prover = new EndpointProver({
    endpointsOf: (backend) => wanted.get(backend),
    connects: ({ port }) => Promise.resolve(answers(tried.push(port))),
    proved: (backend) => void proved.push(backend),
    clock,
    signal: new AbortController().signal,
  });
  return { clock, tried, proved, wanted, prover };
}

test("endpoints are tried in turn until one answers; a second question changes nothing", async () => {
  const { clock, tried, proved, prover } = world((attempt) => attempt === 3);
  prover.prove("ns/web:80");
  prover.prove("ns/web:80");
  await clock.advance(1_000);
  assert.deepEqual([tried, proved], [[1, 2, 1], ["ns/web:80"]]);
});

test("a backend that does not answer is asked less and less often, and no more when nobody waits for it", async () => {
  const { clock, tried, proved, wanted, prover } = world(() => false);
  prover.prove("ns/web:80");
  await clock.advance(60_000);
  const inAMinute = tried.length;
  assert.ok(inAMinute > 100 && inAMinute < 150, `${inAMinute} attempts in a minute`);
  await clock.advance(60_000);
  assert.ok(tried.length - inAMinute <= 61, "once a second from then on");
  wanted.clear();
  const before = tried.length;
  await clock.advance(60_000);
  assert.deepEqual([tried.length, proved], [before, []]);
});
