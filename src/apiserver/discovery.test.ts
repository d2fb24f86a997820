// Discovery, version, health and the plain paths.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fixture, golden } from "./fixture.test-suite.ts";

interface Listed {
  readonly name: string;
  readonly resource: string;
}

const AGGREGATED = {
  accept:
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json",
};

/** The entries of a document whose name is a resource or one of its subresources. */
const entriesOf = (document: object, resource: string): Listed[] =>
  (document as { resources: Listed[] }).resources.filter(({ name }) => name === resource || name.startsWith(`${resource}/`));

test("the plain documents: versions, groups, a group, the resources of a version", async () => {
  const { server } = await fixture();
  const api = await ask(server, "GET /api", undefined, { host: "127.0.0.1:6443" });
  assert.deepEqual(api.json, {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "127.0.0.1:6443" }],
  });
  const groups = (await ask(server, "GET /apis")).json as unknown as { groups: { name: string }[] };
  assert.deepEqual(
    groups.groups.map(({ name }) => name),
    ["apps", "serving.knative.dev"],
  );
  const { versions, preferredVersion, ...group } = golden("disc-group-serving.json") as { versions: object[]; preferredVersion: object };
  assert.deepEqual((await ask(server, "GET /apis/serving.knative.dev")).json, { ...group, versions: versions.slice(0, 1), preferredVersion });
  const custom = (await ask(server, "GET /apis/serving.knative.dev/v1")).json;
  const recorded = golden("disc-gv-serving-v1.json");
  assert.deepEqual(custom, { ...recorded, resources: entriesOf(recorded, "services") });
  const core = (await ask(server, "GET /api/v1")).json;
  assert.deepEqual(entriesOf(core, "configmaps"), entriesOf(golden("disc-api-v1.json"), "configmaps"));
  const apps = (await ask(server, "GET /apis/apps/v1")).json;
  assert.deepEqual(
    entriesOf(apps, "gadgets").map(({ name }) => name),
    ["gadgets", "gadgets/log", "gadgets/scale", "gadgets/status"],
  );
});

test("aggregated discovery by Accept, revalidated by its tag", async () => {
  const { server } = await fixture();
  const apis = await ask(server, "GET /apis?timeout=32s", undefined, AGGREGATED);
  assert.equal(apis.headers["content-type"], "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  const [recorded] = (golden("disc-agg-apis.json")["items"] as { metadata: { name: string }; versions: { version: string; resources: Listed[] }[] }[]).filter(
    ({ metadata }) => metadata.name === "serving.knative.dev",
  );
  const ours = (apis.json.items as unknown as (typeof recorded)[]).find((item) => item?.metadata.name === "serving.knative.dev");
  assert.deepEqual(
    ours?.versions[0]?.resources,
    recorded?.versions[0]?.resources.filter(({ resource }) => resource === "services"),
  );
  const etag = String(apis.headers["etag"]);
  const again = await ask(server, "GET /apis?timeout=32s", undefined, { ...AGGREGATED, "if-none-match": etag });
  assert.deepEqual([again.status, again.text], [304, ""]);
  const core = await ask(server, "GET /api", undefined, AGGREGATED);
  assert.deepEqual(
    core.json.items.map(({ metadata }) => metadata),
    [{}],
  );
  const beta = await ask(server, "GET /api", undefined, { accept: "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList" });
  assert.equal(beta.json["apiVersion"], "apidiscovery.k8s.io/v2beta1");
});

test("the version is the one that clients compare with", async () => {
  const { server } = await fixture();
  const { major, minor, gitVersion } = (await ask(server, "GET /version?timeout=32s")).json;
  const recorded = golden("version.json");
  assert.deepEqual([major, minor, gitVersion], [recorded["major"], recorded["minor"], `${String(recorded["gitVersion"])}+eider.0.1.0`]);
});

test("the old OpenAPI is there without definitions, in the encoding that is asked for", async () => {
  const { server } = await fixture();
  assert.equal((await ask(server, "GET /openapi/v2")).json.swagger, "2.0");
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const encoded = await ask(server, "GET /openapi/v2", undefined, { accept });
  assert.equal(encoded.headers["content-type"], accept.replace("@", "."));
  assert.equal(encoded.text.slice(0, 5), "\n\u00032.0");
});

test("documents beside the API are for those who are known, and tell what they know", async () => {
  const { server } = await fixture({ documents: { "/debug/x": (query) => (query.get("of") === "a" ? { of: "a" } : undefined) } });
  assert.equal((await ask(server, "GET /debug/x?of=a", undefined, { authorization: "" })).status, 401);
  assert.deepEqual((await ask(server, "GET /debug/x?of=a")).json, { of: "a" });
  assert.equal((await ask(server, "GET /debug/x?of=b")).status, 404);
});

test("health is open to everyone, metrics are not", async () => {
  const { server } = await fixture({ metricsText: () => "eider_up 1\n" });
  for (const path of ["/healthz", "/livez", "/readyz"]) assert.equal((await ask(server, `GET ${path}`, undefined, { authorization: "" })).text, "ok");
  assert.match((await ask(server, "GET /readyz?verbose")).text, /^\[\+\]ping ok\n.*readyz check passed\n$/s);
  assert.equal((await ask(server, "GET /metrics", undefined, { authorization: "" })).status, 401);
  assert.equal((await ask(server, "GET /metrics")).text, "eider_up 1\n");
  assert.equal((await ask(server, "POST /version", {})).status, 405);
});

test("OpenAPI: an index with hashes, and documents that are revalidated by their tags", async () => {
  const { server } = await fixture();
  const index = await ask(server, "GET /openapi/v3?timeout=32s");
  const paths = index.json["paths"] as unknown as Record<string, { serverRelativeURL: string }>;
  assert.deepEqual(Object.keys(paths), ["api/v1", "apis/apps/v1", "apis/serving.knative.dev/v1"]);
  const url = paths["apis/serving.knative.dev/v1"]?.serverRelativeURL ?? "";
  const document = await ask(server, `GET ${url}`);
  assert.equal(document.json["openapi"], "3.0.0");
  assert.match(document.text, /fieldValidation/);
  const again = await ask(server, `GET ${url}`, undefined, { "if-none-match": String(document.headers["etag"]) });
  assert.equal(again.status, 304);
  assert.equal((await ask(server, "GET /openapi/v3/apis/nosuch/v1")).status, 404);
});
