// One Broker and its Triggers with the real kn: events wake a Service from zero, replies re-enter, failures become dead letters, and a
// kill -9 of the platform loses nothing that was answered with 202.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EventReceiver, post } from "./event-receiver.ts";
import { eventually, findProgram, Platform, root } from "./platform.ts";

const needsKn = { skip: findProgram("kn", "KN") === undefined ? "kn is not there: set KN to its path" : false };
const BROKER = "broker-ingress.knative-eventing.svc.cluster.local";
let platform: Platform;
let receiver: EventReceiver;

before(async () => {
  if (needsKn.skip !== false) return;
  platform = await Platform.start();
  receiver = await EventReceiver.start(({ path }) => (path === "/refuses" ? { status: 400, body: "bad" } : { status: 200 }));
  const built = await platform.eider("build", join(root, "test/e2e/apps/replier"), "--image", "dev.local/replier:v1");
  assert.equal(built.code, 0, built.stderr);
});
after(async () => {
  await platform?.stop();
  await receiver?.stop();
});

const kn = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await platform.kn(...args);
  assert.equal(code, 0, stderr);
  return stdout;
};

/** Sends through the gateway's listener for names inside. */
const emit = (id: string, type: string, data = "{}"): Promise<number> =>
  post(`${platform.state.internal}/default/default`, {
    headers: { host: BROKER, "ce-specversion": "1.0", "ce-id": id, "ce-source": "/test", "ce-type": type, "content-type": "application/json" },
    body: data,
  });

const ready = (kind: string, name: string): Promise<string> => platform.kubectl("wait", kind, name, "--for=condition=Ready", "--timeout=60s");

test("the real kn makes a Broker, and it is Ready with Knative's conditions and address", needsKn, async () => {
  assert.match(await kn("broker", "create", "default"), /Broker 'default' successfully created in namespace 'default'\./);
  await ready("broker", "default");
  const columns = (await platform.kubectl("get", "broker", "default", "--no-headers")).trim().split(/ +/);
  assert.deepEqual([columns[0], columns[1], columns[3]], ["default", `http://${BROKER}/default/default`, "True"]);
  const described = await kn("broker", "describe", "default");
  for (const condition of ["Addressable", "FilterReady", "IngressReady", "TriggerChannelReady"]) assert.match(described, new RegExp(`\\+\\+ ${condition}`));
});

test("an event wakes a Service from zero, and its reply re-enters and reaches a second Trigger", needsKn, async () => {
  await kn("service", "create", "replier", "--image", "dev.local/replier:v1", "--scale-window", "6s");
  await kn("trigger", "create", "ask", "--broker", "default", "--filter", "type=question", "--sink", "ksvc:replier");
  await kn("trigger", "create", "hear", "--broker", "default", "--filter", "type=answer", "--sink", `${receiver.url}/answers`);
  await ready("trigger", "ask");
  await ready("trigger", "hear");
  const pods = async (): Promise<string> => (await platform.kubectl("get", "pods", "--no-headers", "--ignore-not-found")).trim();
  await eventually("the Service is at zero", async () => (await pods()) === "");
  assert.equal(await emit("1", "question", '{"a":1}'), 202);
  const [answer] = await eventually("the answer comes", async () => receiver.at("/answers").length > 0 && receiver.at("/answers"));
  assert.notEqual(await pods(), "");
  assert.deepEqual([answer?.headers["ce-id"], answer?.headers["ce-type"], answer?.body], ["1-answer", "answer", '{"a":1}']);
  assert.equal(answer?.headers["prefer"], "reply");
  assert.equal(answer?.headers["kn-namespace"], "default");
  assert.match(String(answer?.headers["ce-knativearrivaltime"]), /^\d{4}-/);
  assert.equal(answer?.headers["ce-knativebrokerttl"], undefined);
});

test("what a subscriber refuses lands at the dead letter sink, and says why", needsKn, async () => {
  await platform.apply({
    apiVersion: "eventing.knative.dev/v1",
    kind: "Trigger",
    metadata: { name: "refuses", namespace: "default" },
    spec: {
      broker: "default",
      filter: { attributes: { type: "bad" } },
      subscriber: { uri: `${receiver.url}/refuses` },
      delivery: { deadLetterSink: { uri: `${receiver.url}/dead` } },
    },
  });
  await ready("trigger", "refuses");
  assert.equal(await emit("2", "bad"), 202);
  const [dead] = await eventually("the dead letter comes", async () => receiver.at("/dead").length > 0 && receiver.at("/dead"));
  assert.equal(dead?.headers["ce-id"], "2");
  assert.equal(dead?.headers["ce-knativeerrordest"], `${receiver.url}/refuses`);
  assert.equal(dead?.headers["ce-knativeerrorcode"], "400");
  assert.equal(dead?.headers["ce-knativeerrordata"], Buffer.from("bad").toString("base64"));
  assert.equal(receiver.at("/refuses").length, 1);
});

test("a Trigger of no Broker, and one of a subscriber that is not there, say so in Knative's words", needsKn, async () => {
  const make = (name: string, spec: object): Promise<string> =>
    platform.apply({ apiVersion: "eventing.knative.dev/v1", kind: "Trigger", metadata: { name, namespace: "default" }, spec });
  await make("orphan", { broker: "nobody", subscriber: { uri: receiver.url } });
  await make("lost", { broker: "default", subscriber: { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "nowhere" } } });
  const said = (name: string, type: string): Promise<string> =>
    eventually(`${name} says ${type}`, async () => {
      const text = await platform.kubectl("get", "trigger", name, "-o", `jsonpath={.status.conditions[?(@.type=="${type}")]['status','reason','message']}`);
      return text.startsWith("False") && text;
    });
  assert.equal(await said("orphan", "BrokerReady"), 'False BrokerDoesNotExist Broker "nobody" does not exist');
  assert.match(
    await said("lost", "SubscriberResolved"),
    /^False Unable to get the Subscriber's URI failed to get object default\/nowhere: services\.serving\.knative\.dev "nowhere" not found$/,
  );
});

test("kill -9 of the platform in the middle loses nothing that was answered with 202", needsKn, async () => {
  await kn("trigger", "create", "counts", "--broker", "default", "--filter", "type=counted", "--sink", `${receiver.url}/counted`);
  await ready("trigger", "counts");
  const taken: string[] = [];
  const before = platform.state.pid;
  for (let at = 0; at < 300; at++) {
    if (at === 150) process.kill(before, "SIGKILL");
    const id = `k${at}`;
    // A producer that is not answered sends again.
    await eventually(`${id} is taken`, async () => (await emit(id, "counted")) === 202);
    taken.push(id);
  }
  const missing = (): string[] => taken.filter((id) => !receiver.at("/counted").some(({ headers }) => headers["ce-id"] === id));
  await eventually("all that was taken is delivered", async () => missing().length === 0);
  assert.deepEqual(missing(), []);
  await ready("trigger", "counts");
});
