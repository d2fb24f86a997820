// Knative Eventing's specification on the real platform: each MUST and SHOULD of its control plane (C) and its data plane (D) by its
// number, and the limits that events run into. What a file of its own judges: durable before the answer under kill -9 (C12, C16, D5) in
// test/events, the answers of a full or blocked disk (D3, D7) in src/events/ingress, texts of admission (C1) in test/golden.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EventReceiver, post, type Receipt } from "../e2e/event-receiver.ts";
import { eventually, findProgram, Platform } from "../e2e/platform.ts";

const needsKubectl = { skip: findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false };
const HOST = "broker-ingress.knative-eventing.svc.cluster.local";
let platform: Platform;
let receiver: EventReceiver;

const event = (over: Readonly<Record<string, string>>): Record<string, string> => {
  const attributes = { specversion: "1.0", source: "/spec", ...over };
  return { host: HOST, ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name.includes("-") ? name : `ce-${name}`, value])) };
};

/** What the paths answer; all others 200. */
function answerTo({ path, headers }: Receipt): ReturnType<Parameters<typeof EventReceiver.start>[0]> {
  const [, kind, what = ""] = path.split("/");
  const id = String(headers["ce-id"]);
  if (kind === "status") return { status: Number(what) };
  if (kind === "flaky") return { status: receiver.at(path).length < 2 ? 503 : 200 };
  if (kind === "never") return { status: 0 };
  if (kind === "replies") return { status: Number(what), headers: event({ id: `${id}-reply`, type: `${String(headers["ce-type"])}.reply` }) };
  if (kind === "loops") return { status: 200, headers: event({ id, type: String(headers["ce-type"]) }) };
  return { status: 200 };
}

before(async () => {
  if (needsKubectl.skip !== false) return;
  platform = await Platform.start();
  receiver = await EventReceiver.start(answerTo);
  await apply("Broker", "main", {});
  await ready("broker", "main");
});
after(async () => {
  await platform?.stop();
  await receiver?.stop();
  collector?.close();
});

const apply = (kind: string, name: string, spec: object, annotations: Readonly<Record<string, string>> = {}): Promise<string> =>
  platform.apply({ apiVersion: "eventing.knative.dev/v1", kind, metadata: { name, namespace: "default", annotations }, spec });
const ready = (kind: string, name: string): Promise<string> => platform.kubectl("wait", kind, name, "--for=condition=Ready", "--timeout=60s");
const get = async (kind: string, name: string, path: string): Promise<string> => platform.kubectl("get", kind, name, "-o", `jsonpath={${path}}`);
const at = (path: string): string => `${receiver.url}${path}`;
const send = (headers: Readonly<Record<string, string>>, body = "", broker = "main"): Promise<number> =>
  post(`${platform.state.internal}/default/${broker}`, { headers: event(headers), body });

/** A Trigger for events of a type, on the Broker `main` unless told otherwise. */
async function trigger(name: string, path: string, spec: object = {}): Promise<void> {
  await apply("Trigger", name, { broker: "main", filter: { attributes: { type: name } }, subscriber: { uri: at(path) }, ...spec });
  await ready("trigger", name);
}

const arrived = (path: string, count = 1): Promise<readonly Receipt[]> =>
  eventually(`${count} events at ${path}`, async () => receiver.at(path).length >= count && receiver.at(path));
const idsAt = (path: string): string[] => receiver.at(path).map(({ headers }) => String(headers["ce-id"]));
const refused = (made: Promise<string>, says: RegExp): Promise<void> => assert.rejects(made, says);

test("C1: a bad object is refused, labels and annotations of anybody are not", needsKubectl, async () => {
  await refused(apply("Trigger", "bad", { broker: "main" }), /expected at least one, got none: spec\.subscriber\.ref, spec\.subscriber\.uri|missing field/);
  await apply("Broker", "main", {}, { "example.com/mine": "yes" });
});

test("C2, D1: a Ready Broker has an address, takes binary and structured events and forwards them to each Trigger as they came", needsKubectl, async () => {
  assert.match(await get("broker", "main", ".status.address.url"), /^http:\/\/broker-ingress\..*\/default\/main$/);
  await trigger("c2", "/c2");
  await trigger("c2-b", "/c2-b", { filter: { attributes: { type: "c2" } } });
  assert.equal(await send({ id: "1", type: "c2", "content-type": "text/plain" }, "hi"), 202);
  const structured = JSON.stringify({ specversion: "1.0", id: "2", source: "/spec", type: "c2", data: { a: 1 } });
  const headers = { host: HOST, "content-type": "application/cloudevents+json" };
  assert.equal(await post(`${platform.state.internal}/default/main`, { headers, body: structured }), 202);
  for (const path of ["/c2", "/c2-b"]) {
    const got = await arrived(path, 2);
    const binary = got.find(({ headers: each }) => each["ce-id"] === "1");
    assert.equal(binary?.body, "hi");
    const text = got.find(({ headers: each }) => String(each["content-type"]).startsWith("application/cloudevents+json"))?.body ?? "{}";
    assert.deepEqual((JSON.parse(text) as { data: unknown }).data, { a: 1 });
  }
});

test(
  "C3, C7: dead letter sinks of Broker and Trigger are resolved into their status; the Broker of a Trigger is immutable, its filter is not",
  needsKubectl,
  async () => {
    await apply("Broker", "c3", { delivery: { deadLetterSink: { uri: at("/c3-dead") } } });
    await ready("broker", "c3");
    assert.equal(await get("broker", "c3", ".status.deadLetterSinkUri"), at("/c3-dead"));
    await trigger("c7", "/c7", { delivery: { deadLetterSink: { uri: at("/c7-dead") } } });
    assert.equal(await get("trigger", "c7", ".status.deadLetterSinkUri"), at("/c7-dead"));
    await refused(apply("Trigger", "c7", { broker: "c3", subscriber: { uri: at("/c7") } }), /Immutable fields changed/);
    await trigger("c7", "/c7", { filter: { attributes: { type: "c7-new" } } });
  },
);

test("C4: the class chooses who makes a Broker, and neither it nor the config can be changed", needsKubectl, async () => {
  await refused(apply("Broker", "main", {}, { "eventing.knative.dev/broker.class": "Other" }), /Immutable fields changed|immutable/i);
  const config = { apiVersion: "v1", kind: "ConfigMap", name: "other", namespace: "default" };
  await refused(apply("Broker", "main", { config }), /Immutable fields changed|immutable/i);
});

test("C5: a Trigger may come before its Broker, says which one is missing, and is Ready once it is there", needsKubectl, async () => {
  await apply("Trigger", "c5", { broker: "c5", subscriber: { uri: at("/c5") } });
  const said = await eventually("it says so", async () => {
    const text = await get("trigger", "c5", `.status.conditions[?(@.type=="Ready")]['status','message']`);
    return text.startsWith("False") && text;
  });
  assert.match(said, /"c5" does not exist/);
  await apply("Broker", "c5", {});
  await ready("trigger", "c5");
});

test(
  "C6, C11: destinations are resolved by URI, by reference, and by a URI relative to one; what cannot be resolved is not Ready and has no address",
  needsKubectl,
  async () => {
    const ref = { apiVersion: "v1", kind: "Service", name: "kubernetes" };
    await apply("Trigger", "c11", { broker: "main", filter: { attributes: { type: "c11" } }, subscriber: { ref, uri: "/in?a=1" } });
    await eventually(
      "it is resolved",
      async () => (await get("trigger", "c11", ".status.subscriberUri")) === "http://kubernetes.default.svc.cluster.local/in?a=1",
    );
    await apply("Trigger", "c11", { broker: "main", filter: { attributes: { type: "c11" } }, subscriber: { ref: { ...ref, name: "nobody" } } });
    const said = await eventually("it is not Ready", async () => {
      const text = await get("trigger", "c11", `.status.conditions[?(@.type=="SubscriberResolved")]['status','reason','message']`);
      return text.startsWith("False") && text;
    });
    assert.match(said, /Unable to get the Subscriber's URI .*nobody/);
    assert.equal(await get("trigger", "c11", ".status.subscriberUri"), "");
  },
);

test("C8, C18: a Trigger that is Ready in its newest form delivers in that form; one that was deleted delivers nothing more", needsKubectl, async () => {
  await trigger("c8", "/c8-old");
  await trigger("c8", "/c8-new");
  await eventually(
    "the new form is observed",
    async () => (await get("trigger", "c8", ".metadata.generation")) === (await get("trigger", "c8", ".status.observedGeneration")),
  );
  await ready("trigger", "c8");
  await send({ id: "1", type: "c8" });
  await arrived("/c8-new");
  assert.deepEqual(idsAt("/c8-old"), []);
  await platform.kubectl("delete", "trigger", "c8");
  await trigger("c8-after", "/c8-after", { filter: { attributes: { type: "c8" } } });
  await send({ id: "2", type: "c8" });
  await arrived("/c8-after");
  assert.deepEqual(idsAt("/c8-new"), ["1"]);
});

const messaging = (kind: string, name: string, spec: object): Promise<string> =>
  platform.apply({ apiVersion: "messaging.knative.dev/v1", kind, metadata: { name, namespace: "default" }, spec });
const ofChannel = (name: string): object => ({ channel: { apiVersion: "messaging.knative.dev/v1", kind: "Channel", name } });
/** To a Channel, by its name. */
const sendInto = (channel: string, headers: Readonly<Record<string, string>>): Promise<number> =>
  post(`${platform.state.internal}/`, { headers: { ...event(headers), host: `${channel}-kn-channel.default.svc.cluster.local` }, body: "" });

test("C9: a Ready Channel has an address and forwards what it takes to each of its Subscriptions, of which one may come before it", needsKubectl, async () => {
  await messaging("Subscription", "c9-a", { ...ofChannel("c9"), subscriber: { uri: at("/c9-a") } });
  await messaging("Channel", "c9", {});
  await messaging("Subscription", "c9-b", { ...ofChannel("c9"), subscriber: { uri: at("/c9-b") } });
  await ready("channels.messaging.knative.dev", "c9");
  for (const name of ["c9-a", "c9-b"]) await ready("subscription", name);
  assert.equal(await get("channels.messaging.knative.dev", "c9", ".status.address.url"), "http://c9-kn-channel.default.svc.cluster.local");
  assert.equal(await sendInto("c9", { id: "1", type: "c9", ext: "x" }), 202);
  for (const path of ["/c9-a", "/c9-b"]) assert.equal((await arrived(path))[0]?.headers["ce-ext"], "x");
});

test("C10: a Subscription's addresses are in its status and may change, its channel may not; replies go to its reply", needsKubectl, async () => {
  await messaging("Channel", "c10", {});
  await messaging("Subscription", "c10", { ...ofChannel("c10"), subscriber: { uri: at("/c10-old") } });
  await ready("subscription", "c10");
  const spec = { ...ofChannel("c10"), subscriber: { uri: at("/replies/200/c10") }, reply: { uri: at("/c10-reply") } };
  await messaging("Subscription", "c10", spec);
  const written = ".status.physicalSubscription['subscriberUri','replyUri']";
  await eventually("both are written", async () => (await get("subscription", "c10", written)) === `${at("/replies/200/c10")} ${at("/c10-reply")}`);
  await ready("subscription", "c10");
  assert.equal(await sendInto("c10", { id: "1", type: "c10" }), 202);
  assert.equal((await arrived("/c10-reply"))[0]?.headers["ce-id"], "1-reply");
  assert.deepEqual(idsAt("/c10-old"), []);
  await refused(messaging("Subscription", "c10", { ...spec, ...ofChannel("c9") }), /[Ii]mmutable/);
});

test("C12, D3: what was answered with 202 is in the log on the disk; what does not exist or is no event is refused", needsKubectl, async () => {
  assert.equal(await send({ id: "durable-c12", type: "c12" }), 202);
  const folder = join(platform.data, "events");
  assert.ok(readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes("durable-c12")));
  assert.equal(await send({ id: "1", type: "c12" }, "", "nobody"), 404);
  assert.equal(await send({ type: "c12" }), 400);
});

test(
  "C13, C14, D5: one delivery for each Trigger that matches, also to the same place; attributes stay; an id that comes twice is two events",
  needsKubectl,
  async () => {
    await trigger("c14", "/c14");
    await trigger("c14-b", "/c14", { filter: { attributes: { type: "c14" } } });
    const sent = { id: "1", type: "c14", subject: "ä %", time: "2026-01-02T03:04:05.678Z", ext: "x" };
    await send({ ...sent, subject: encodeURIComponent("ä %") });
    await send({ ...sent, subject: encodeURIComponent("ä %") });
    for (const { headers } of await arrived("/c14", 4)) {
      const attributes = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("ce-")));
      const { "ce-knativearrivaltime": arrival, "ce-subject": subject, ...rest } = attributes;
      assert.ok(arrival !== undefined);
      assert.equal(decodeURIComponent(String(subject)), "ä %");
      assert.deepEqual(rest, { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/spec", "ce-type": "c14", "ce-time": sent.time, "ce-ext": "x" });
    }
    assert.equal(receiver.at("/c14").length, 4);
  },
);

test(
  "C15, D9: a reply in a 200 re-enters as a new event, subscribers are told that replies are wanted; D4: the body of a 202 is no reply",
  needsKubectl,
  async () => {
    await trigger("c15", "/replies/200");
    await trigger("c15-late", "/replies/202");
    await trigger("c15-reply", "/c15", { filter: { attributes: { type: "c15.reply" } } });
    await trigger("c15-none", "/c15-none", { filter: { attributes: { type: "c15-late.reply" } } });
    await send({ id: "0", type: "c15-late" });
    await arrived("/replies/202");
    await send({ id: "1", type: "c15" });
    await arrived("/c15");
    assert.equal(receiver.at("/replies/200")[0]?.headers["prefer"], "reply");
    assert.deepEqual([idsAt("/c15"), idsAt("/c15-none")], [["1-reply"], []]);
  },
);

test("C16, D7: retries up to `retry`, then the dead letter sink, which is tried as often", needsKubectl, async () => {
  const delivery = { retry: 2, backoffPolicy: "linear", backoffDelay: "PT0.01S", deadLetterSink: { uri: at("/flaky/c16") } };
  await trigger("c16", "/status/503", { delivery });
  await send({ id: "1", type: "c16" });
  await arrived("/flaky/c16", 2);
  assert.deepEqual([idsAt("/status/503").length, receiver.at("/flaky/c16")[1]?.headers["ce-knativeerrorcode"]], [3, "503"]);
});

test(
  "C17: any delivery option of a Trigger puts the Broker's retry, backoffPolicy, backoffDelay, timeout, retryAfterMax and format aside; what falls back to the Broker is deadLetterSink alone (decision 48)",
  needsKubectl,
  async () => {
    await apply("Broker", "c17", { delivery: { retry: 5, backoffDelay: "PT0.01S", deadLetterSink: { uri: at("/c17-dead") } } });
    await ready("broker", "c17");
    await trigger("c17", "/status/500", { broker: "c17", delivery: { timeout: "PT5S" } });
    await send({ id: "1", type: "c17" }, "", "c17");
    await arrived("/c17-dead");
    assert.equal(receiver.at("/status/500").length, 1);
  },
);

test("C19: filter attributes: the attribute is there, its value is the same to the letter, and an empty one is any", needsKubectl, async () => {
  await trigger("c19", "/c19", { filter: { attributes: { type: "c19", color: "Red", size: "" } } });
  const rows = {
    "1": { color: "Red", size: "L" },
    "2": { color: "red", size: "L" },
    "3": { color: "Red" },
    "4": { size: "L" },
    "5": { color: "Red", size: "S" },
  };
  for (const [id, more] of Object.entries(rows)) await send({ id, type: "c19", ...more });
  await arrived("/c19", 2);
  assert.deepEqual(idsAt("/c19").sort(), ["1", "5"]);
});

function ask(method: string): Promise<{ readonly status: number; readonly allow: string }> {
  return new Promise((resolve, reject) => {
    const call = request(`${platform.state.internal}/default/main`, { method, headers: { host: HOST } }, (response) => {
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode ?? 0, allow: String(response.headers["allow"]) }));
    });
    call.on("error", reject);
    call.end();
  });
}

test("D2: events come by POST, OPTIONS says so, other methods are refused", needsKubectl, async () => {
  const options = await ask("OPTIONS");
  assert.deepEqual([options.status, options.allow.includes("POST")], [200, true]);
  for (const method of ["GET", "PUT", "DELETE"]) assert.equal((await ask(method)).status, 405, method);
});

/** By status: how often a delivery with one retry is tried. */
const D4: readonly (readonly [status: number, attempts: number])[] = [
  [200, 1],
  [202, 1],
  [204, 1],
  [299, 1],
  [301, 1],
  [400, 1],
  [401, 1],
  [403, 1],
  [404, 2],
  [408, 2],
  [409, 2],
  [410, 1],
  [418, 1],
  [429, 2],
  [500, 2],
  [502, 2],
];
test("D4: which answers are final, which are tried again, and which are an acceptance", needsKubectl, async () => {
  const delivery = { retry: 1, backoffPolicy: "linear", backoffDelay: "PT0.01S", deadLetterSink: { uri: at("/d4-dead") } };
  await Promise.all(D4.map(([status]) => trigger(`d4-${status}`, `/status/${status}/d4`, { delivery })));
  for (const [status] of D4) assert.equal(await send({ id: String(status), type: `d4-${status}` }), 202);
  const failing = D4.map(([status]) => status).filter((status) => status >= 300);
  await arrived("/d4-dead", failing.length);
  for (const [status] of D4) await arrived(`/status/${status}/d4`);
  assert.deepEqual(
    D4.map(([status]) => [status, receiver.at(`/status/${status}/d4`).length]),
    D4,
  );
  assert.deepEqual(
    idsAt("/d4-dead")
      .map(Number)
      .sort((a, b) => a - b),
    failing,
  );
});

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";
const traceparent = `00-${TRACE_ID}-${PARENT_ID}-01`;
const sendTraced = (): Promise<number> =>
  post(`${platform.state.internal}/default/main`, { headers: { ...event({ id: "1", type: "d6" }), traceparent }, body: "" });

test("D6: the trace of the request goes on to subscribers", needsKubectl, async () => {
  await trigger("d6", "/d6");
  await sendTraced();
  const [got] = await arrived("/d6");
  assert.equal(got?.headers["traceparent"], traceparent);
});

/** What was posted to it, in hexadecimal digits. */
const exported: string[] = [];
let collector: Server | undefined;
let tracedSpan = "";

test("D8: an event that is traced goes on with the span of its delivery, and keeps the trace that it came with", needsKubectl, async () => {
  collector = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      exported.push(Buffer.concat(chunks).toString("hex"));
      response.end();
    });
  });
  await once(collector.listen(0, "127.0.0.1"), "listening");
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  // Of all events of this file, those whose producer traces.
  const data = { "tracing-protocol": "http/protobuf", "tracing-endpoint": endpoint, "tracing-sampling-rate": "0.000001" };
  await platform.kubectl("patch", "configmap", "config-observability", "-n", "knative-eventing", "--type=merge", "-p", JSON.stringify({ data }));
  const got = await eventually("the settings are in force", async () => {
    await sendTraced();
    return receiver.at("/d6").find(({ headers }) => headers["traceparent"] !== traceparent);
  });
  assert.equal(got.headers["ce-traceparent"], traceparent);
  const [, of, span = ""] = String(got.headers["traceparent"]).split("-");
  assert.equal(of, TRACE_ID);
  tracedSpan = span;
});

/** Samples of Prometheus' text that have all of these labels, added up; undefined when there is none. */
function sampled(text: string, name: string, labels: Readonly<Record<string, string>>): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const found = text.split("\n").filter((line) => line.startsWith(`${name}{`) && wanted.every((one) => line.includes(one)));
  return found.length === 0 ? undefined : found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

test(
  "D8: what Broker, Triggers and Subscriptions do is measured by Knative's names, what was not delivered and who is behind by ours",
  needsKubectl,
  async () => {
    const delivery = { retry: 1, backoffPolicy: "linear", backoffDelay: "PT0.01S", deadLetterSink: { uri: at("/status/410/d8-dead") } };
    await trigger("d8", "/d8");
    await trigger("d8-lost", "/status/400/d8");
    await trigger("d8-parked", "/status/503/d8", { delivery });
    await messaging("Channel", "d8", {});
    await messaging("Subscription", "d8", { ...ofChannel("d8"), subscriber: { uri: at("/d8-channel") } });
    await ready("subscription", "d8");
    for (const type of ["d8", "d8", "d8-lost", "d8-parked"]) assert.equal(await send({ id: "1", type }), 202);
    assert.equal(await sendInto("d8", { id: "1", type: "d8" }), 202);
    const dispatch = "kn_eventing_dispatch_duration_seconds_count";
    const messages = { messaging_operation_name: "send", messaging_system: "knative" };
    const to = (destination: string, code: number, type: string): Readonly<Record<string, string>> => ({
      ...messages,
      messaging_destination_name: destination,
      http_response_status_code: String(code),
      cloudevents_type: type,
    });
    const broker = { kn_broker_name: "main", kn_broker_namespace: "default" };
    const own = (kind: string, name: string): Readonly<Record<string, string>> => ({ kind, namespace: "default", name });
    const parked = { ...own("Trigger", "d8-parked"), state: "parked" };
    const text = await eventually("all is done, and told", async () => {
      const now = await platform.kubectl("get", "--raw", "/metrics");
      const isDone = (name: string, next: string): boolean => (sampled(now, "eider_events_attempts_total", { ...own("Trigger", name), next }) ?? 0) > 0;
      const channelDone = sampled(now, dispatch, to("subscription:d8.default", 200, "d8")) === 1;
      return (
        isDone("d8-lost", "gaveUp") && isDone("d8-parked", "park") && sampled(now, dispatch, to("trigger:d8.default", 200, "d8")) === 2 && channelDone && now
      );
    });
    assert.equal(sampled(text, dispatch, { ...to("broker:main.default", 202, "d8"), ...broker }), 2);
    assert.equal(sampled(text, "kn_eventing_process_duration_seconds_count", { messaging_destination_name: "trigger:d8.default", ...broker }), 2);
    assert.equal(sampled(text, dispatch, { ...to("trigger:d8-lost.default", 400, "d8-lost"), ...broker }), 1);
    assert.equal(sampled(text, dispatch, { ...to("trigger:d8-parked.default", 503, "d8-parked"), ...broker }), 2);
    assert.equal(sampled(text, dispatch, { ...to("trigger:d8-parked.default", 410, "d8-parked"), eider_leg: "deadLetter" }), 1);
    assert.equal(sampled(text, dispatch, { ...to("subscription:d8.default", 200, "d8"), kn_channel_name: "d8", kn_channel_namespace: "default" }), 1);
    assert.equal(sampled(text, "eider_events_taken_total", own("Channel", "d8")), 1);
    assert.equal(sampled(text, "eider_events_open", parked), 1);
    assert.equal(sampled(text, "eider_events_oldest_unfinished_seconds", own("Trigger", "d8-parked")), 0);
    assert.ok((sampled(text, "eider_events_behind_bytes", own("Trigger", "d8")) ?? -1) >= 0);
    assert.match(text, /^eider_events_log_bytes [1-9]/m);
  },
);

test("D5: only where a Broker asks for it, an id that comes again from the same source is the same event", needsKubectl, async () => {
  await apply("Broker", "d5", {}, { "eider.dev/deduplicate": "PT1H" });
  await ready("broker", "d5");
  await trigger("d5", "/d5", { broker: "d5" });
  for (const id of ["1", "1", "2", "1", "3"]) assert.equal(await send({ id, type: "d5" }, "", "d5"), 202);
  await arrived("/d5", 3);
  const text = await platform.kubectl("get", "--raw", "/metrics");
  assert.equal(sampled(text, "eider_events_duplicates_total", { kind: "Broker", namespace: "default", name: "d5" }), 2);
  assert.equal(sampled(text, "eider_events_taken_total", { kind: "Broker", namespace: "default", name: "d5" }), 3);
  assert.deepEqual(idsAt("/d5").sort(), ["1", "2", "3"]);
});

test("limits: a subscriber that answers with what it gets is asked as often as an event has hops, and no more", needsKubectl, async () => {
  await trigger("loop", "/loops", { delivery: { deadLetterSink: { uri: at("/loops-dead") } } });
  await send({ id: "1", type: "loop" });
  const [dead] = await arrived("/loops-dead");
  assert.equal(dead?.headers["ce-knativeerrorcode"], "400");
  assert.equal(receiver.at("/loops").length, 255);
});

test("limits: an event of 10 MB arrives whole, one above the limit is answered with 413", needsKubectl, async () => {
  await trigger("big", "/big");
  const body = "0123456789".repeat(1 << 20);
  assert.equal(await send({ id: "1", type: "big", "content-type": "text/plain" }, body), 202);
  const [got] = await arrived("/big");
  assert.ok(got?.body === body);
  const headers = { ...event({ id: "2", type: "big" }), "content-length": String((32 << 20) + 1), expect: "100-continue" };
  assert.equal(await post(`${platform.state.internal}/default/main`, { headers, body: "" }), 413);
});

test("limits: a subscriber that never answers holds up nobody, and ends by its time-out", needsKubectl, async () => {
  await trigger("mute", "/never", { delivery: { timeout: "PT1S", deadLetterSink: { uri: at("/never-dead") } } });
  await trigger("mute-other", "/beside", { filter: { attributes: { type: "mute" } } });
  for (let id = 0; id < 200; id++) await send({ id: String(id), type: "mute" });
  await arrived("/beside", 200);
  const dead = await arrived("/never-dead", 200);
  assert.equal(new Set(dead.map(({ headers }) => headers["ce-id"])).size, 200);
});

/** A span as OTLP has it, up to its name: its trace, its own id, its parent's. */
function spanIn(all: string, { name, id = "([0-9a-f]{16})", parent }: { readonly name: string; readonly id?: string; readonly parent: string }): string[] {
  const text = `2a${name.length.toString(16).padStart(2, "0")}${Buffer.from(name).toString("hex")}`;
  return new RegExp(`0a10${TRACE_ID}1208${id}2208${parent}${text}`).exec(all)?.slice(1) ?? [];
}

// Last, since spans are exported every five seconds.
test("D8: the collector that config-observability names gets the Broker's span and the Trigger's below it", needsKubectl, async () => {
  const found = await eventually("both spans", async () => {
    const all = exported.join(" ");
    const [broker] = spanIn(all, { name: "trigger:d6.default", id: tracedSpan, parent: "([0-9a-f]{16})" });
    return broker !== undefined && { all, broker };
  });
  assert.notEqual(tracedSpan, "");
  assert.match(found.all, new RegExp(`0a10${TRACE_ID}1208${found.broker}2208${PARENT_ID}`));
  assert.deepEqual(spanIn(found.all, { name: "broker:main.default", id: `(${found.broker})`, parent: PARENT_ID }), [found.broker]);
});
