// The real kn's groups broker, trigger and eventtype, word by word, and EventTypes that come with the first event of their kind.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { post } from "./event-receiver.ts";
import { eventually, findProgram, Platform } from "./platform.ts";

const needsKn = { skip: findProgram("kn", "KN") === undefined ? "kn is not there: set KN to its path" : false };
const BROKER = "broker-ingress.knative-eventing.svc.cluster.local";
let platform: Platform;

before(async () => {
  if (needsKn.skip === false) platform = await Platform.start();
});
after(async () => {
  await platform?.stop();
});

/** What kn prints, with ages masked and without the blanks at the ends of lines. */
async function kn(line: string): Promise<string> {
  const { code, stdout, stderr } = await platform.kn(...line.split(" "));
  assert.equal(code, 0, stderr);
  const text = stdout
    .replaceAll(/(?<=\s)(?:\d+[smh])+(?=\s)/g, "AGE")
    .split("\n")
    .map((each) => each.trimEnd())
    .join("\n");
  return text.trimEnd();
}
const refused = async (line: string): Promise<string> => {
  const { code, stderr } = await platform.kn(...line.split(" "));
  assert.notEqual(code, 0);
  return stderr.split("\n")[0] ?? "";
};
const rows = (table: string): string[][] => table.split("\n").map((row) => row.split(/ {2,}/));
const ready = (kind: string, name: string): Promise<string> => platform.kubectl("wait", kind, name, "--for=condition=Ready", "--timeout=60s");
const URL_OF = (name: string): string => `http://${BROKER}/default/${name}`;

test("kn broker create, list, describe, update, delete", needsKn, async () => {
  assert.equal(await kn("broker list"), "No brokers found.");
  assert.equal(await kn("broker create default"), "Broker 'default' successfully created in namespace 'default'.");
  assert.match(
    await kn("broker create patient --retry 3 --backoff-policy linear --backoff-delay PT1S --timeout PT5S"),
    /^Broker 'patient' successfully created/,
  );
  await ready("broker", "default");
  await ready("broker", "patient");
  assert.deepEqual(rows(await kn("broker list")), [
    ["NAME", "URL", "AGE", "CONDITIONS", "READY", "REASON"],
    ["default", URL_OF("default"), "AGE", "7 OK / 7", "True"],
    ["patient", URL_OF("patient"), "AGE", "7 OK / 7", "True"],
  ]);
  const described = await kn("broker describe default");
  for (const line of ["Name:         default", "Namespace:    default", `  URL:    ${URL_OF("default")}`]) assert.ok(described.includes(line), described);
  const conditions = [...described.matchAll(/^ {2}(\S\S) (\S+) +AGE ?(\S*)$/gm)].map(([, mark, type, reason]) => [mark, type, reason]);
  assert.deepEqual(conditions, [
    ["OK", "TYPE", "REASON"],
    ["++", "Ready", ""],
    ["++", "Addressable", ""],
    ["++", "DeadLetterSinkResolved", "DeadLetterSinkNotConfigured"],
    ["++", "EventPoliciesReady", "OIDCDisabled"],
    ["++", "FilterReady", ""],
    ["++", "IngressReady", ""],
    ["++", "TriggerChannelReady", ""],
  ]);
  assert.equal(await kn("broker describe patient -o url"), URL_OF("patient"));
  assert.equal(await kn("broker update patient --retry 5"), "Broker 'patient' updated in namespace 'default'.");
  const { delivery } = JSON.parse(await platform.kubectl("get", "broker", "patient", "-o", "jsonpath={.spec}")) as { readonly delivery: unknown };
  assert.deepEqual(delivery, { backoffDelay: "PT1S", backoffPolicy: "linear", retry: 5, timeout: "PT5S" });
  assert.equal(await kn("broker delete patient --wait"), "Broker 'patient' successfully deleted in namespace 'default'.");
  assert.equal(await refused("broker describe patient"), `Error: brokers.eventing.knative.dev "patient" not found`);
});

test("kn trigger create, list, describe, update, delete", needsKn, async () => {
  assert.equal(await kn("trigger list"), "No triggers found.");
  const created = "trigger create t --broker default --filter type=x --sink http://127.0.0.1:9/a";
  assert.equal(await kn(created), "Trigger 't' successfully created in namespace 'default'.");
  await ready("trigger", "t");
  assert.deepEqual(rows(await kn("trigger list")), [
    ["NAME", "BROKER", "SINK", "AGE", "CONDITIONS", "READY", "REASON"],
    ["t", "default", "http://127.0.0.1:9/a", "AGE", "7 OK / 7", "True"],
  ]);
  assert.equal(await refused(created), "Error: cannot create trigger 't' in namespace 'default' because: triggers.eventing.knative.dev \"t\" already exists");
  assert.equal(await kn("trigger update t --filter type=y --filter source=/s"), "Trigger 't' updated in namespace 'default'.");
  const described = await kn("trigger describe t");
  assert.ok(described.includes("Broker:       default\nFilter:\n  source:     /s\n  type:       y\n\nSink:\n  URI:  http://127.0.0.1:9/a\n"), described);
  await kn("trigger update t --filter source-");
  await kn("trigger update t --sink broker:default");
  assert.deepEqual(JSON.parse(await platform.kubectl("get", "trigger", "t", "-o", "jsonpath={.spec}")), {
    broker: "default",
    filter: { attributes: { type: "y" } },
    subscriber: { ref: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "default", namespace: "default" } },
  });
  assert.equal(rows(await kn("trigger list"))[1]?.[2], "broker:default");
  assert.equal(await kn("trigger delete t"), "Trigger 't' deleted in namespace 'default'.");
  assert.equal(await refused("trigger delete t"), `Error: triggers.eventing.knative.dev "t" not found`);
});

test("kn eventtype create, list, describe, delete; one whose Broker goes is not Ready until it comes again", needsKn, async () => {
  assert.equal(await kn("eventtype list"), "No eventtypes found.");
  await kn("broker create shop");
  assert.equal(
    await kn("eventtype create made --type order.made --source /shop --broker shop"),
    "Eventtype 'made' successfully created in namespace 'default'.",
  );
  await kn("eventtype create free --type free");
  await ready("eventtype", "made");
  await ready("eventtype", "free");
  const list = "NAME   TYPE         SOURCE   REFERENCE   AGE   READY";
  const [head, free, made] = (await kn("eventtype list")).split("\n").map((row) => row.split(/ {2,}/));
  assert.deepEqual(head, list.split(/ {2,}/));
  assert.deepEqual(free, ["free", "free", "AGE", "True"]);
  assert.deepEqual(made, ["made", "order.made", "/shop", "shop", "AGE", "True"]);
  const described = await kn("eventtype describe made");
  assert.ok(described.includes("Reference:\n  APIVersion:  eventing.knative.dev/v1\n  Kind:        Broker\n  Name:        shop\n"), described);
  assert.match(described, /\+\+ Ready +AGE\n {2}\+\+ ReferenceExists +AGE$/);
  const says = (status: string): Promise<string> =>
    eventually(`the EventType says ${status}`, async () => {
      const path = "jsonpath={.status.conditions[?(@.type=='ReferenceExists')]['status','reason','message']}";
      const text = await platform.kubectl("get", "eventtype", "made", "-o", path);
      return text.startsWith(status) && text;
    });
  await kn("broker delete shop --wait");
  assert.equal(await says("False"), "False ResourceDoesNotExist Resource in spec.reference does not exist");
  await kn("broker create shop");
  assert.equal(await says("True"), "True");
  assert.equal(await kn("eventtype delete made"), "Eventtype 'made' successfully deleted in namespace 'default'.");
});

test("with the feature on, events that come by have EventTypes, which go with their Broker", needsKn, async () => {
  const emit = (id: string, type: string): Promise<number> =>
    post(`${platform.state.internal}/default/seen`, {
      headers: { host: BROKER, "ce-specversion": "1.0", "ce-id": id, "ce-source": "/test", "ce-type": type },
      body: "",
    });
  await kn("broker create seen");
  await ready("broker", "seen");
  assert.equal(await emit("1", "unseen"), 202);
  const feature = (value: string): Promise<string> =>
    platform.kubectl("patch", "configmap", "config-features", "-n", "knative-eventing", "--type=merge", "-p", `{"data":{"eventtype-auto-create":"${value}"}}`);
  await feature("enabled");
  const types = async (): Promise<readonly string[][]> => rows(await kn("eventtype list")).filter(([name]) => name?.startsWith("et-seen-"));
  // The setting holds a moment later: an event of its type makes it known then.
  const [first] = await eventually("an EventType is there", async () => {
    assert.equal(await emit("2", "order.made"), 202);
    const made = await types();
    return made.length > 0 && made;
  });
  assert.deepEqual(first?.slice(1, 4), ["order.made", "/test", "seen"]);
  assert.equal(await emit("3", "order.made"), 202);
  assert.equal(await emit("4", "order.sent"), 202);
  await eventually("the other one is there", async () => (await types()).length > 1);
  assert.deepEqual((await types()).map(([, type = ""]) => type).toSorted(), ["order.made", "order.sent"]);
  await ready("eventtype", first?.[0] ?? "");
  await kn("broker delete seen");
  await eventually("they are gone", async () => (await types()).length === 0);
});

test("kn source list-types and channel list-types know the kinds by their definitions", needsKn, async () => {
  assert.deepEqual(
    rows(await kn("source list-types")).map(([type, , name]) => [type, name]),
    [
      ["TYPE", "NAME"],
      ["ApiServerSource", "apiserversources.sources.knative.dev"],
      ["ContainerSource", "containersources.sources.knative.dev"],
      ["PingSource", "pingsources.sources.knative.dev"],
      ["SinkBinding", "sinkbindings.sources.knative.dev"],
    ],
  );
  assert.equal(await kn("source list"), "No sources found.");
  assert.deepEqual(
    rows(await kn("channel list-types")).map(([type]) => type),
    ["TYPE", "InMemoryChannel"],
  );
});
