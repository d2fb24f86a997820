// Tests of users' kinds over the whole API server: from a definition to objects, and back to nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApiServer, served, type ApiServer } from "#apiserver";
import { createClient, createInformerSet } from "#client";
import { createGarbageCollector } from "#controllers";
import { SeededRng, silentLogger, SimClock } from "#core";
import { ConfigMap, Namespace, Service } from "#kinds";
import type { Kind, UserInfo } from "#schema";
import { engines } from "#schema/rules";
import { MemoryStore } from "#store";
import { definitionKind, ensureDefinitions, serveDefinitions } from "./custom-kinds.ts";

const PLATFORM: UserInfo = { name: "platform", groups: ["system:masters"] };
const USER: UserInfo = { name: "admin", groups: ["system:masters"] };

async function start(t: { after(fn: () => void): void }) {
  const clock = new SimClock();
  const rng = new SeededRng(7);
  const ending = new AbortController();
  const own = [served({ kind: Namespace }), served({ kind: ConfigMap }), served({ kind: Service })];
  const kinds = [...own, definitionKind([Service as unknown as Kind], { platform: PLATFORM.name, engines })];
  const store = new MemoryStore({ clock });
  const api = createApiServer({
    kinds,
    store,
    clock,
    rng,
    logger: silentLogger,
    version: "v1.34.4",
    engines,
    authenticate: () => USER,
    authorize: () => undefined,
  });
  const client = createClient(api.transportFor(PLATFORM));
  const informers = createInformerSet({ client, clock, rng, logger: silentLogger });
  const options = { api, kinds: kinds.map(({ kind }) => kind), informers, client, clock, rng, logger: silentLogger };
  const definitions = serveDefinitions({ ...options, convert: () => () => Promise.reject(new Error("no webhook")) });
  void informers.run(ending.signal);
  void definitions.run(ending.signal);
  const collected = kinds.map(({ kind }) => kind);
  const collector = createGarbageCollector({ informers, client, kinds: collected, coming: definitions, clock, rng, logger: silentLogger });
  void collector.run(ending.signal);
  await ensureDefinitions(client, [Service as unknown as Kind], 0);
  await clock.advance(10);
  t.after(() => ending.abort());
  return { api, clock, definitions, store };
}

async function ask(api: ApiServer, line: string, body?: unknown, type = "application/json") {
  const [method = "", target = ""] = line.split(" ");
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await api.handle({ method, target, headers: { "content-type": type }, ...sent });
  return {
    status: answer.status,
    json: JSON.parse(answer.body as string) as Record<string, never> & { message: string; items: { metadata: { name: string } }[] },
  };
}

/** A Widget. */
const widget = (name: string, spec: object = {}, version = "v1") => ({ apiVersion: `x.dev/${version}`, kind: "Widget", metadata: { name }, spec });

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

function widgets(spec: object = { type: "object", properties: { size: { type: "integer", default: 1 } } }, changes: object = {}) {
  return {
    metadata: { name: "widgets.x.dev" },
    spec: {
      group: "x.dev",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec } } } }],
      ...changes,
    },
  };
}

test("a definition becomes a served kind, and takes its objects with it when it goes", async (t) => {
  const { api, clock } = await start(t);
  const made = await ask(api, `POST ${CRDS}`, widgets());
  assert.equal(made.status, 201);
  assert.deepEqual(made.json["status"], { conditions: null, acceptedNames: { plural: "", kind: "" }, storedVersions: ["v1"] });
  await clock.advance(10);
  const established = (await ask(api, `GET ${CRDS}/widgets.x.dev`)).json as unknown as { status: { conditions: { type: string; status: string }[] } };
  assert.deepEqual(
    established.status.conditions.map(({ type, status }) => [type, status]),
    [
      ["NamesAccepted", "True"],
      ["Established", "True"],
    ],
  );
  const path = "/apis/x.dev/v1/namespaces/default/widgets";
  const made2 = await ask(api, `POST ${path}`, widget("a", { colour: "red" }));
  assert.deepEqual(made2.json["spec"], { size: 1 }, "unknown fields go, defaults come");
  assert.equal((await ask(api, `DELETE ${CRDS}/widgets.x.dev`)).status, 200);
  assert.equal((await ask(api, `POST ${path}`, widget("b"))).json.message, "create not allowed while custom resource definition is terminating");
  await clock.advance(1000);
  assert.equal((await ask(api, `GET ${CRDS}/widgets.x.dev`)).status, 404);
  assert.equal((await api.handle({ method: "GET", target: path, headers: {} })).body, "404 page not found\n");
  await ask(api, `POST ${CRDS}`, widgets());
  await clock.advance(10);
  assert.deepEqual((await ask(api, `GET ${path}`)).json.items, []);
});

test("a name that another definition of the group has taken is refused until it is free", async (t) => {
  const { api, clock } = await start(t);
  await ask(api, `POST ${CRDS}`, widgets());
  await clock.advance(10);
  const rival = { ...widgets({ type: "object" }, { names: { plural: "gadgets", kind: "Widget" } }), metadata: { name: "gadgets.x.dev" } };
  await ask(api, `POST ${CRDS}`, rival);
  await clock.advance(10);
  const conditions = async (): Promise<string[]> => {
    const { status } = (await ask(api, `GET ${CRDS}/gadgets.x.dev`)).json as unknown as { status: { conditions: { status: string; message: string }[] } };
    return status.conditions.map(({ status: state, message }) => `${state} ${message}`);
  };
  assert.deepEqual(await conditions(), ['False "WidgetList" is already in use', "False not all names are accepted"]);
  await ask(api, `DELETE ${CRDS}/widgets.x.dev`);
  await clock.advance(1000);
  assert.deepEqual(await conditions(), ["True no conflicts found", "True the initial names have been accepted"]);
});

test("our own kinds are shown as definitions with their labels, and only the platform may write them", async (t) => {
  const { api } = await start(t);
  const found = await ask(api, `GET ${CRDS}?labelSelector=duck.knative.dev/addressable=true`);
  assert.deepEqual(
    found.json.items.map(({ metadata }) => metadata.name),
    ["services.serving.knative.dev"],
  );
  const refused = await ask(api, `DELETE ${CRDS}/services.serving.knative.dev`);
  assert.equal(refused.status, 403);
  assert.match(refused.json.message, /is forbidden: the platform serves this kind itself/);
  const patched = await ask(api, `PATCH ${CRDS}/services.serving.knative.dev`, { metadata: { labels: { a: "b" } } }, "application/merge-patch+json");
  assert.equal(patched.status, 403);
});

test("several versions show the same objects", async (t) => {
  const { api, clock } = await start(t);
  const schema = (properties: object) => ({ openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } } });
  const versions = [
    { name: "v1", served: true, storage: true, schema: schema({ size: { type: "integer" } }) },
    { name: "v1beta1", served: true, storage: false, deprecated: true, schema: schema({ size: { type: "integer" }, old: { type: "string", default: "x" } }) },
  ];
  await ask(api, `POST ${CRDS}`, widgets(undefined, { versions }));
  await clock.advance(10);
  const made = await ask(api, "POST /apis/x.dev/v1beta1/namespaces/default/widgets", widget("a", { size: 2 }, "v1beta1"));
  assert.deepEqual([made.json["apiVersion"], made.json["spec"]], ["x.dev/v1beta1", { size: 2 }]);
  const read = await ask(api, "GET /apis/x.dev/v1/namespaces/default/widgets/a");
  assert.deepEqual([read.json["apiVersion"], read.json["spec"]], ["x.dev/v1", { size: 2 }]);
  const answer = await api.handle({ method: "GET", target: "/apis/x.dev/v1beta1/widgets", headers: {} });
  assert.deepEqual(answer.headers["warning"], ['299 - "x.dev/v1beta1 Widget is deprecated; use x.dev/v1 Widget"']);
});

test("objects that are older than the schema are shown as it says today", async (t) => {
  const { api, clock } = await start(t);
  await ask(api, `POST ${CRDS}`, widgets());
  await clock.advance(10);
  const path = "/apis/x.dev/v1/namespaces/default/widgets";
  await ask(api, `POST ${path}`, widget("a", { size: 3 }));
  const next = widgets({ type: "object", properties: { mode: { type: "string", default: "slow" } } });
  await ask(api, `PATCH ${CRDS}/widgets.x.dev`, { spec: next.spec }, "application/merge-patch+json");
  await clock.advance(10);
  assert.deepEqual((await ask(api, `GET ${path}/a`)).json["spec"], { mode: "slow" });
});

test("what a user's object owns goes with it, and a user's object with what owns it", async (t) => {
  const { api, clock } = await start(t);
  await ask(api, `POST ${CRDS}`, widgets());
  await clock.advance(10);
  const path = "/apis/x.dev/v1/namespaces/default/widgets";
  const maps = "/api/v1/namespaces/default/configmaps";
  const owner = await ask(api, `POST ${path}`, widget("owner"));
  const { uid } = owner.json["metadata"] as unknown as { uid: string };
  const ownerReferences = [{ apiVersion: "x.dev/v1", kind: "Widget", name: "owner", uid }];
  await ask(api, `POST ${maps}`, { metadata: { name: "owned", ownerReferences } });
  await ask(api, `POST ${path}`, { ...widget("owned"), metadata: { name: "owned", ownerReferences } });
  await ask(api, `DELETE ${path}/owner`);
  await clock.advance(1000);
  assert.deepEqual((await ask(api, `GET ${path}`)).json.items, []);
  assert.deepEqual((await ask(api, `GET ${maps}`)).json.items, []);
});
