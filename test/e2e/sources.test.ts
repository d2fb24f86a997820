// Sources with the real kn: what they send arrives, and a kill -9 of the platform doubles nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EventReceiver, type Receipt } from "./event-receiver.ts";
import { eventually, findProgram, Platform, root } from "./platform.ts";

const needsKn = { skip: findProgram("kn", "KN") === undefined ? "kn is not there: set KN to its path" : false };
const IMAGE = "dev.local/beater:v1";
let platform: Platform;
let receiver: EventReceiver;
/** Paths whose events are not taken for now. */
const refused = new Set<string>();

before(async () => {
  if (needsKn.skip !== false) return;
  platform = await Platform.start();
  receiver = await EventReceiver.start(({ path }) => ({ status: refused.has(path) ? 503 : 200 }));
  const built = await platform.eider("build", join(root, "test/e2e/apps/beater"), "--image", IMAGE);
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
const ready = (kind: string, name: string): Promise<string> => platform.kubectl("wait", kind, name, "--for=condition=Ready", "--timeout=60s");
const arrived = async (path: string): Promise<Receipt> => {
  const [first] = await eventually(`an event arrives at ${path}`, async () => receiver.at(path).length > 0 && receiver.at(path));
  return first as Receipt;
};
/** Of a Deployment: how many pod templates it has had. */
const revisionOf = (deployment: string): Promise<string> =>
  platform.kubectl("get", "deployment", deployment, "-o", "jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}");
const environmentOf = (deployment: string): Promise<string> =>
  platform.kubectl("get", "deployment", deployment, "-o", "jsonpath={.spec.template.spec.containers[0].env[*].name}");

const deployment = (name: string, labels: object = {}): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, labels },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "beater", image: IMAGE, env: [{ name: "BEAT", value: name }] }] } },
  },
});

test("kn binds a Deployment to a sink: its pods know where to, and forget it when the binding goes", needsKn, async () => {
  await platform.apply(deployment("bound"));
  const sink = `${receiver.url}/bound`;
  assert.equal(
    await kn("source", "binding", "create", "bind", "--subject", "Deployment:apps/v1:bound", "--sink", sink, "--ce-override", "team=red"),
    "Sink binding 'bind' created in namespace 'default'.\n",
  );
  await ready("sinkbinding", "bind");
  const { headers } = await arrived("/bound");
  assert.deepEqual([headers["ce-type"], headers["ce-team"]], ["bound", "red"]);
  assert.equal(await environmentOf("bound"), "BEAT K_SINK K_CE_OVERRIDES");
  assert.match(await kn("source", "binding", "list"), /^bind +Deployment:apps\/v1:bound +http:\S+ .* True/m);
  await kn("source", "binding", "delete", "bind");
  await eventually("the Deployment is as it was", async () => (await environmentOf("bound")) === "BEAT");
});

test("workloads are bound by their labels, those that come later as well, and none that is excluded", needsKn, async () => {
  const spec = { sink: { uri: `${receiver.url}/labels` }, subject: { apiVersion: "apps/v1", kind: "Deployment", selector: { matchLabels: { sends: "yes" } } } };
  await platform.apply(deployment("left-out", { sends: "yes", "bindings.knative.dev/exclude": "true" }));
  await platform.apply({ apiVersion: "sources.knative.dev/v1", kind: "SinkBinding", metadata: { name: "by-labels" }, spec });
  await ready("sinkbinding", "by-labels");
  await platform.apply(deployment("later", { sends: "yes" }));
  assert.equal((await arrived("/labels")).headers["ce-type"], "later");
  assert.equal(await revisionOf("later"), "1");
  assert.equal(await environmentOf("left-out"), "BEAT");
  await platform.kubectl("delete", "deployment", "left-out", "later");
});

test("a binding of a Knative Service makes a revision that knows its sink", needsKn, async () => {
  await kn("service", "create", "sender", "--image", IMAGE, "--env", "BEAT=service");
  await kn("source", "binding", "create", "bind-service", "--subject", "Service:serving.knative.dev/v1:sender", "--sink", `${receiver.url}/service`);
  assert.equal((await arrived("/service")).headers["ce-type"], "service");
  await ready("ksvc", "sender");
  await kn("service", "delete", "sender");
  // The binding is there already: the first revision knows the sink, and so does the next.
  await kn("service", "create", "sender", "--image", IMAGE, "--env", "BEAT=again");
  await kn("service", "update", "sender", "--env", "BEAT=changed");
  const told = platform.kubectl("get", "revisions", "-l", "serving.knative.dev/service=sender", "-o", "jsonpath={.items[*].spec.containers[0].env[*].name}");
  assert.equal(await told, "BEAT K_SINK K_CE_OVERRIDES BEAT K_SINK K_CE_OVERRIDES");
  await kn("service", "delete", "sender");
});

test("kn makes a ContainerSource: its first pod has the sink already", needsKn, async () => {
  await kn("source", "container", "create", "box", "--image", IMAGE, "--env", "BEAT=box", "--sink", `${receiver.url}/box`);
  await ready("containersource", "box");
  assert.equal((await arrived("/box")).headers["ce-type"], "box");
  assert.equal(await revisionOf("box-deployment"), "1");
  assert.match(await kn("source", "list"), /^box +ContainerSource .* True/m);
  await kn("source", "container", "delete", "box");
  await eventually("its Deployment goes", async () => (await platform.kubectl("get", "deployment", "box-deployment", "--ignore-not-found")) === "");
});

test("a SinkBinding without its subject says so in Knative's words", needsKn, async () => {
  await kn("source", "binding", "create", "lonely", "--subject", "Deployment:apps/v1:nobody", "--sink", receiver.url);
  const said = await eventually("it says why", async () => {
    const text = await platform.kubectl("get", "sinkbinding", "lonely", "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].message}');
    return text !== "" && text;
  });
  assert.equal(said, 'deployments.apps "nobody" not found');
});

test("Brokers come by themselves where config-sugar says so, and not before", needsKn, async () => {
  await platform.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "sweet", labels: { sugar: "yes" } } });
  const trigger = { broker: "wanted", subscriber: { uri: receiver.url } };
  await platform.apply({
    apiVersion: "eventing.knative.dev/v1",
    kind: "Trigger",
    metadata: { name: "t", namespace: "sweet", labels: { sugar: "yes" } },
    spec: trigger,
  });
  assert.doesNotMatch(await platform.kubectl("get", "brokers", "-n", "sweet", "-o", "name"), /broker/);
  const data = { "namespace-selector": "matchLabels: {sugar: 'yes'}", "trigger-selector": "matchLabels: {sugar: 'yes'}" };
  await platform.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "config-sugar", namespace: "knative-eventing" }, data });
  await platform.kubectl("wait", "trigger", "t", "-n", "sweet", "--for=condition=Ready", "--timeout=60s");
  const isThere = async (): Promise<boolean> => (await platform.kubectl("get", "broker", "default", "-n", "sweet", "--ignore-not-found")).includes("True");
  await eventually("the namespace has its Broker", isThere);
  await platform.kubectl("delete", "broker", "default", "-n", "sweet");
  await eventually("it comes again", isThere);
  await platform.kubectl("delete", "configmap", "config-sugar", "-n", "knative-eventing");
});

const PING = "dev.knative.sources.ping";

test("kn makes a PingSource for a Broker: a Trigger's subscriber gets its events", needsKn, async () => {
  await kn("broker", "create", "default");
  await kn("trigger", "create", "pings", "--broker", "default", "--filter", `type=${PING}`, "--sink", `${receiver.url}/pings`);
  await ready("trigger", "pings");
  const made = await kn(
    "source",
    "ping",
    "create",
    "tick",
    "--schedule",
    "* * * * * *",
    "--data",
    '{"a":1}',
    "--ce-override",
    "team=red",
    "--sink",
    "broker:default",
  );
  assert.equal(made, "Ping source 'tick' created in namespace 'default'.\n");
  await ready("pingsource", "tick");
  const { headers, body } = await arrived("/pings");
  assert.deepEqual(
    [headers["ce-type"], headers["ce-source"], headers["ce-team"], body],
    [PING, "/apis/v1/namespaces/default/pingsources/tick", "red", '{"a":1}'],
  );
  assert.match(await kn("source", "list"), /^tick +PingSource +\S+ +broker:default +True/m);
  const types = (): Promise<string> => platform.kubectl("get", "eventtypes", "-l", "eventing.knative.dev/sourceName=tick", "--no-headers");
  assert.match(
    await eventually("its EventType is there", async () => (await types()) || false),
    /dev.knative.sources.ping +\S+pingsources\/tick +default +Broker/,
  );
  await kn("source", "ping", "delete", "tick");
  await eventually("its EventType goes with it", async () => /^(No resources.*)?$/.test(await types()));
});

test("kn makes an ApiServerSource: changes of objects are told once their ServiceAccount may see them", needsKn, async () => {
  const sink = `${receiver.url}/changes`;
  await platform.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "viewer" } });
  await kn(
    "source",
    "apiserver",
    "create",
    "maps",
    "--resource",
    "ConfigMap:v1:watched=yes",
    "--mode",
    "Resource",
    "--service-account",
    "viewer",
    "--sink",
    sink,
  );
  const denied = await eventually("it says what it may not", async () => {
    const text = await platform.kubectl("get", "apiserversource", "maps", "-o", 'jsonpath={.status.conditions[?(@.type=="SufficientPermissions")].message}');
    return text !== "" && text;
  });
  const said = 'User system:serviceaccount:default:viewer cannot get, list, watch resource "configmaps" in API group "" in Namespace "default"';
  assert.equal(denied, said);
  const map = (name: string, value: string): object => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { watched: "yes" } },
    data: { value },
  });
  await platform.apply(map("older", "0"));
  await platform.kubectl("annotate", "serviceaccount", "viewer", "eider.dev/api-access=view");
  await ready("apiserversource", "maps");
  await platform.apply(map("told", "1"));
  await platform.kubectl("create", "configmap", "untold");
  await platform.apply(map("told", "2"));
  await platform.kubectl("delete", "configmap", "told");
  await eventually("three events come", async () => receiver.at("/changes").length >= 3);
  const seen = receiver
    .at("/changes")
    .map(({ headers, body }) => [headers["ce-type"], headers["ce-name"], (JSON.parse(body) as { data: { value: string } }).data.value]);
  const type = "dev.knative.apiserver.resource";
  assert.deepEqual(seen, [
    [`${type}.add`, "told", "1"],
    [`${type}.update`, "told", "2"],
    [`${type}.delete`, "told", "2"],
  ]);
  assert.equal(receiver.at("/changes")[0]?.headers["ce-subject"], "/apis/v1/namespaces/default/configmaps/told");
  assert.match(await kn("source", "list"), /^maps +ApiServerSource .* True/m);
});

test("kubectl auth tells who one is and what one may do: an administrator all, an account what its access says", needsKn, async () => {
  const token = (await platform.kubectl("create", "token", "viewer")).trim();
  const mayI = (...args: readonly string[]): Promise<string | undefined> =>
    platform.kubectl("auth", "can-i", ...args).then(
      (text) => text.trim(),
      (error: { readonly stdout?: string }) => error.stdout?.trim(),
    );
  assert.match(await platform.kubectl("auth", "whoami"), /^Username +kubernetes-admin$/m);
  assert.match(await platform.kubectl("auth", "whoami", "--token", token), /^Username +system:serviceaccount:default:viewer$/m);
  const asked = [
    ["delete", "pods"],
    ["get", "pods"],
    ["get", "secrets"],
    ["get", "pods", "--subresource=exec"],
    ["get", "/metrics"],
    ["get", "/version"],
  ];
  const answers = (flags: readonly string[]): Promise<unknown> => Promise.all(asked.map((words) => mayI(...words, ...flags)));
  assert.deepEqual(await answers([]), ["yes", "yes", "yes", "yes", "yes", "yes"]);
  assert.deepEqual(await answers(["--token", token]), ["no", "yes", "no", "no", "no", "yes"]);
  const rules = await platform.kubectl("auth", "can-i", "--list", "--token", token);
  assert.match(rules, /^pods +\[\] +\[\] +\[get list watch\]$/m);
  assert.match(rules, /^selfsubjectreviews\.authentication\.k8s\.io +\[\] +\[\] +\[create\]$/m);
  assert.doesNotMatch(rules, /^secrets/m);
});

/** Ends the platform; the next one is there when this resolves. */
async function kill(): Promise<void> {
  process.kill(platform.state.pid, "SIGKILL");
  await eventually("the next platform is there", async () => {
    const state = JSON.parse(readFileSync(join(platform.data, "run/state.json"), "utf8")) as typeof platform.state;
    if (state.pid === platform.state.pid) return false;
    platform.state = state;
    return true;
  });
}

test("kill -9 of the platform loses no change that a sink has not taken, and tells none again that it has", needsKn, async () => {
  const changes = (): string[] => receiver.at("/changes").map(({ headers }) => `${String(headers["ce-type"]).split(".").at(-1)} ${String(headers["ce-name"])}`);
  const before = changes().length;
  refused.add("/changes");
  const names = ["lost-1", "lost-2", "lost-3"];
  for (const name of names) await platform.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels: { watched: "yes" } } });
  await platform.kubectl("delete", "configmap", "older");
  await eventually("the first of them is on its way", async () => changes().length > before);
  await kill();
  refused.delete("/changes");
  const told = await eventually("all are told", async () => {
    const all = [...new Set(changes().slice(before))];
    return all.length >= 4 && all;
  });
  assert.deepEqual(told.sort(), [...names.map((name) => `add ${name}`), "delete older"].sort());
});

test("kill -9 of the platform doubles no ping, and the next one sends on", needsKn, async () => {
  await kn("source", "ping", "create", "steady", "--schedule", "* * * * * *", "--data", "x", "--sink", `${receiver.url}/steady`);
  const times = (): string[] => receiver.at("/steady").map(({ headers }) => String(headers["ce-time"]));
  const more = async (count: number): Promise<void> => {
    const before = times().length;
    await eventually(`${count} more pings`, async () => times().length >= before + count);
  };
  await more(3);
  for (let round = 0; round < 2; round++) {
    await kill();
    await more(3);
  }
  assert.deepEqual(times(), [...new Set(times())]);
  await kn("source", "ping", "delete", "steady");
});
