// Discovery, version, health and the plain paths.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareGroups, compareVersions } from "./discovery-order.ts";
import { ask, fixture, golden, goldenText, Site } from "./fixture.test-suite.ts";
import { served } from "./index.ts";

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

test("the old OpenAPI has the same definitions, in the encoding that is asked for, and is revalidated by its tag", async () => {
  const { server } = await fixture();
  const json = await ask(server, "GET /openapi/v2");
  assert.ok(Object.hasOwn(json.json["definitions"] ?? {}, "dev.knative.serving.v1.Service"));
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const encoded = await ask(server, "GET /openapi/v2", undefined, { accept });
  assert.equal(encoded.headers["content-type"], accept.replace("@", "."));
  assert.equal(encoded.text.slice(0, 5), "\n\u00032.0");
  assert.equal(encoded.headers["etag"], json.headers["etag"]);
  const again = await ask(server, "GET /openapi/v2", undefined, { accept, "if-none-match": String(json.headers["etag"]) });
  assert.deepEqual([again.status, again.text], [304, ""]);
  assert.equal((await ask(server, "GET /openapi/v2", undefined, { accept: "text/html" })).status, 406);
});

test("documents beside the API are for those who are known, and tell what they know", async () => {
  const { server } = await fixture({ documents: { "/debug/x": (query) => (query.get("of") === "a" ? { of: "a" } : undefined) } });
  assert.equal((await ask(server, "GET /debug/x?of=a", undefined, { authorization: "" })).status, 401);
  assert.deepEqual((await ask(server, "GET /debug/x?of=a")).json, { of: "a" });
  assert.equal((await ask(server, "GET /debug/x?of=b")).status, 404);
});

test("endpoints beside the API get any method, and know who asks", async () => {
  const { server } = await fixture({
    endpoints: {
      "/debug/y": ({ method, query, user }) =>
        Promise.resolve({ status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify([method, query.get("of"), user.name]) }),
    },
  });
  assert.equal((await ask(server, "POST /debug/y", {}, { authorization: "" })).status, 401);
  const { json, headers } = await ask(server, "POST /debug/y?of=a", {});
  assert.deepEqual((json as unknown as readonly string[]).slice(0, 2), ["POST", "a"]);
  assert.equal(headers["cache-control"], "no-cache, private");
});

test("health is open to everyone, metrics are not", async () => {
  const { server } = await fixture({ metricsText: () => "eider_up 1\n" });
  for (const path of ["/healthz", "/livez", "/readyz"]) assert.equal((await ask(server, `GET ${path}`, undefined, { authorization: "" })).text, "ok");
  assert.equal((await ask(server, "GET /livez/ping", undefined, { authorization: "" })).status, 401);
  assert.equal((await ask(server, "GET /metrics", undefined, { authorization: "" })).status, 401);
  assert.equal((await ask(server, "GET /metrics")).text, "eider_up 1\n");
  assert.equal((await ask(server, "POST /version", {})).status, 405);
});

test("OpenAPI: an index with hashes, and documents that are revalidated by their tags", async () => {
  const { server } = await fixture();
  const index = await ask(server, "GET /openapi/v3?timeout=32s");
  const paths = index.json["paths"] as unknown as Record<string, { serverRelativeURL: string }>;
  assert.deepEqual(Object.keys(paths), ["api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "apis/serving.knative.dev/v1", "version"]);
  const url = paths["apis/serving.knative.dev/v1"]?.serverRelativeURL ?? "";
  const document = await ask(server, `GET ${url}`);
  assert.equal(document.json["openapi"], "3.0.0");
  assert.match(document.text, /fieldValidation/);
  assert.deepEqual([document.headers["cache-control"], url.endsWith(String(document.headers["etag"]).slice(1, -1))], ["public, immutable", true]);
  const again = await ask(server, `GET ${url}`, undefined, { "if-none-match": String(document.headers["etag"]) });
  assert.equal(again.status, 304);
  const moved = await ask(server, `GET ${url.replace(/.$/, "_")}`);
  assert.deepEqual([moved.status, moved.headers["location"]], [301, url]);
  const missing = await ask(server, "GET /openapi/v3/apis/nosuch/v1");
  assert.deepEqual([missing.status, missing.text], [404, ""]);
  for (const { serverRelativeURL } of Object.values(paths)) assert.equal((await ask(server, `GET ${serverRelativeURL}`)).status, 200, serverRelativeURL);
});

test("whoever asks for a document while it is made gets the same one", async () => {
  const { server } = await fixture();
  // Bytes: two documents of the same content would be two.
  const headers = { authorization: "Bearer good", accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" };
  const asked = Array.from({ length: 50 }, () => server.handle({ method: "GET", target: "/openapi/v2", headers }));
  assert.equal(new Set((await Promise.all(asked)).map(({ body }) => body)).size, 1);
});

test("OpenAPI and discovery follow the kinds that come and go, at once", async () => {
  const { server } = await fixture();
  const hashes = async (): Promise<string> => (await ask(server, "GET /openapi/v3")).text;
  const tag = async (path: string, headers = {}): Promise<unknown> => (await ask(server, `GET ${path}`, undefined, headers)).headers["etag"];
  const before = [await hashes(), await tag("/openapi/v2"), await tag("/apis", AGGREGATED)];
  const Note = { ...Site, group: "notes.dev", plural: "notes", kind: "Note", singular: "note" };
  server.serveCustom([served({ kind: Note })]);
  const there = [await hashes(), await tag("/openapi/v2"), await tag("/apis", AGGREGATED)];
  there.forEach((text, index) => assert.notEqual(text, before[index]));
  assert.equal((await ask(server, "GET /apis/notes.dev/v1")).json["groupVersion"], "notes.dev/v1");
  assert.equal((await ask(server, "GET /openapi/v3/apis/notes.dev/v1")).status, 200);
  server.serveCustom([]);
  assert.deepEqual([await hashes(), await tag("/openapi/v2"), await tag("/apis", AGGREGATED)], before);
});

/** A recorded answer's lines about the checks that we have, too. */
const recordedHealth = (): string[] => goldenText("healthz-verbose.txt").split("\n");

test("health tells each check in the recorded form, leaves out what is excluded, and withholds why one failed", async () => {
  let broken = false;
  const checks = { live: { custom: () => (broken ? Promise.reject(new Error("secret")) : Promise.resolve()) }, ready: { shutdown: () => Promise.resolve() } };
  const { server } = await fixture({ healthChecks: checks });
  const lines = async (target: string): Promise<string[]> => (await ask(server, `GET ${target}`)).text.split("\n");
  assert.deepEqual(await lines("/healthz?verbose"), ["[+]ping ok", "[+]etcd ok", "[+]custom ok", "healthz check passed", ""]);
  assert.deepEqual(
    (await lines("/readyz?verbose")).filter((line) => !recordedHealth().includes(line)),
    ["[+]custom ok"],
  );
  assert.deepEqual(await lines("/readyz?verbose&exclude=etcd&exclude=no&exclude=any"), [
    "[+]ping ok",
    "[+]etcd excluded: ok",
    "[+]custom ok",
    "[+]etcd-readiness ok",
    "[+]shutdown ok",
    'warn: some health checks cannot be excluded: no matches for "any", "no"',
    "readyz check passed",
    "",
  ]);
  assert.deepEqual([(await ask(server, "GET /livez/custom")).text, (await ask(server, "GET /livez/shutdown")).status], ["ok", 404]);
  broken = true;
  const failed = await ask(server, "GET /livez");
  assert.deepEqual([failed.status, failed.text], [500, "[+]ping ok\n[+]etcd ok\n[-]custom failed: reason withheld\nlivez check failed\n"]);
  assert.equal((await ask(server, "GET /livez?exclude=custom")).text, "ok");
  assert.equal((await ask(server, "GET /livez/custom")).status, 500);
});

test("what is not served is told as Kubernetes tells it: a Status below its own groups, a plain page elsewhere", async () => {
  const { server } = await fixture();
  const missing = { status: "Failure", message: "the server could not find the requested resource", reason: "NotFound", details: {}, code: 404 };
  for (const path of ["/api/v2", "/api/v1/nosuch", "/api/v1/namespaces/default/configmaps/x/nosuch", "/apis/apps/v9", "/apis/apps/v1/nosuch"]) {
    assert.deepEqual((await ask(server, `GET ${path}`)).json, { kind: "Status", apiVersion: "v1", metadata: {}, ...missing }, path);
  }
  for (const path of [
    "/nosuch",
    "/apis/nosuch",
    "/apis/batch/v1/jobs",
    "/apis/serving.knative.dev/v1/nosuch",
    "/apis/serving.knative.dev/v9/services",
    "/readyz/",
  ]) {
    assert.equal((await ask(server, `GET ${path}`)).text, "404 page not found\n", path);
  }
  const subresource = await ask(server, "GET /apis/serving.knative.dev/v1/namespaces/default/services/x/nosuch");
  assert.equal(subresource.json.message, 'services.serving.knative.dev "x" not found');
});

test("the root lists the paths, for those who may look", async () => {
  const { server } = await fixture({ metricsText: () => "" });
  const { paths } = (await ask(server, "GET /")).json as unknown as { paths: string[] };
  for (const path of ["/api/v1", "/apis/apps/v1", "/apis/serving.knative.dev", "/livez/etcd", "/metrics", "/openapi/v3", "/version"])
    assert.ok(paths.includes(path), path);
  assert.deepEqual(paths, paths.toSorted());
  assert.equal((await ask(server, "GET /", undefined, { authorization: "" })).status, 401);
});

test("only the forms that Kubernetes has are given, and the others are named", async () => {
  const { server } = await fixture();
  const message = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";
  for (const accept of ["text/html", "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList"]) {
    const refused = await ask(server, "GET /apis", undefined, { accept });
    assert.deepEqual([refused.status, refused.json.message], [406, message]);
  }
});

test("Kubernetes' own groups come first, in its order; groups of definitions by their versions and names, versions best first", () => {
  const groups = golden("disc-apis.json")["groups"] as { name: string; versions: { version: string }[] }[];
  const wanted = groups.map(({ name }) => name).filter((name) => name !== "apiregistration.k8s.io");
  const given = groups.filter(({ name }) => wanted.includes(name)).map(({ name, versions }) => ({ name, version: versions[0]?.version ?? "" }));
  assert.deepEqual(
    given
      .toReversed()
      .sort((a, b) => compareGroups(a, b, true))
      .map(({ name }) => name),
    wanted,
  );
  const aggregated = (golden("disc-agg-apis.json")["items"] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  assert.deepEqual(
    given
      .toReversed()
      .sort((a, b) => compareGroups(a, b, false))
      .map(({ name }) => name),
    aggregated.filter((name) => name !== "apiregistration.k8s.io"),
  );
  for (const { versions } of groups) {
    const names = versions.map(({ version }) => version);
    assert.deepEqual(names.toSorted(compareVersions), names);
  }
  assert.deepEqual(["foo", "v1", "v11alpha2", "v10beta3", "v3beta1", "v12alpha1", "v11beta2", "foo10", "v2", "v10", "v01"].sort(compareVersions), [
    "v10",
    "v2",
    "v1",
    "v11beta2",
    "v10beta3",
    "v3beta1",
    "v12alpha1",
    "v11alpha2",
    "foo",
    "foo10",
    "v01",
  ]);
});
