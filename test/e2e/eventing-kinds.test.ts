// The real kubectl and kn write and read the kinds of Eventing: versions of one kind are views of the same objects.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, findProgram, Platform } from "./platform.ts";

const needsKubectl = { skip: findProgram("kubectl") === undefined ? "no kubectl" : false };
const needsKn = { skip: findProgram("kn", "KN") === undefined ? "kn is not there: set KN to its path" : needsKubectl.skip };
let platform: Platform;

before(async () => {
  if (needsKubectl.skip === false) platform = await Platform.start();
});
after(async () => {
  await platform?.stop();
});

const sink = { uri: "http://sink.example.com" };
const object = (apiVersion: string, kind: string, name: string, spec: object): object => ({ apiVersion, kind, metadata: { name }, spec });
const specOf = async (type: string, name: string): Promise<unknown> =>
  JSON.parse(await platform.kubectl("get", type, name, "-o", "jsonpath={.spec}")) as unknown;

test("a source that was written in an old version is read in the new one, with the data that it meant", needsKubectl, async () => {
  await platform.apply(object("sources.knative.dev/v1beta1", "PingSource", "old-ping", { schedule: "0 0 1 1 *", jsonData: '{"a":1}', sink }));
  assert.deepEqual(await specOf("pingsources.v1.sources.knative.dev", "old-ping"), {
    contentType: "application/json",
    data: '{"a":1}',
    schedule: "0 0 1 1 *",
    sink,
  });
  const subject = { apiVersion: "apps/v1", kind: "Deployment", name: "nobody", namespace: "default" };
  await platform.apply(object("sources.knative.dev/v1beta1", "SinkBinding", "old-binding", { sink, subject }));
  assert.deepEqual(await specOf("sinkbindings.v1.sources.knative.dev", "old-binding"), { sink, subject });
});

test("an EventType keeps in all versions what was written in one", needsKubectl, async () => {
  const attributes = ["specversion", "id", "type", "source", "tenant"].map((name) => ({ name, required: true, ...(name === "type" ? { value: "t" } : {}) }));
  await platform.apply(object("eventing.knative.dev/v1beta3", "EventType", "wide", { attributes }));
  assert.deepEqual(await specOf("eventtypes.v1beta2.eventing.knative.dev", "wide"), { type: "t" });
  await platform.kubectl("patch", "eventtypes.v1beta1.eventing.knative.dev", "wide", "--type", "merge", "-p", '{"spec":{"description":"new"}}');
  assert.deepEqual(await specOf("eventtypes.v1beta3.eventing.knative.dev", "wide"), { attributes, description: "new" });
});

test("definitions tell versions, labels and the events of sources; the old ones say what to use instead", needsKubectl, async () => {
  const versions = "jsonpath={range .spec.versions[*]}{.name} {.storage} {.deprecated},{end}";
  assert.equal(await platform.kubectl("get", "crd", "eventtypes.eventing.knative.dev", "-o", versions), "v1beta3 true ,v1beta2 false ,v1beta1 false true,");
  assert.equal(await platform.kubectl("get", "crd", "pingsources.sources.knative.dev", "-o", versions), "v1 true ,v1beta2 false true,v1beta1 false true,");
  const types = await platform.kubectl(
    "get",
    "crd",
    "apiserversources.sources.knative.dev",
    "-o",
    "jsonpath={.metadata.annotations.registry\\.knative\\.dev/eventTypes}",
  );
  assert.equal((JSON.parse(types) as unknown[]).length, 6);
  const named = async (label: string): Promise<string> => platform.kubectl("get", "crd", "-l", label, "-o", "jsonpath={.items[*].spec.names.plural}");
  assert.equal(await named("duck.knative.dev/source=true"), "apiserversources containersources pingsources sinkbindings");
  assert.equal(await named("messaging.knative.dev/subscribable=true"), "channels inmemorychannels");
});

test("settings of Eventing hold without a restart", needsKubectl, async () => {
  const spec = { delivery: { retryAfterMax: "PT30S" } };
  const refused = /must not set the field\(s\): spec\.delivery\.retryAfterMax/;
  await assert.rejects(platform.apply(object("eventing.knative.dev/v1", "Broker", "patient", spec)), refused);
  await platform.kubectl(
    "patch",
    "configmap",
    "config-features",
    "-n",
    "knative-eventing",
    "--type",
    "merge",
    "-p",
    '{"data":{"delivery-retryafter":"enabled"}}',
  );
  await eventually("the setting holds", () =>
    platform.apply(object("eventing.knative.dev/v1", "Broker", "patient", spec)).catch((error: unknown) => {
      assert.match(String(error), refused);
      return undefined;
    }),
  );
});

test("kn makes and lists Brokers, Triggers, channels, Subscriptions, sources and EventTypes", needsKn, async () => {
  const kn = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await platform.kn(...args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.equal(await kn("broker", "create", "kn-broker"), "Broker 'kn-broker' successfully created in namespace 'default'.\n");
  await kn("trigger", "create", "kn-trigger", "--broker", "kn-broker", "--filter", "type=a", "--sink", "http://sink.example.com");
  await kn("channel", "create", "kn-channel");
  await kn("subscription", "create", "kn-subscription", "--channel", "kn-channel", "--sink", "http://sink.example.com");
  await kn("source", "ping", "create", "kn-ping", "--schedule", "0 0 1 1 *", "--data", "hi", "--sink", "http://sink.example.com");
  await kn("eventtype", "create", "kn-type", "--type", "x", "--source", "http://a");
  assert.match(await kn("trigger", "list"), /^kn-trigger +kn-broker +http:\/\/sink\.example\.com /m);
  assert.match(await kn("channel", "list"), /^kn-channel +InMemoryChannel /m);
  assert.match(await kn("source", "ping", "list"), /^kn-ping +0 0 1 1 \* /m);
  assert.match(await kn("eventtype", "list"), /^kn-type +x +http:\/\/a /m);
  assert.deepEqual(
    (await kn("source", "list-types")).split("\n").flatMap((line) => /^(\w+) +X /.exec(line)?.[1] ?? []),
    ["ApiServerSource", "ContainerSource", "PingSource", "SinkBinding"],
  );
});
