// The truth table of planStep, in its order.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventSubscriber } from "#protocol";
import { errorAttributes, FRESH, planStep, type Attempt, type DeliveryState, type DeliveryStep } from "./plan.ts";

const SUBSCRIBER = "http://sub.ns.svc.cluster.local/";
const subscriber: EventSubscriber = {
  id: "t-uid",
  stream: "b-uid",
  namespace: "ns",
  name: "t",
  version: 1,
  selection: { attributes: {}, filters: [] },
  target: { url: SUBSCRIBER },
  rules: { retries: 2, backoff: "linear", backoffMs: 100, timeoutMs: 1_000 },
  order: "none",
};
const withSink: EventSubscriber = { ...subscriber, deadLetter: { url: "http://dls.ns.svc.cluster.local/" } };
const answered = (status: number, text = "", more: Partial<Attempt> = {}): Attempt => ({ result: { is: "answer", status }, body: Buffer.from(text), ...more });
const refused: Attempt = { result: { is: "failure", why: "connect ECONNREFUSED 127.0.0.1:1" }, body: new Uint8Array() };
const error = { destination: SUBSCRIBER, code: 400, data: "YmFk" };
const dead = (attempts: number): DeliveryState => ({ attempts, error });
const full = { is: "answer", status: 503 } as const;

const table: readonly {
  readonly name: string;
  readonly of?: EventSubscriber;
  readonly state?: DeliveryState;
  readonly given: Attempt;
  readonly want: DeliveryStep;
}[] = [
  { name: "an accepted event is delivered", given: answered(202), want: { do: "finish", outcome: "delivered" } },
  { name: "… so is one whose reply was taken", given: answered(200, "", { reply: { is: "taken" } }), want: { do: "finish", outcome: "delivered" } },
  {
    name: "a reply that cannot be taken just now: the subscriber is called again",
    given: answered(200, "", { reply: { is: "busy", destination: "http://b/", result: full } }),
    want: { do: "retry", state: { attempts: 1 }, afterMs: 100 },
  },
  {
    name: "a reply whose hops are used up makes the event a dead letter of the Broker's address",
    of: withSink,
    given: answered(200, "", { reply: { is: "refused", destination: "http://b/", result: { is: "answer", status: 400 } } }),
    want: { do: "deadLetter", state: { attempts: 0, error: { destination: "http://b/", code: 400, data: "" } } },
  },
  { name: "a 503 is tried again", given: answered(503), want: { do: "retry", state: { attempts: 1 }, afterMs: 100 } },
  { name: "… with a longer wait the second time", state: { attempts: 1 }, given: answered(503), want: { do: "retry", state: { attempts: 2 }, afterMs: 200 } },
  { name: "nobody there is tried again", given: refused, want: { do: "retry", state: { attempts: 1 }, afterMs: 100 } },
  {
    name: "no retries left: a dead letter with what was answered",
    of: withSink,
    state: { attempts: 2 },
    given: answered(500, "oops"),
    want: { do: "deadLetter", state: { attempts: 0, error: { destination: SUBSCRIBER, code: 500, data: "b29wcw==" } } },
  },
  { name: "no retries left and no sink: given up", state: { attempts: 2 }, given: answered(500), want: { do: "finish", outcome: "gaveUp" } },
  { name: "a 400 is final", of: withSink, given: answered(400, "bad"), want: { do: "deadLetter", state: { attempts: 0, error } } },
  { name: "the sink accepts", of: withSink, state: dead(1), given: answered(200), want: { do: "finish", outcome: "deadLettered" } },
  { name: "the sink is tried again", of: withSink, state: dead(0), given: answered(503), want: { do: "retry", state: dead(1), afterMs: 100 } },
  { name: "the sink refuses for good: parked", of: withSink, state: dead(0), given: answered(400), want: { do: "park", state: dead(1) } },
  { name: "the sink's retries are over: parked", of: withSink, state: dead(2), given: refused, want: { do: "park", state: dead(3) } },
  { name: "the sink is gone from the spec: parked, not lost", state: dead(2), given: refused, want: { do: "park", state: dead(3) } },
];
for (const { name, of = subscriber, state = FRESH, given, want } of table) {
  test(`planStep: ${name}`, () => assert.deepEqual(planStep(of, state, given, 0), want));
}

test("a long answer is cut before it becomes base64", () => {
  const step = planStep(withSink, FRESH, answered(400, "x".repeat(100_000)), 0);
  assert.ok(step.do === "deadLetter" && step.state.error !== undefined);
  assert.equal(step.state.error.data.length, 1_024);
});

test("nobody answered: code 500, and the data say why", () => {
  const step = planStep({ ...withSink, rules: { ...withSink.rules, retries: 0 } }, FRESH, refused, 0);
  assert.ok(step.do === "deadLetter" && step.state.error !== undefined);
  assert.deepEqual(errorAttributes(step.state.error), {
    knativeerrordest: "http://sub.ns.svc.cluster.local/",
    knativeerrorcode: 500,
    knativeerrordata: Buffer.from("dispatch error: connect ECONNREFUSED 127.0.0.1:1").toString("base64"),
  });
});

test("an answer without a body leaves no error data", () => {
  assert.deepEqual(errorAttributes({ destination: "http://x/", code: 404, data: "" }), { knativeerrordest: "http://x/", knativeerrorcode: 404 });
});
