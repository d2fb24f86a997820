// The event time machine: a path with replies, misses, retries and dead letters as `eider event` shows it, and events sent once more.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createInterface } from "node:readline";
import type { EventList, EventPath, EventStory, WatchLine } from "../../src/protocol/event-history.ts";
import { EventReceiver } from "./event-receiver.ts";
import { eventually, findProgram, Platform, root, type Ran } from "./platform.ts";

const needsKubectl = { skip: findProgram("kubectl") === undefined ? "kubectl is not there" : false };
let platform: Platform;
let receiver: EventReceiver;
let failing = true;

/** Answers an order with an invoice; the dead letter sink can be told to fail. */
function answer(path: string): { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> } {
  if (path === "/bill")
    return {
      status: 200,
      body: '{"total":7}',
      headers: { "ce-specversion": "1.0", "ce-id": "i1", "ce-source": "/bill", "ce-type": "invoice", "content-type": "application/json" },
    };
  if (path === "/refuses") return { status: 400 };
  if (path === "/dead") return { status: failing ? 503 : 200 };
  return { status: 200 };
}

async function eider(...args: readonly string[]): Promise<Ran> {
  const ran = await platform.eider(...args);
  assert.equal(ran.code, 0, ran.stderr);
  return ran;
}

const json = async <T>(...args: readonly string[]): Promise<T> => JSON.parse((await eider(...args, "-o", "json")).stdout) as T;

async function trigger(name: string, type: string, path: string, delivery?: object): Promise<void> {
  await platform.apply({
    apiVersion: "eventing.knative.dev/v1",
    kind: "Trigger",
    metadata: { name, namespace: "default" },
    spec: { broker: "default", filter: { attributes: { type } }, subscriber: { uri: receiver.url + path }, ...(delivery === undefined ? {} : { delivery }) },
  });
  await platform.kubectl("wait", "trigger", name, "--for=condition=Ready", "--timeout=60s");
}

const deliveryTo = (story: EventStory, name: string): EventStory["deliveries"][number] => {
  const found = story.deliveries.find(({ subscriber }) => subscriber.name === name);
  assert.ok(found, `${name} is a subscriber`);
  return found;
};

/** The path once each subscriber has come to an end. */
const settled = (id: string): Promise<EventPath> =>
  eventually(`the path of ${id} is settled`, async () => {
    const path = await json<EventPath>("event", "show", id);
    const open = (story: EventStory): boolean =>
      story.deliveries.some(({ standing, replies }) => ["ahead", "inFlight", "waiting", "unrecorded"].includes(standing) || replies.some(open));
    return open(path.root) ? undefined : path;
  });

before(async () => {
  if (needsKubectl.skip !== false) return;
  platform = await Platform.start();
  receiver = await EventReceiver.start(({ path }) => answer(path));
  await platform.apply({ apiVersion: "eventing.knative.dev/v1", kind: "Broker", metadata: { name: "default", namespace: "default" } });
  await platform.kubectl("wait", "broker", "default", "--for=condition=Ready", "--timeout=60s");
  await trigger("bill", "order", "/bill");
  await trigger("book", "invoice", "/book");
  const delivery = { retry: 1, backoffDelay: "PT0S", deadLetterSink: { uri: `${receiver.url}/dead` } };
  await trigger("refuses", "bad", "/refuses", delivery);
});
after(async () => {
  await platform?.stop();
  await receiver?.stop();
});

test("an event is sent, and its whole path is shown: misses, attempts, the reply and what became of it", needsKubectl, async () => {
  const sent = await eider("event", "send", "--type", "order", "--id", "o1", "--source", "/shop", "--field", "amount=3", "--field", "by.name=Ada");
  assert.match(sent.stdout, /^Event 'o1' was taken by http:.* \(202\)\.\n$/);
  const { root: story, asked } = await settled("o1");
  assert.equal(asked, story.offset);
  assert.deepEqual(story.data, { json: { amount: 3, by: { name: "Ada" } } });
  const bill = deliveryTo(story, "bill");
  assert.deepEqual([bill.standing, bill.attempts.map(({ status, next }) => [status, next])], ["delivered", [[200, "delivered"]]]);
  assert.deepEqual([deliveryTo(story, "book").standing, deliveryTo(story, "refuses").standing], ["missed", "missed"]);
  const [reply] = bill.replies;
  assert.ok(reply, "the answer is part of the path");
  assert.deepEqual([reply.attributes["id"], reply.attributes["type"], reply.origin], ["i1", "invoice", story.offset]);
  assert.equal(deliveryTo(reply, "book").standing, "delivered");
  // The reply is shown within the path that it belongs to.
  const ofReply = await settled("i1");
  assert.deepEqual([ofReply.asked, ofReply.root.offset], [reply.offset, story.offset]);
  const { stdout } = await eider("event", "show", `@${story.offset}`);
  assert.match(stdout, /^event order {2}id o1 {2}source \/shop {2}◀ asked for\n@\d+ {2}came in at /);
  assert.match(stdout, /bill → http:\S+\/bill {2}delivered\n.*attempt 1 {2}200 {2}[\d.]+ ms, answered with an event/);
  assert.match(stdout, /book {2}missed/);
});

test("what nobody takes is parked with all its attempts, and taken once somebody resumes it", needsKubectl, async () => {
  await eider("event", "send", "--type", "bad", "--id", "b1", "--broker", "default");
  const { root: story } = await settled("b1");
  const refuses = deliveryTo(story, "refuses");
  assert.equal(refuses.standing, "parked");
  assert.deepEqual(
    refuses.attempts.map(({ leg, attempt, status, next }) => [leg, attempt, status, next]),
    [
      ["subscriber", 1, 400, "deadLetter"],
      ["deadLetter", 1, 503, "retry"],
      ["deadLetter", 2, 503, "park"],
    ],
  );
  failing = false;
  const resumed = await eider("event", "resume", "trigger:refuses");
  assert.equal(resumed.stdout, `Tried again: @${story.offset}\n`);
  const after = await eventually("it is a dead letter", async () => {
    const { root: now } = await settled("b1");
    return deliveryTo(now, "refuses").standing === "deadLettered" && now;
  });
  assert.equal(receiver.at("/dead").length, 3);
  assert.equal(deliveryTo(after, "refuses").attempts.at(-1)?.status, 200);
});

test("events are found by attribute and time, a page at a time", needsKubectl, async () => {
  const before = new Date().toISOString();
  for (const id of ["p1", "p2", "p3"]) await eider("event", "send", "--type", "page", "--id", id, "--subject", "s");
  const ids = ({ items }: EventList): unknown[] => items.map(({ attributes }) => attributes["id"]);
  const first = await json<EventList>("event", "list", "--type", "page", "--limit", "2");
  assert.deepEqual(ids(first), ["p3", "p2"]);
  const rest = await json<EventList>("event", "list", "--type", "page", "--limit", "2", "--continue", first.continue ?? "");
  assert.deepEqual([ids(rest), rest.continue], [["p1"], undefined]);
  assert.deepEqual(ids(await json("event", "list", "--since", before, "--subject", "s", "--id", "p2")), ["p2"]);
  assert.deepEqual(ids(await json("event", "list", "--until", before, "--type", "page")), []);
  assert.match(
    (await eider("event", "list", "--broker", "default", "--id", "b1")).stdout,
    /^PLACE .*\n@\d+ +\S+ +broker:default +bad +\S+ +b1 +1 dead letter, 2 missed\n$/,
  );
  assert.equal((await eider("event", "list", "--broker", "other")).stdout, "No events found.\n");
  const refused = await platform.eider("event", "show", "nobody");
  assert.deepEqual([refused.code, /no event with id "nobody"/.test(refused.stderr)], [3, true]);
});

test("one event is replayed to a sink, a range to a subscriber whose filter chooses, and both are on record", needsKubectl, async () => {
  const one = await eider("event", "replay", "o1", "--to", `${receiver.url}/again`);
  assert.match(one.stdout, /1 accepted, 0 failed, 0 skipped/);
  const [again] = receiver.at("/again");
  assert.deepEqual([again?.headers["ce-id"], again?.body], ["o1", '{"amount":3,"by":{"name":"Ada"}}']);
  assert.match(String(again?.headers["eider-replay"]), /^[0-9a-f-]{36}$/);
  const billed = receiver.at("/bill").length;
  const range = await eider("event", "replay", "--since", "1h", "--to", "trigger:bill");
  assert.match(range.stdout, /1 accepted, 0 failed, [1-9]\d* skipped/);
  assert.equal(receiver.at("/bill").length, billed + 1);
  const replays = await eventually("the replays are on record", async () => {
    const { root: story } = await json<EventPath>("event", "show", "o1");
    const found = story.deliveries.flatMap(({ attempts }) => attempts.filter(({ leg }) => leg === "replay"));
    return found.length === 2 && found;
  });
  assert.deepEqual(
    replays.map(({ status }) => status),
    [200, 200],
  );
  const bad = await platform.eider("event", "replay", "b1", "--to", `${receiver.url}/refuses`);
  assert.deepEqual([bad.code, /1 of the events were not accepted/.test(bad.stderr)], [1, true]);
  assert.match(platform.logs(), /"audit":"events\.replay"[^\n]*"user":"kubernetes-admin"/);
  const told = await eventually("Kubernetes Events tell of all that was done", async () => {
    const list = JSON.parse(await platform.kubectl("get", "events", "-o", "json")) as {
      items: { involvedObject: { kind: string; name: string }; message: string; reason: string }[];
    };
    const of = list.items.filter(({ reason }) => reason === "EventsReplayed" || reason === "EventsResumed");
    const texts = of.map(({ involvedObject: { kind, name }, message }) => `${kind} ${name}: ${message}`).sort();
    return texts.length >= 5 && texts;
  });
  const by = "kubernetes-admin";
  assert.deepEqual(told, [
    `Broker default: ${by} replayed 1 event of it to Trigger default/bill, 1 accepted`,
    `Broker default: ${by} replayed 1 event of it to ${receiver.url}/again, 1 accepted`,
    `Broker default: ${by} replayed 1 event of it to ${receiver.url}/refuses, 0 accepted`,
    `Trigger bill: ${by} replayed 1 event to it, 1 accepted`,
    `Trigger refuses: ${by} had 1 event tried again`,
  ]);
});

test("watch tells what comes and what is delivered, and ends with Ctrl-C", needsKubectl, async () => {
  const child = spawn(join(root, "bin/eider"), ["event", "watch", "--type", "order", "-o", "json", "--data", platform.data]);
  const lines: WatchLine[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line) as WatchLine));
  await eventually("it hears of an event", async () => {
    await eider("event", "send", "--type", "order", "--id", "w1");
    return lines.some(({ type }) => type === "attempt");
  });
  assert.equal(lines.find(({ type }) => type === "event")?.event.attributes["id"], "w1");
  const attempt = lines.find((line) => line.type === "attempt");
  assert.deepEqual([attempt?.subscriber.name, attempt?.attempt.status], ["bill", 200]);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  assert.equal(await ended, 130);
});

test("the path outlives a kill -9 of the platform", needsKubectl, async () => {
  const { root: was } = await settled("o1");
  process.kill(platform.state.pid, "SIGKILL");
  const { root: story } = await eventually("it is told again", async () => {
    const { code, stdout } = await platform.eider("event", "show", "o1", "-o", "json");
    return code === 0 && (JSON.parse(stdout) as EventPath);
  });
  assert.deepEqual(deliveryTo(story, "bill").attempts, deliveryTo(was, "bill").attempts);
  assert.deepEqual(
    deliveryTo(story, "bill").replies.map(({ offset }) => offset),
    deliveryTo(was, "bill").replies.map(({ offset }) => offset),
  );
});
