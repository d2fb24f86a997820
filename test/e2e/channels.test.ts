// Channels, Subscriptions and flows with the real kn: every Subscription gets every event, replies go on, what fails becomes a dead letter,
// and a kill -9 of the platform loses nothing that was answered with 202.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EventReceiver, post, type Receipt } from "./event-receiver.ts";
import { eventually, findProgram, Platform } from "./platform.ts";

const needsKn = { skip: findProgram("kn", "KN") === undefined ? "kn is not there: set KN to its path" : false };
let platform: Platform;
let receiver: EventReceiver;

before(async () => {
  if (needsKn.skip !== false) return;
  platform = await Platform.start({ args: ["--orphan-grace", "120s"] });
  receiver = await EventReceiver.start(answer);
});
after(async () => {
  await platform?.stop();
  await receiver?.stop();
});

/** `/append/X` answers with the event and X behind its data; `/only/TYPE` with the event when it is of that type; `/refuses` refuses. */
function answer({ path, headers, body }: Receipt): { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> } {
  const [, does, what = ""] = path.split("/");
  const event = Object.fromEntries(["specversion", "id", "source", "type"].map((name) => [`ce-${name}`, String(headers[`ce-${name}`])]));
  const reply = { ...event, "content-type": "text/plain" };
  if (does === "append") return { status: 200, headers: reply, body: body + what };
  if (does === "only") return headers["ce-type"] === what ? { status: 200, headers: reply, body } : { status: 200 };
  return does === "refuses" ? { status: 400, body: "bad" } : { status: 200 };
}

const kn = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await platform.kn(...args);
  assert.equal(code, 0, stderr);
  return stdout;
};

const hostOf = (channel: string): string => `${channel}-kn-channel.default.svc.cluster.local`;

/** Sends through the gateway's listener for names inside. */
const emit = (host: string, id: string, { type = "t", data = "" }: { readonly type?: string; readonly data?: string } = {}): Promise<number> =>
  post(`${platform.state.internal}/`, {
    headers: { host, "ce-specversion": "1.0", "ce-id": id, "ce-source": "/test", "ce-type": type, "content-type": "text/plain" },
    body: data,
  });

const ready = (kind: string, name: string): Promise<string> => platform.kubectl("wait", kind, name, "--for=condition=Ready", "--timeout=60s");

const at = (path: string, count = 1): Promise<readonly Receipt[]> =>
  eventually(`${count} at ${path}`, async () => receiver.at(path).length >= count && receiver.at(path));

const conditions = (kind: string, name: string): Promise<string> =>
  platform.kubectl("get", kind, name, "-o", 'jsonpath={range .status.conditions[*]}{.type}={.status}{"\\n"}{end}');

test("kn makes a Channel: an InMemoryChannel is behind it, and both have Knative's conditions and address", needsKn, async () => {
  await kn("channel", "create", "c");
  await ready("channels.messaging.knative.dev", "c");
  const url = `http://${hostOf("c")}`;
  assert.match(await kn("channel", "describe", "c"), new RegExp(`URL: +${url.replaceAll(".", "\\.")}`));
  assert.equal(await platform.kubectl("get", "inmemorychannel", "c", "-o", "jsonpath={.status.address.name} {.status.address.url}"), `http ${url}`);
  assert.deepEqual((await conditions("channels.messaging.knative.dev", "c")).trim().split("\n"), [
    "Addressable=True",
    "BackingChannelReady=True",
    "DeadLetterSinkResolved=True",
    "EventPoliciesReady=True",
    "Ready=True",
  ]);
  assert.equal(
    await platform.kubectl("get", "service", "c-kn-channel", "-o", "jsonpath={.spec.type} {.spec.externalName}"),
    "ExternalName imc-dispatcher.knative-eventing.svc.cluster.local",
  );
});

test("two Subscriptions of one Channel each get the event once; an answer goes to the reply, and nowhere without one", needsKn, async () => {
  await kn("channel", "create", "answers");
  await ready("channels.messaging.knative.dev", "answers");
  await kn("subscription", "create", "appends", "--channel", "c", "--sink", `${receiver.url}/append/1`, "--sink-reply", "channel:answers");
  await kn("subscription", "create", "silent", "--channel", "c", "--sink", `${receiver.url}/append/2`);
  await kn("subscription", "create", "hears", "--channel", "imc:answers", "--sink", `${receiver.url}/heard`);
  for (const name of ["appends", "silent", "hears"]) await ready("subscription", name);
  assert.equal(await emit(hostOf("c"), "1", { data: "x" }), 202);
  const [heard] = await at("/heard");
  await at("/append/2");
  assert.deepEqual([heard?.headers["ce-id"], heard?.body], ["1", "x1"]);
  assert.deepEqual([receiver.at("/append/1").length, receiver.at("/append/2").length, receiver.at("/heard").length], [1, 1, 1]);
  const { uid } = JSON.parse(await platform.kubectl("get", "subscription", "appends", "-o", "jsonpath={.metadata}")) as { readonly uid: string };
  const written = await platform.kubectl("get", "imc", "c", "-o", `jsonpath={.spec.subscribers[?(@.uid=="${uid}")]['name','subscriberUri','replyUri']}`);
  assert.equal(written, `appends ${receiver.url}/append/1 http://${hostOf("answers")}`);
});

test("answers of a channel's ingress", needsKn, async () => {
  const ask = (host: string, path: string): Promise<number> =>
    post(`${platform.state.internal}${path}`, {
      headers: { host, "ce-specversion": "1.0", "ce-id": "a", "ce-source": "/test", "ce-type": "t" },
      body: "",
    });
  assert.equal(await ask(hostOf("answers"), "/some/thing/else"), 400);
  assert.equal(await ask(hostOf("nobody"), "/"), 404);
  assert.equal(await ask("imc-dispatcher.knative-eventing.svc.cluster.local", "/default/nobody"), 404);
  assert.equal(await ask("imc-dispatcher.knative-eventing.svc.cluster.local", "/default/answers"), 202);
  await at("/heard", 2);
});

const apply = (kind: string, name: string, spec: object): Promise<string> =>
  platform.apply({
    apiVersion: kind === "Subscription" ? "messaging.knative.dev/v1" : "flows.knative.dev/v1",
    kind,
    metadata: { name, namespace: "default" },
    spec,
  });
const calls = (path: string): object => ({ uri: `${receiver.url}${path}` });
const channelTemplate = { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel" };

test("what a subscriber of a channel refuses lands at the dead letter sink, and says why", needsKn, async () => {
  await apply("Subscription", "refuses", {
    channel: { ...channelTemplate, name: "answers" },
    subscriber: calls("/refuses"),
    delivery: { deadLetterSink: calls("/dead") },
  });
  await ready("subscription", "refuses");
  assert.equal(await emit(hostOf("answers"), "bad1"), 202);
  const [dead] = await at("/dead");
  assert.deepEqual(
    ["ce-id", "ce-knativeerrordest", "ce-knativeerrorcode", "ce-knativeerrordata"].map((name) => dead?.headers[name]),
    ["bad1", `${receiver.url}/refuses`, "400", Buffer.from("bad").toString("base64")],
  );
});

test("a Sequence of three steps that each change the event; a removed step goes", needsKn, async () => {
  const steps = ["/append/a", "/append/b", "/append/c"].map(calls);
  await apply("Sequence", "seq", { channelTemplate, steps, reply: calls("/end") });
  await ready("sequence", "seq");
  assert.equal(await emit(hostOf("seq-kn-sequence-0"), "s1", { data: "x" }), 202);
  const [end] = await at("/end");
  assert.deepEqual([end?.headers["ce-id"], end?.body], ["s1", "xabc"]);
  await apply("Sequence", "seq", { channelTemplate, steps: steps.slice(0, 2), reply: calls("/end") });
  await eventually("the third step is gone", async () => {
    const left = await platform.kubectl("get", "imc,subscriptions.messaging.knative.dev", "-o", "name");
    return !left.includes("seq-kn-sequence-2");
  });
  const reply = ["get", "subscription", "seq-kn-sequence-1", "-o", "jsonpath={.status.physicalSubscription.replyUri}"];
  await eventually("the second step is the last one", async () => (await platform.kubectl(...reply)) === `${receiver.url}/end`);
  await ready("sequence", "seq");
  assert.equal(await emit(hostOf("seq-kn-sequence-0"), "s2", { data: "x" }), 202);
  assert.deepEqual((await at("/end", 2))[1]?.body, "xab");
});

test("a Parallel: filters let through what they answer, a branch without one gets everything", needsKn, async () => {
  const branches = [
    { filter: calls("/only/red"), subscriber: calls("/append/r") },
    { filter: calls("/only/blue"), subscriber: calls("/append/b"), reply: calls("/blue") },
    { subscriber: calls("/every") },
  ];
  await apply("Parallel", "par", { channelTemplate, branches, reply: calls("/others") });
  await ready("parallel", "par");
  for (const [id, type] of [
    ["p1", "red"],
    ["p2", "blue"],
    ["p3", "green"],
  ] as const)
    assert.equal(await emit(hostOf("par-kn-parallel"), id, { type, data: id }), 202);
  await at("/every", 3);
  const [[others], [blue]] = [await at("/others"), await at("/blue")];
  await eventually("filters have answered all", async () => receiver.at("/only/red").length + receiver.at("/only/blue").length === 6);
  assert.deepEqual([others?.body, blue?.body], ["p1r", "p2b"]);
  assert.deepEqual([receiver.at("/others").length, receiver.at("/blue").length, receiver.at("/every").length], [1, 1, 3]);
});

test("kill -9 of the platform in the middle of a Sequence, and a Subscription that changes, lose nothing that was answered with 202", needsKn, async () => {
  await kn("subscription", "create", "counts", "--channel", "c", "--sink", `${receiver.url}/counted`);
  await ready("subscription", "counts");
  const taken: string[] = [];
  const answers = new Set<number>();
  const killed = platform.state.pid;
  for (let count = 0; count < 100; count++) {
    if (count === 30) await kn("subscription", "update", "counts", "--sink", `${receiver.url}/counted/new`);
    if (count === 50) process.kill(killed, "SIGKILL");
    const id = `k${count}`;
    // A producer that is not answered sends again.
    for (const host of [hostOf("c"), hostOf("seq-kn-sequence-0")])
      await eventually(`${id} is taken`, async () => {
        const status = await emit(host, id, { data: id });
        answers.add(status);
        return status === 202;
      });
    taken.push(id);
  }
  const got = (...paths: readonly string[]): Set<string> => new Set(paths.flatMap((path) => receiver.at(path).map(({ headers }) => String(headers["ce-id"]))));
  const missing = (): string[] => taken.filter((id) => !got("/counted", "/counted/new").has(id) || !got("/end").has(id));
  await eventually("all that was taken is delivered", async () => missing().length === 0);
  assert.deepEqual(missing(), []);
  assert.ok(!answers.has(404), "nobody is told that a channel does not exist");
  assert.ok(receiver.at("/counted/new").length > 0);
  await ready("subscription", "counts");
});

test("a Subscription that is deleted takes its entry out of the channel; a Channel that is deleted takes all of its own along", needsKn, async () => {
  await kn("subscription", "delete", "silent");
  const entries = ["get", "imc", "c", "-o", "jsonpath={.spec.subscribers[*].name}"];
  await eventually("the entry is gone", async () => (await platform.kubectl(...entries)) === "appends counts");
  await kn("channel", "delete", "c");
  await eventually("all is gone", async () => (await platform.kubectl("get", "imc/c", "service/c-kn-channel", "--ignore-not-found", "-o", "name")) === "");
  await eventually("its name answers 404", async () => (await emit(hostOf("c"), "late")) === 404);
  await eventually("its Subscriptions say so", async () => {
    const said = await platform.kubectl("get", "subscription", "counts", "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].message}');
    return said === 'Failed to get Spec.Channel or backing channel: channels.messaging.knative.dev "c" not found';
  });
  await kn("subscription", "delete", "counts");
});
