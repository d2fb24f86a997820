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
