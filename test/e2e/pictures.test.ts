// The sample `pictures`, started by its one command: a tweet becomes a captioned picture by way of three Triggers, two Services that were
// at zero (Node, Python) and a Deployment (Go), whose answers re-enter the Broker.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { post } from "./event-receiver.ts";
import { eventually, findProgram, Platform, ran, root } from "./platform.ts";

const missing = ["kubectl", "go", "python3"].filter((program) => findProgram(program) === undefined);
const needsAll = { skip: missing.length > 0 ? `not on the PATH: ${missing.join(", ")}` : false };
const sample = join(root, "samples/pictures");
const TWEET = readFileSync(join(sample, "tweet.json"), "utf8");
let platform: Platform;

before(async () => {
  if (needsAll.skip === false) platform = await Platform.start();
});
after(async () => {
  await platform?.stop();
});

interface Sent {
  readonly id: string;
  readonly caption: string;
  readonly type: string;
  readonly bytes: number;
}

const PROXY = "/api/v1/namespaces/default/services/send:80/proxy/sent";
const sent = async (): Promise<readonly Sent[]> => JSON.parse(await platform.kubectl("get", "--raw", PROXY)) as Sent[];
/** Names of the Services that have pods. */
const awake = async (): Promise<readonly string[]> => {
  const labels = await platform.kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.labels.serving\\.knative\\.dev/service}");
  return [...new Set(labels.split(" ").filter((label) => label !== ""))].toSorted();
};

/** As the curl of the README does: to the gateway, by the name for people outside. */
async function tweet(id: string, body: string): Promise<number> {
  const shown = new URL(await platform.kubectl("get", "broker", "default", "-o", "jsonpath={.status.annotations.eider\\.dev/url}"));
  const ce = { "ce-specversion": "1.0", "ce-type": "com.twitter.tweet", "ce-source": "https://twitter.com/ada", "ce-id": id };
  return post(platform.state.http + shown.pathname, { headers: { host: shown.host, ...ce, "content-type": "application/json" }, body });
}

test("one command builds, deploys and waits for the pipeline, and tells how to send a tweet", needsAll, async () => {
  const started = await ran(join(sample, "start"), ["--data", platform.data], process.env);
  assert.equal(started.code, 0, started.stderr + started.stdout);
  assert.match(started.stdout, /The pipeline is ready\./);
  assert.match(started.stdout, /curl -i 'http:\/\/broker-ingress\.knative-eventing\.localhost:\d+\/default\/default'/);
});

test("a tweet wakes what it needs from zero, and its picture arrives captioned", needsAll, async () => {
  await eventually("the Services are at zero", async () => (await awake()).length === 0);
  assert.equal(await tweet("1497", TWEET), 202);
  const [picture, ...more] = await eventually("the picture is sent", async () => {
    const all = await sent();
    return all.length > 0 && all;
  });
  assert.deepEqual(more, []);
  assert.ok(picture !== undefined);
  assert.deepEqual(
    { ...picture, bytes: 0 },
    { id: "1497/picture/caption", caption: "Lighthouse at dusk, a wide picture (64 x 40) by @ada", type: "image/jpeg", bytes: 0 },
  );
  assert.deepEqual(await awake(), ["caption", "extract"]);
  const url = /base64,([^"]+)/.exec(TWEET)?.[1] ?? "";
  // The caption is in the picture, behind a mark and a length of two octets each.
  assert.equal(picture.bytes, Buffer.from(url, "base64").length + 4 + Buffer.byteLength(picture.caption));
});

interface Shown {
  readonly attributes: { readonly type: string; readonly id: string };
  readonly deliveries: readonly { readonly subscriber: { readonly name: string }; readonly standing: string; readonly replies: readonly Shown[] }[];
}

/** Type of an event, then what each Trigger made of it, and of its answers. */
const pathOf = ({ attributes, deliveries }: Shown): unknown => [
  attributes.type,
  Object.fromEntries(deliveries.map(({ subscriber, standing, replies }) => [subscriber.name, replies.length === 0 ? standing : pathOf(replies[0] as Shown)])),
];

test("eider event show prints the whole path of the tweet", needsAll, async () => {
  const shown = await eventually("the last answer is on record", async () => {
    const { code, stdout } = await platform.eider("event", "show", "1497", "-o", "json");
    return code === 0 && !stdout.includes("inFlight") && (JSON.parse(stdout) as { readonly root: Shown }).root;
  });
  const last = ["demo.captioned-image", { extract: "missed", caption: "missed", send: "delivered" }];
  const middle = ["demo.twitter-image", { extract: "missed", caption: last, send: "missed" }];
  assert.deepEqual(pathOf(shown), ["com.twitter.tweet", { extract: middle, caption: "missed", send: "missed" }]);
  const { stdout } = await platform.eider("event", "show", "1497");
  for (const word of ["com.twitter.tweet", "demo.twitter-image", "demo.captioned-image", "extract", "caption", "send"])
    assert.ok(stdout.includes(word), stdout);
});

test("a tweet without a picture ends at the first component, and the next one goes on", needsAll, async () => {
  assert.equal(await tweet("1498", '{"text":"no picture","user":{"screen_name":"ada"}}'), 202);
  assert.equal(await tweet("1499", TWEET.replace("lighthouse at dusk", 'Übermut & \\"Sturm\\", 100 %')), 202);
  const all = await eventually("the second picture is sent", async () => {
    const now = await sent();
    return now.length > 1 && now;
  });
  assert.deepEqual(
    all.map(({ id }) => id),
    ["1497/picture/caption", "1499/picture/caption"],
  );
  assert.equal(all[1]?.caption, 'Übermut & "Sturm", 100 %, a wide picture (64 x 40) by @ada');
});

test("what comes while the last component is away is sent once it is back", needsAll, async () => {
  const scale = (replicas: number): Promise<string> => platform.kubectl("scale", "deployment", "send", `--replicas=${replicas}`);
  const endpoints = (): Promise<string> => platform.kubectl("get", "endpoints", "send", "-o", "jsonpath={.subsets[*].addresses[*].ip}");
  await scale(0);
  await eventually("nobody is behind the Service", async () => (await endpoints()) === "");
  assert.equal(await tweet("1500", TWEET), 202);
  await eventually("the components before it are awake", async () => (await awake()).length === 2);
  await scale(1);
  await platform.kubectl("rollout", "status", "deployment", "send", "--timeout=60s");
  const [first] = await eventually("it is sent", async () => {
    const all = await sent();
    return all.length > 0 && all;
  });
  assert.equal(first?.id, "1500/picture/caption");
});
