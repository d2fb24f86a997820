// Creating, changing and deleting through the whole path of a request.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import type { KubeObject } from "#schema";
import { ask, fixture, golden, KINDS, Papers, Site } from "./fixture.test-suite.ts";
import type { ApiServer, ServedKind } from "./index.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const GADGETS = "/apis/apps/v1/namespaces/default/gadgets";
const SITE = { apiVersion: "serving.knative.dev/v1", kind: "Service" };
const SITES = "/apis/serving.knative.dev/v1/namespaces/default/services";
const MERGE = { "content-type": "application/merge-patch+json" };
const map = (name: string, data: object = { a: "1" }): object => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });

test("a created object has what the server owns, and reads back as it was answered", async () => {
  const { server } = await fixture();
  const created = await ask(
    server,
    `POST ${MAPS}`,
    {
      ...map("fx"),
      metadata: { name: "fx", uid: "mine", resourceVersion: "", creationTimestamp: null, managedFields: [] },
    },
    { "user-agent": "curl/8" },
  );
  assert.equal(created.status, 201);
  const want = golden("ok-201-cm.json") as unknown as KubeObject;
  const { uid, resourceVersion, creationTimestamp } = created.json.metadata;
  const managedFields = want.metadata.managedFields?.map((entry) => ({ ...(entry as object), time: creationTimestamp }));
  assert.deepEqual(created.json, { ...want, metadata: { ...want.metadata, uid, resourceVersion, creationTimestamp, managedFields } });
  assert.match(uid, /^[0-9a-f]{8}-/);
  assert.equal(creationTimestamp, "2026-01-01T00:00:00Z");
  assert.deepEqual((await ask(server, `GET ${MAPS}/fx`)).json, created.json);
});

test("generateName adds a suffix, tries again when it is taken, and gives up in the end", async () => {
  const { server } = await fixture({ rng: { uint32: () => 7 } });
  const body = { metadata: { generateName: `${"n".repeat(70)}-` } };
  const created = await ask(server, `POST ${MAPS}`, body);
  assert.match(created.json.metadata.name, /^n{58}[b-z2-9]{5}$/);
  const again = await ask(server, `POST ${MAPS}`, body);
  assert.equal(again.status, 409);
  assert.equal((await ask(server, `POST ${MAPS}`, { metadata: {} })).status, 422);
});

test("namespaces must exist and must not be going away", async () => {
  const { server } = await fixture();
  const missing = await ask(server, "POST /api/v1/namespaces/nosuch/configmaps", map("x"));
  assert.equal(missing.json.message, 'namespaces "nosuch" not found');
  await ask(server, "POST /api/v1/namespaces", { metadata: { name: "old" }, spec: { finalizers: ["kubernetes"] } });
  const deleted = await ask(server, "DELETE /api/v1/namespaces/old");
  assert.notEqual(deleted.json.metadata.deletionTimestamp, undefined);
  const refused = await ask(server, "POST /api/v1/namespaces/old/configmaps", map("x"));
  assert.equal(refused.status, 403);
  assert.equal(refused.json.message, 'configmaps "x" is forbidden: unable to create new content in namespace old because it is being terminated');
  const finalized = await ask(server, "PUT /api/v1/namespaces/old/finalize", { metadata: { name: "old" }, spec: {} });
  assert.equal(finalized.status, 200);
  assert.equal((await ask(server, "GET /api/v1/namespaces/old")).status, 404);
});

test("a namespace that goes while an object is being admitted takes no more objects", async () => {
  let server: ApiServer | undefined;
  const slow: ServedKind = {
    kind: Papers,
    async admit({ object }) {
      if (server !== undefined) await ask(server, "DELETE /api/v1/namespaces/brief");
      return { object, warnings: [] };
    },
  };
  const made = await fixture({ kinds: [...KINDS.filter(({ kind }) => kind.plural !== Papers.plural), slow] });
  await ask(made.server, "POST /api/v1/namespaces", { metadata: { name: "brief" } });
  server = made.server;
  const late = await ask(server, "POST /api/v1/namespaces/brief/configmaps", map("late"));
  assert.deepEqual([late.status, late.json.message], [404, 'namespaces "brief" not found']);
  assert.equal(await made.store.count("/core/configmaps/"), 0);
});

test("a dry run answers like the real thing and writes nothing", async () => {
  const { server, store } = await fixture();
  const before = store.revision;
  const created = await ask(server, `POST ${MAPS}?dryRun=All`, { metadata: { name: "dry" } });
  const { uid, creationTimestamp } = created.json.metadata;
  const want = golden("ok-dryrun-create.json") as unknown as KubeObject;
  assert.deepEqual(created.json, { ...want, metadata: { ...want.metadata, uid, creationTimestamp } });
  assert.equal(store.revision, before);
  await ask(server, `POST ${MAPS}`, map("fx"));
  const after = store.revision;
  assert.equal((await ask(server, `DELETE ${MAPS}/fx`, { dryRun: ["All"] })).json["status"], "Success");
  assert.deepEqual((await ask(server, `PATCH ${MAPS}/fx?dryRun=All`, { data: { b: "2" } }, MERGE)).json["data"], { a: "1", b: "2" });
  assert.equal((await ask(server, `POST ${MAPS}?dryRun=All`, map("fx"))).status, 409);
  assert.equal(store.revision, after);
  assert.equal((await ask(server, `POST ${MAPS}?dryRun=Some`, map("x"))).status, 422);
});

test("unknown fields are dropped with a warning, silently, or refused", async () => {
  const { server } = await fixture();
  const body = (name: string): object => ({ apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name }, spec: { nosuch: 1 } });
  const warned = await ask(server, `POST ${SITES}`, body("a"));
  assert.deepEqual(warned.headers["warning"], ['299 - "unknown field \\"spec.nosuch\\""']);
  assert.deepEqual(warned.json["spec"], {});
  assert.equal((await ask(server, `POST ${SITES}?fieldValidation=Ignore`, body("b"))).headers["warning"], undefined);
  assert.equal((await ask(server, `POST ${SITES}?fieldValidation=Strict`, body("c"))).status, 400);
  assert.equal((await ask(server, `POST ${SITES}?fieldValidation=Maybe`, body("d"))).status, 422);
});

test("generation counts changes of the spec, the status has a door of its own, and nothing new is not written", async () => {
  const { server, store } = await fixture();
  const created = await ask(server, `POST ${GADGETS}`, { metadata: { name: "g" }, spec: { replicas: 1 }, status: { phase: "Sneaky" } });
  assert.equal(created.json["status"], undefined);
  assert.equal(created.json.metadata.generation, 1);
  const labelled = await ask(server, `PATCH ${GADGETS}/g`, { metadata: { labels: { a: "b" } }, status: { phase: "Sneaky" } }, MERGE);
  assert.equal(labelled.json.metadata.generation, 1);
  assert.equal(labelled.json["status"], undefined);
  const status = await ask(server, `PUT ${GADGETS}/g/status`, {
    metadata: { name: "g", labels: {}, annotations: { c: "d" } },
    spec: { replicas: 7 },
    status: { phase: "Running" },
  });
  assert.deepEqual([status.json["status"], status.json["spec"], status.json.metadata.generation], [{ phase: "Running" }, { replicas: 1 }, 1]);
  assert.deepEqual([status.json.metadata.labels, status.json.metadata.annotations], [{ a: "b" }, { c: "d" }]);
  const before = store.revision;
  const same = await ask(server, `PATCH ${GADGETS}/g`, { spec: { replicas: null } }, MERGE);
  assert.equal(same.text, status.text);
  assert.equal(store.revision, before);
  const changed = await ask(server, `PATCH ${GADGETS}/g`, { spec: { replicas: 2 } }, MERGE);
  assert.deepEqual([changed.json.metadata.generation, changed.json["status"]], [2, { phase: "Running" }]);
});

test("optimistic locking: a stale version, another uid, and a custom kind without a version", async () => {
  const { server } = await fixture();
  const created = await ask(server, `POST ${SITES}`, { ...SITE, metadata: { name: "s" }, spec: {} });
  const unversioned = await ask(server, `PUT ${SITES}/s`, { ...SITE, metadata: { name: "s" }, spec: {} });
  assert.equal(
    unversioned.json.message,
    'services.serving.knative.dev "s" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  );
  const { resourceVersion } = created.json.metadata;
  const first = await ask(server, `PUT ${SITES}/s`, { ...SITE, metadata: { name: "s", resourceVersion }, spec: { template: {} } });
  assert.equal(first.status, 200);
  const stale = await ask(server, `PATCH ${SITES}/s`, { metadata: { finalizers: ["x/y"], resourceVersion } }, MERGE);
  assert.equal(stale.json["reason"], "Conflict");
  await ask(server, `POST ${MAPS}`, map("m"));
  assert.equal((await ask(server, `PUT ${MAPS}/m`, { ...map("m", { a: "2" }) })).status, 200);
  assert.equal((await ask(server, `PUT ${MAPS}/m`, { ...map("m"), metadata: { name: "m", uid: "other" } })).status, 409);
  assert.equal((await ask(server, `PUT ${MAPS}/m`, map("n"))).json.message, "the name of the object (n) does not match the name on the URL (m)");
});

test("a patch cannot change the uid, and what is wrong with the metadata of a changed object is told as often as Kubernetes looks", async () => {
  const { server } = await fixture();
  await ask(server, `POST ${MAPS}`, map("m"));
  const moved = await ask(server, `PATCH ${MAPS}/m`, { metadata: { uid: "other" } }, MERGE);
  const message = 'Invalid value: "other": field is immutable';
  assert.equal(moved.json.message, `ConfigMap "m" is invalid: metadata.uid: ${message}`);
  const cause = { reason: "FieldValueInvalid", message, field: "metadata.uid" };
  assert.deepEqual(moved.json["details"], { name: "m", kind: "ConfigMap", causes: [cause, cause] });
  const labelled = await ask(server, `PATCH ${MAPS}/m`, { metadata: { labels: { "bad key!": "v" } } }, MERGE);
  assert.equal(labelled.text.split('"field":"metadata.labels"').length - 1, 4);
  assert.equal(labelled.json.message.split("bad key!").length - 1, 1, "the sentence tells it once");
});

test("a write without a version wins over others that come between", async () => {
  const { server, store } = await fixture();
  await ask(server, `POST ${MAPS}`, map("m", {}));
  const patches = Array.from({ length: 4 }, (_, at) => ask(server, `PATCH ${MAPS}/m`, { data: { [`k${at}`]: "v" } }, MERGE));
  const answers = await Promise.all(patches);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  assert.deepEqual((await ask(server, `GET ${MAPS}/m`)).json["data"], { k0: "v", k1: "v", k2: "v", k3: "v" });
  assert.equal(store.revision, 6);
});

test("a deleted object without finalizers is gone, with Kubernetes' Status", async () => {
  const { server } = await fixture();
  const created = await ask(server, `POST ${MAPS}`, map("ssa"));
  const deleted = await ask(server, `DELETE ${MAPS}/ssa`, { kind: "DeleteOptions", apiVersion: "serving.knative.dev/v1", propagationPolicy: "Background" });
  const want = golden("ok-delete-status.json") as { details: object };
  assert.deepEqual(deleted.json, { ...want, details: { ...want.details, uid: created.json.metadata.uid } });
  assert.equal((await ask(server, `DELETE ${MAPS}/ssa`)).status, 404);
});

test("finalizers keep the object until the last is taken away, and no new ones come", async () => {
  const { server } = await fixture();
  await ask(server, `POST ${SITES}`, { ...SITE, metadata: { name: "s", finalizers: ["a/b"] }, spec: {} });
  const deleted = await ask(server, `DELETE ${SITES}/s`, { propagationPolicy: "Foreground" });
  assert.deepEqual(deleted.json.metadata.finalizers, ["a/b", "foregroundDeletion"]);
  assert.deepEqual([deleted.json.metadata.deletionGracePeriodSeconds, deleted.json.metadata.generation], [0, 2]);
  const again = await ask(server, `DELETE ${SITES}/s`);
  assert.equal(again.json.metadata.resourceVersion, deleted.json.metadata.resourceVersion);
  const added = await ask(server, `PATCH ${SITES}/s`, { metadata: { finalizers: ["a/b", "c/d"] } }, MERGE);
  assert.equal(added.status, 422);
  const last = await ask(server, `PATCH ${SITES}/s`, { metadata: { finalizers: [] } }, MERGE);
  assert.equal(last.status, 200);
  assert.equal((await ask(server, `GET ${SITES}/s`)).status, 404);
});

test("orphan and background policies are told by finalizers", async () => {
  const { server } = await fixture();
  await ask(server, `POST ${MAPS}`, map("m"));
  const orphaned = await ask(server, `DELETE ${MAPS}/m?propagationPolicy=Orphan`);
  assert.deepEqual(orphaned.json.metadata.finalizers, ["orphan"]);
  assert.equal((await ask(server, `DELETE ${MAPS}/m`, { propagationPolicy: "Background" })).json["status"], "Success");
  await ask(server, `POST ${MAPS}`, map("m"));
  assert.equal((await ask(server, `DELETE ${MAPS}/m`, { propagationPolicy: "Sideways" })).status, 422);
});

test("graceful deletion: marked first, shortened on demand, removed with no grace left", async () => {
  const { server } = await fixture();
  await ask(server, `POST ${GADGETS}`, { metadata: { name: "g" }, spec: {} });
  const marked = await ask(server, `DELETE ${GADGETS}/g`);
  assert.deepEqual([marked.json.metadata.deletionTimestamp, marked.json.metadata.deletionGracePeriodSeconds], ["2026-01-01T00:00:30Z", 30]);
  const shorter = await ask(server, `DELETE ${GADGETS}/g`, { gracePeriodSeconds: 5 });
  assert.equal(shorter.json.metadata.deletionTimestamp, "2026-01-01T00:00:05Z");
  const longer = await ask(server, `DELETE ${GADGETS}/g`, { gracePeriodSeconds: 60 });
  assert.equal(longer.json.metadata.deletionGracePeriodSeconds, 5);
  assert.equal((await ask(server, `DELETE ${GADGETS}/g?gracePeriodSeconds=0`)).json["status"], "Success");
});

test("a collection is deleted by its labels", async () => {
  const { server } = await fixture();
  for (const name of ["a", "b"]) await ask(server, `POST ${MAPS}`, { metadata: { name, labels: { name } } });
  const deleted = await ask(server, `DELETE ${MAPS}?labelSelector=name%3Da`);
  assert.deepEqual([deleted.json["kind"], deleted.json.items.map(({ metadata }) => metadata.name)], ["ConfigMapList", ["a"]]);
  assert.deepEqual(
    (await ask(server, `GET ${MAPS}`)).json.items.map(({ metadata }) => metadata.name),
    ["b"],
  );
  assert.equal((await ask(server, "DELETE /api/v1/namespaces")).status, 405);
});

test("the scale subresource shows and sets the replicas", async () => {
  const { server } = await fixture();
  await ask(server, `POST ${GADGETS}`, { metadata: { name: "d1" }, spec: { selector: { matchLabels: { app: "d1" } } } });
  const status = await ask(server, `PUT ${GADGETS}/d1/status`, { metadata: { name: "d1" }, status: { replicas: 1 } });
  const scale = await ask(server, `GET ${GADGETS}/d1/scale`);
  const { uid, resourceVersion, creationTimestamp } = status.json.metadata;
  const want = golden("ok-scale.json") as unknown as KubeObject;
  assert.deepEqual(scale.json, { ...want, metadata: { ...want.metadata, uid, resourceVersion, creationTimestamp } });
  const patched = await ask(server, `PATCH ${GADGETS}/d1/scale`, { spec: { replicas: 3 } }, MERGE);
  assert.deepEqual(patched.json["spec"], { replicas: 3 });
  const stale = await ask(server, `PUT ${GADGETS}/d1/scale`, scale.json);
  assert.equal(stale.status, 409);
  assert.equal((await ask(server, `PUT ${GADGETS}/d1/scale`, { ...patched.json, spec: { replicas: -1 } })).status, 422);
  const gadget = await ask(server, `GET ${GADGETS}/d1`);
  assert.deepEqual([(gadget.json["spec"] as { replicas?: number } | undefined)?.replicas, gadget.json.metadata.generation], [3, 2]);
});

test("patches of every type, and 415 for those that are not there", async () => {
  const { server } = await fixture();
  await ask(server, `POST ${MAPS}`, map("m"));
  const json = await ask(server, `PATCH ${MAPS}/m`, [{ op: "add", path: "/data/b", value: "2" }], { "content-type": "application/json-patch+json" });
  assert.deepEqual(json.json["data"], { a: "1", b: "2" });
  const strategic = await ask(server, `PATCH ${MAPS}/m`, { data: { a: null } }, { "content-type": "application/strategic-merge-patch+json" });
  assert.deepEqual(strategic.json["data"], { b: "2" });
  assert.equal((await ask(server, `PATCH ${MAPS}/m`, {}, { "content-type": "application/apply-patch" })).status, 415);
  assert.equal((await ask(server, `PATCH ${MAPS}/nosuch`, {}, MERGE)).status, 404);
});

test("admission sees every write, may change it, warn and refuse", async () => {
  const seen: string[] = [];
  const kinds = KINDS.map((served) =>
    served.kind.plural !== Papers.plural
      ? served
      : {
          ...served,
          admit: ({ operation, object, old }: { operation: string; object: KubeObject; old: KubeObject | undefined }) => {
            seen.push(`${operation} ${old === undefined ? "new" : "old"}`);
            if (object.metadata.name === "no") throw new StatusError("Forbidden", "not this one", { warnings: ["nor another"] });
            return { object: { ...object, data: { by: "admission" } }, warnings: ['beware of "it"'] };
          },
        },
  );
  const { server } = await fixture({ kinds });
  const created = await ask(server, `POST ${MAPS}`, map("m"));
  assert.deepEqual(created.json["data"], { by: "admission" });
  assert.deepEqual(created.headers["warning"], ['299 - "beware of \\"it\\""']);
  await ask(server, `PATCH ${MAPS}/m`, { data: { c: "3" } }, MERGE);
  await ask(server, `DELETE ${MAPS}/m`);
  assert.deepEqual(seen, ["CREATE new", "UPDATE old", "DELETE old"]);
  const refused = await ask(server, `POST ${MAPS}`, map("no"));
  assert.equal(refused.json.message, "not this one");
  assert.deepEqual(refused.headers["warning"], ['299 - "nor another"']);
});

test("an unforeseen failure is logged and tells nothing of its inside", async () => {
  const kinds = KINDS.map((served) =>
    served.kind.plural === Site.plural
      ? {
          ...served,
          admit: () => {
            throw new Error("secret detail");
          },
        }
      : served,
  );
  const { server } = await fixture({ kinds });
  const answer = await ask(server, `POST ${SITES}`, { ...SITE, metadata: { name: "s" } });
  assert.equal(answer.status, 500);
  assert.doesNotMatch(answer.text, /secret detail/);
});
