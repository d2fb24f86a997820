// A program as people write them with JavaScript's client: typed calls, an informer, patches, errors, pages.
// Usage: javascript.mjs NAMESPACE; the server comes from KUBECONFIG. Prints one line a step, ends with 0 when all went well.
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { AppsV1Api, CoreV1Api, KubeConfig, KubernetesObjectApi, makeInformer, PatchStrategy, setHeaderOptions, VersionApi } from "@kubernetes/client-node";

const [, , namespace] = process.argv;
const config = new KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(CoreV1Api);
const apps = config.makeApiClient(AppsV1Api);
const ok = (step) => console.log("ok:", step);
const codeOf = (call) =>
  call.then(
    () => 200,
    (error) => error.code,
  );
async function eventually(what, done) {
  for (let tries = 0; tries < 500; tries++) {
    if (done()) return;
    await wait(20);
  }
  throw new Error(`did not come: ${what}`);
}

await core.createNamespace({ body: { metadata: { name: namespace } } });
assert.match((await config.makeApiClient(VersionApi).getCode()).gitVersion, /^v1\.34/);
ok("a namespace, and the version");

const seen = [];
const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () => core.listNamespacedConfigMap({ namespace }));
for (const type of ["add", "update", "delete"]) informer.on(type, (object) => seen.push(`${type} ${object.metadata.name}`));
informer.on("error", (error) => seen.push(String(error)));
await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "early" }, data: { a: "1" } } });
await informer.start();
await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "late" }, data: { a: "1" } } });
const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
const patched = await core.patchNamespacedConfigMap({ namespace, name: "late", body: { data: { b: "2", a: null } } }, merge);
assert.deepEqual(patched.data, { b: "2" });
await core.deleteNamespacedConfigMap({ namespace, name: "late" });
await eventually("four events", () => seen.length >= 4);
assert.deepEqual(seen, ["add early", "add late", "update late", "delete late"]);
await informer.stop();
ok("an informer that saw what was there and what came");

assert.equal(await codeOf(core.readNamespacedConfigMap({ namespace, name: "nosuch" })), 404);
assert.equal(await codeOf(core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "early" } } })), 409);
assert.equal(await codeOf(core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "Wrong Name" } } })), 422);
ok("errors have their codes");

for (let number = 0; number < 12; number++)
  await core.createNamespacedSecret({ namespace, body: { metadata: { name: `s-${String(number).padStart(2, "0")}` } } });
const names = [];
for (let next = ""; ;) {
  const page = await core.listNamespacedSecret({ namespace, limit: 5, ...(next === "" ? {} : { _continue: next }) });
  names.push(...page.items.map(({ metadata }) => metadata.name));
  next = page.metadata._continue ?? "";
  if (next === "") break;
}
assert.equal(names.length, 12);
ok("a list in pages");

const template = { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "c", image: "example.com/x" }] } };
await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: "d" }, spec: { selector: { matchLabels: { app: "x" } }, template } } });
const scale = await apps.readNamespacedDeploymentScale({ namespace, name: "d" });
scale.spec.replicas = 3;
await apps.replaceNamespacedDeploymentScale({ namespace, name: "d", body: scale });
assert.equal((await apps.readNamespacedDeployment({ namespace, name: "d" })).spec.replicas, 3);
ok("a deployment and its scale");

const objects = KubernetesObjectApi.makeApiClient(config);
const applied = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied", namespace }, data: { x: "y" } };
await objects.patch(applied, undefined, undefined, "javascript", true, PatchStrategy.ServerSideApply);
assert.deepEqual(
  (await objects.read(applied)).metadata.managedFields.map(({ manager }) => manager),
  ["javascript"],
);
await objects.delete(applied);
ok("any object, and server-side apply");
