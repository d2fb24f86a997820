// Waiting for a Service on a simulated clock: progress lines, a failure that lasts, one that passes, the time limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "#client";
import { SimClock } from "#core";
import type { Service } from "#kinds";
import type { CliError } from "./exit.ts";
import { waitReady } from "./wait-ready.ts";

interface State {
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
  /** The controller has not seen the last change yet. */
  readonly stale?: true;
}

const service = ({ stale, ...ready }: State): Service =>
  ({
    metadata: { name: "a", namespace: "n", generation: 2, resourceVersion: "1" },
    status: { observedGeneration: stale === true ? 1 : 2, conditions: [{ type: "Ready", ...ready }] },
  }) as unknown as Service;

/** A Service that changes at given times. */
function waiting(states: readonly (readonly [atMs: number, state: State | "deleted"])[], timeoutMs = 10_000) {
  const clock = new SimClock();
  const lines: string[] = [];
  const [first, ...later] = states;
  assert.ok(first !== undefined && first[1] !== "deleted");
  const initial = service(first[1]);
  const client = {
    get: () => Promise.resolve(initial),
    async *watch(_kind: unknown, _query: unknown, signal: AbortSignal) {
      for (const [atMs, state] of later) {
        await clock.sleep(atMs - clock.monotonicMs(), signal);
        yield state === "deleted" ? { type: "DELETED", object: initial } : { type: "MODIFIED", object: service(state) };
      }
      await clock.sleep(1e9, signal);
    },
  } as unknown as Client;
  const never = new AbortController().signal;
  const outcome = waitReady({ client, namespace: "n", name: "a", timeoutMs, clock, signal: never, print: (line) => lines.push(line) }).then(
    () => "ready",
    (error: CliError) => `${error.exit}: ${error.message}`,
  );
  return { clock, lines, outcome };
}

const UNKNOWN: State = { status: "Unknown", reason: "R", message: "not yet" };
const FAILED: State = { status: "False", reason: "RevisionFailed", message: "no image" };
const rows: readonly { readonly name: string; readonly states: Parameters<typeof waiting>[0]; readonly outcome: string; readonly lines: readonly string[] }[] =
  [
    { name: "ready at once", states: [[0, { status: "True" }]], outcome: "ready", lines: ["  0.000s Ready to serve."] },
    {
      name: "each message once, a repeat as dots",
      states: [
        [0, UNKNOWN],
        [100, UNKNOWN],
        [200, UNKNOWN],
        [300, { ...UNKNOWN, message: "soon" }],
        [1500, { status: "True" }],
      ],
      outcome: "ready",
      lines: ["  0.000s not yet", "  0.100s ...", "  0.300s soon", "  1.500s Ready to serve."],
    },
    {
      name: "True of the generation before does not count",
      states: [
        [0, { status: "True", stale: true }],
        [700, { status: "True" }],
      ],
      outcome: "ready",
      lines: ["  0.700s Ready to serve."],
    },
    {
      name: "a failure that lasts two seconds is final",
      states: [
        [0, UNKNOWN],
        [100, FAILED],
      ],
      outcome: "notReady: RevisionFailed: no image",
      lines: ["  0.000s not yet", "  0.100s no image"],
    },
    {
      name: "a failure that is there from the start is final, too",
      states: [[0, FAILED]],
      outcome: "notReady: RevisionFailed: no image",
      lines: ["  0.000s no image"],
    },
    {
      name: "a failure that passes is not",
      states: [
        [0, UNKNOWN],
        [100, FAILED],
        [1_900, UNKNOWN],
        [4_000, { status: "True" }],
      ],
      outcome: "ready",
      lines: ["  0.000s not yet", "  0.100s no image", "  1.900s not yet", "  4.000s Ready to serve."],
    },
    { name: "the time is up", states: [[0, UNKNOWN]], outcome: "timedOut: timeout: service 'a' not ready after 10 seconds", lines: ["  0.000s not yet"] },
    {
      name: "deleted meanwhile",
      states: [
        [0, UNKNOWN],
        [500, "deleted"],
      ],
      outcome: "notFound: service 'a' was deleted while waiting for it",
      lines: ["  0.000s not yet"],
    },
  ];
for (const { name, states, outcome, lines } of rows) {
  test(`waitReady: ${name}`, async () => {
    const run = waiting(states);
    await run.clock.advance(11_000);
    assert.equal(await run.outcome, outcome);
    assert.deepEqual(run.lines, lines);
  });
}

test("waitReady tells how far the images of its pods have come", async () => {
  const { clock, lines, client } = { clock: new SimClock(), lines: [] as string[], client: {} as Record<string, unknown> };
  const pulling = (megabytes: number) => ({
    status: { containerStatuses: [{ state: { waiting: { message: `Pulling image "x": 0 of 1 layers, ${megabytes} of 9 MB` } } }] },
  });
  client["get"] = () => Promise.resolve(service(UNKNOWN));
  client["list"] = (_kind: unknown, { labelSelector }: { labelSelector: string }) =>
    Promise.resolve({ items: labelSelector === "serving.knative.dev/service=a" ? [pulling(clock.monotonicMs() < 5_000 ? 1 : 2)] : [] });
  client["watch"] = async function* (_kind: unknown, _query: unknown, signal: AbortSignal) {
    await clock.sleep(9_000, signal);
    yield { type: "MODIFIED", object: service({ status: "True" }) };
  };
  const options = { client: client as unknown as Client, namespace: "n", name: "a", timeoutMs: 60_000, clock, signal: new AbortController().signal };
  const done = waitReady({ ...options, print: (line) => lines.push(line) });
  await clock.advance(10_000);
  await done;
  assert.deepEqual(lines, [
    "  0.000s not yet",
    '  2.000s Pulling image "x": 0 of 1 layers, 1 of 9 MB',
    '  6.000s Pulling image "x": 0 of 1 layers, 2 of 9 MB',
    "  9.000s Ready to serve.",
  ]);
});
