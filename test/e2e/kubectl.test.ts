// The real kubectl 1.32 against a running platform: every verb and output form that people use on these kinds.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, findProgram, Platform, ran, root, type Ran } from "./platform.ts";

const needsKubectl = { skip: findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false };
let platform: Platform;

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, KUBECONFIG: platform.state.kubeconfig, HOME: platform.data });
const kubectl = (...args: readonly string[]): Promise<Ran> => ran("kubectl", args, environment());
/** Standard output of a command that must succeed. */
async function out(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await kubectl(...args);
  assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** A file with objects, to be applied or created. */
function file(name: string, ...objects: readonly object[]): string {
  const path = join(platform.data, `${name}.json`);
  writeFileSync(path, JSON.stringify(objects.length === 1 ? objects[0] : { apiVersion: "v1", kind: "List", items: objects }));
  return path;
}

const ksvc = (name: string, target: string): object => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name },
  spec: { template: { spec: { containers: [{ image: "dev.local/hello:v1", env: [{ name: "TARGET", value: target }] }] } } },
});
const configMap = (data: object, name = "notes"): object => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
const labels = { app: "plain" };
const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "plain" },
  spec: {
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 2,
        containers: [{ name: "main", image: "dev.local/hello:v1", ports: [{ containerPort: 8080 }], env: [{ name: "PORT", value: "8080" }] }],
      },
    },
  },
};
const HOST = "hello.default.localhost";

before(async () => {
  if (needsKubectl.skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", "dev.local/hello:v1");
  assert.equal(built.code, 0, built.stderr);
});
after(async () => {
  await platform?.stop();
});

test("apply of a custom and of a built-in kind: created, unchanged, configured", needsKubectl, async () => {
  const rounds = [
    { service: "created", map: "created", target: "one", data: { a: "1", b: "2" }, generation: "1" },
    // kubectl merges a custom kind's lists as a whole, and the server has filled in the container: it sends a patch that changes nothing.
    { service: "configured", map: "unchanged", target: "one", data: { a: "1", b: "2" }, generation: "1" },
    { service: "configured", map: "configured", target: "two", data: { a: "3" }, generation: "2" },
  ];
  for (const { service, map, target, data, generation } of rounds) {
    const text = await out("apply", "-f", file("both", ksvc("hello", target), configMap(data)));
    assert.equal(text, `service.serving.knative.dev/hello ${service}\nconfigmap/notes ${map}\n`);
    assert.equal(await out("get", "ksvc", "hello", "-o", "jsonpath={.metadata.generation}"), generation);
  }
  assert.deepEqual(JSON.parse(await out("get", "cm", "notes", "-o", "jsonpath={.data}")), { a: "3" });
  assert.match(await out("wait", "ksvc/hello", "--for=condition=Ready", "--timeout=20s"), /condition met/);
  assert.equal((await platform.request(HOST)).body, "Hello two!\n");
  assert.equal(await out("diff", "-f", file("both", ksvc("hello", "two"), configMap({ a: "3" }))), "");
  assert.equal((await kubectl("diff", "-f", file("cm", configMap({ a: "4" })))).code, 1);
});

test("create -f says created once and AlreadyExists then; nonsense is refused with field paths", needsKubectl, async () => {
  const path = file("twice", configMap({ x: "y" }, "twice"));
  assert.equal(await out("create", "-f", path), "configmap/twice created\n");
  const again = await kubectl("create", "-f", path);
  assert.deepEqual([again.code, again.stderr.includes('configmaps "twice" already exists')], [1, true]);
  const bad = await kubectl(
    "apply",
    "-f",
    file("bad", { ...ksvc("bad", "x"), spec: { template: { spec: { containers: [{ image: "dev.local/hello:v1" }], containerConcurrency: -1 } } } }),
  );
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /validation failed: expected 0 <= -1 <= 1000: spec\.template\.spec\.containerConcurrency/);
  const unknown = await kubectl("create", "-f", file("unknown", { ...configMap({}, "unknown"), dta: {} }));
  assert.match(unknown.stderr, /unknown field "dta"/);
});

test("get in all its forms", needsKubectl, async () => {
  const [header, row] = (await out("get", "ksvc")).split("\n");
  assert.match(header ?? "", /^NAME +URL +LATESTCREATED +LATESTREADY +READY +REASON *$/);
  assert.match(row ?? "", /^hello +http:\/\/hello\.default\.localhost:\d+ +hello-00002 +hello-00002 +True *$/);
  assert.match(await out("get", "pods", "-o", "wide"), /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nhello-0000/);
  assert.match(await out("get", "ksvc", "hello", "-o", "yaml"), /^apiVersion: serving\.knative\.dev\/v1\nkind: Service\nmetadata:\n/);
  assert.equal((JSON.parse(await out("get", "ksvc", "hello", "-o", "json")) as { kind: string }).kind, "Service");
  assert.equal((JSON.parse(await out("get", "ksvc,cm", "-o", "json")) as { kind: string }).kind, "List");
  assert.equal(await out("get", "ksvc", "-o", "name"), "service.serving.knative.dev/hello\n");
  assert.equal(await out("get", "ksvc", "hello", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"), "True");
  assert.match(await out("get", "ksvc", "-o", "custom-columns=N:.metadata.name,R:.status.latestReadyRevisionName"), /^N +R\nhello +hello-00002\n$/);
  assert.match(await out("get", "ksvc", "-A"), /^NAMESPACE +NAME +URL/);
  assert.match(await out("get", "ksvc", "--show-labels"), /LABELS/);
  assert.equal(
    await out("get", "revisions", "-l", "serving.knative.dev/service=hello", "-o", "name"),
    "revision.serving.knative.dev/hello-00001\nrevision.serving.knative.dev/hello-00002\n",
  );
  assert.equal(await out("get", "revisions", "-l", "serving.knative.dev/service in (other)", "-o", "name"), "");
  assert.equal(await out("get", "cm", "-A", "--field-selector", "metadata.name=notes", "-o", "name"), "configmap/notes\n");
  assert.equal(await out("get", "pods", "-A", "--field-selector", "status.phase!=Running,status.phase!=Pending", "-o", "name"), "");
  assert.equal(
    await out("get", "revisions", "--chunk-size=1", "-o", "name"),
    "revision.serving.knative.dev/hello-00001\nrevision.serving.knative.dev/hello-00002\n",
  );
  const missing = await kubectl("get", "ksvc", "nobody");
  assert.equal(missing.stderr, 'Error from server (NotFound): services.serving.knative.dev "nobody" not found\n');
});

test("get -w shows changes as they come", needsKubectl, async () => {
  await out("create", "-f", file("watched", configMap({ n: "1" }, "watched")));
  let text = "";
  const watching = spawn("kubectl", ["get", "cm", "watched", "-w", "-o", 'jsonpath={.data.n}{"\\n"}'], {
    env: environment(),
    stdio: ["ignore", "pipe", "ignore"],
  });
  watching.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await eventually("the first state", async () => text === "1\n");
  await out("patch", "cm", "watched", "--type=merge", "-p", '{"data":{"n":"2"}}');
  await eventually("the change", async () => text === "1\n2\n");
  watching.kill();
});

test("describe of every main kind", needsKubectl, async () => {
  const names =
    "ksvc/hello configuration/hello revision/hello-00002 route/hello podautoscaler/hello-00002 sks/hello-00002 king/hello deployment/hello-00002-deployment svc/hello-00002 endpoints/hello-00002-private cm/notes sa/default node/eider ns/default";
  for (const name of names.split(" ")) assert.match(await out("describe", name), new RegExp(`^Name: +${name.split("/")[1] ?? ""}$`, "m"), name);
  for (const kind of ["pods", "replicasets", "endpointslices"]) assert.match(await out("describe", kind), /^Name: +hello-0000/m, kind);
  const service = await out("describe", "ksvc/hello");
  for (const part of [/Latest Ready Revision Name: +hello-00002/, /Type: +RoutesReady/, /Normal +Created .* service-controller +Created Route "hello"/])
    assert.match(service, part);
  assert.match(await out("describe", "pods"), /Ready +True/);
});

test("patch of three kinds, label, annotate", needsKubectl, async () => {
  await out("patch", "ksvc", "hello", "--type=merge", "-p", '{"metadata":{"labels":{"merge":"yes"}}}');
  await out("patch", "ksvc", "hello", "--type=json", "-p", '[{"op":"add","path":"/metadata/labels/json","value":"yes"}]');
  await out("patch", "cm", "notes", "-p", '{"metadata":{"labels":{"strategic":"yes"}}}');
  assert.match(await out("label", "ksvc", "hello", "team=a"), /labeled/);
  assert.match(await out("annotate", "ksvc", "hello", "note=b"), /annotated/);
  assert.match(await out("label", "ksvc", "hello", "team-"), /unlabeled/);
  assert.deepEqual(JSON.parse(await out("get", "ksvc", "hello", "-o", "jsonpath={.metadata.labels}")), { merge: "yes", json: "yes" });
  assert.deepEqual(JSON.parse(await out("get", "cm", "notes", "-o", "jsonpath={.metadata.labels}")), { strategic: "yes" });
  const refused = await kubectl("patch", "ksvc", "hello", "--type=strategic", "-p", "{}");
  assert.match(refused.stderr, /strategic-merge-patch\+json is not supported/);
});

test("logs: all, --tail, -f, by Deployment; of a container that ran before", needsKubectl, async () => {
  for (const line of ["one", "two"]) await platform.request(HOST, `/print?line=${line}`);
  const pod = (await out("get", "pods", "-l", "serving.knative.dev/revision=hello-00002", "-o", "name")).trim().split("\n")[0] ?? "";
  await eventually("both lines", async () => (await out("logs", pod)) === "one\ntwo\n");
  assert.equal(await out("logs", pod, "--tail=1"), "two\n");
  assert.equal(await out("logs", pod, "-c", "user-container", "--limit-bytes=3"), "one");
  assert.equal(await out("logs", "deployment/hello-00002-deployment"), "one\ntwo\n");
  assert.match((await kubectl("logs", pod, "--previous")).stderr, /previous terminated container "user-container" in pod ".*" not found/);
  const following = spawn("kubectl", ["logs", "-f", "--tail=0", pod], { env: environment(), stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  following.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  let count = 0;
  await eventually("a line printed meanwhile", async () => {
    await platform.request(HOST, `/print?line=live-${count++}`);
    return text.includes("live-");
  });
  following.kill();
  await platform.request(HOST, "/exit?code=3");
  await eventually("the container is running again", async () => (await out("get", pod, "-o", "jsonpath={.status.containerStatuses[0].restartCount}")) === "1");
  assert.match(await out("logs", pod, "--previous"), /^one\ntwo\nlive-0\n/);
  assert.equal(await out("get", pod, "-o", "jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}"), "3");
});

test("a plain Deployment: rollout status, scale, wait, logs, delete with each cascade", needsKubectl, async () => {
  const path = file("plain", deployment);
  const pods = async (): Promise<string[]> => (await out("get", "pods", "-l", "app=plain", "-o", "name")).trim().split("\n").filter(Boolean);
  await out("apply", "-f", path);
  assert.match(await out("rollout", "status", "deployment/plain", "--timeout=20s"), /successfully rolled out/);
  assert.match(await out("scale", "deployment", "plain", "--replicas=2"), /scaled/);
  await out("wait", "deployment/plain", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=20s");
  const [first] = await pods();
  assert.match(await out("delete", first ?? ""), /deleted/);
  await eventually("it is replaced", async () => (await pods()).length === 2 && !(await pods()).includes(first ?? ""));
  await out("delete", "deployment", "plain", "--cascade=orphan");
  assert.match(await out("get", "rs", "-l", "app=plain", "-o", "name"), /^replicaset\.apps\/plain-/);
  await out("apply", "-f", path);
  await out("rollout", "status", "deployment/plain", "--timeout=20s");
  await out("delete", "deployment", "plain", "--cascade=foreground");
  assert.deepEqual([await pods(), await out("get", "rs", "-l", "app=plain", "-o", "name")], [[], ""]);
});

test("events, explain, api-resources, version and the like", needsKubectl, async () => {
  assert.match(await out("events", "--for", "ksvc/hello"), /Normal +Created +Service\/hello +Created Configuration "hello"/);
  assert.match(await out("get", "events", "--sort-by=.metadata.creationTimestamp"), /ScalingReplicaSet/);
  assert.match(await out("explain", "ksvc.spec.template.spec.containerConcurrency"), /FIELD: containerConcurrency <integer>/);
  assert.match(await out("explain", "deployment.spec.replicas"), /FIELD: replicas <integer>/);
  assert.match(await out("api-resources"), /^services +kservice,ksvc +serving\.knative\.dev\/v1 +true +Service$/m);
  assert.match(await out("api-versions"), /^serving\.knative\.dev\/v1$/m);
  assert.match(await out("version"), /Server Version: v1\.34\.4\+eider\./);
  assert.equal(await out("get", "--raw", "/readyz"), "ok");
  assert.match(await out("get", "all"), /deployment\.apps\/hello-00002-deployment/);
});

test("delete: in the foreground nothing of the Service is left; a namespace takes its objects along", needsKubectl, async () => {
  assert.match(await out("delete", "ksvc", "hello", "--cascade=foreground", "--timeout=40s"), /service\.serving\.knative\.dev "hello" deleted/);
  assert.equal(
    await out("get", "configurations,routes,revisions,deployments,rs,pods,podautoscalers,sks,king,svc,endpoints", "-o", "name"),
    "service/kubernetes\n",
  );
  await out("apply", "-f", file("namespace", { apiVersion: "v1", kind: "Namespace", metadata: { name: "temporary" } }));
  await out("-n", "temporary", "apply", "-f", file("in-it", configMap({ a: "b" })));
  assert.match(await out("delete", "ns", "temporary", "--timeout=40s"), /deleted/);
  assert.match((await kubectl("get", "cm", "-n", "temporary")).stderr, /No resources found/);
  assert.match(await out("delete", "cm", "notes", "twice", "--now"), /"twice" deleted/);
});
