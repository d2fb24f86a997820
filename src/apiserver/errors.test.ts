// Refusals compared with the bodies that a real API server sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fixture, golden, goldenText, KINDS, Papers, type Fixture } from "./fixture.test-suite.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const SITES = "/apis/serving.knative.dev/v1/namespaces/default/services";
const site = (spec: object): object => ({ apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name: "bad" }, spec });

interface Row {
  readonly file: string;
  readonly line: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const fx = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "fx" }, data: { a: "1" } };

const table: readonly Row[] = [
  { file: "err-401.json", line: `GET ${MAPS}`, headers: { authorization: "Bearer bad" } },
  { file: "err-400-badjson.json", line: `POST ${MAPS}`, body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name"' },
  { file: "err-400-fieldselector.json", line: `GET ${SITES}?fieldSelector=spec.nosuch%3D1` },
  { file: "err-400-selector.json", line: `GET ${MAPS}?labelSelector=a%3D%3D%3Db` },
  { file: "err-400-kind-mismatch.json", line: `POST ${MAPS}`, body: { apiVersion: "v1", kind: "Secret", metadata: { name: "x" } } },
  { file: "err-400-ns-mismatch.json", line: `POST ${MAPS}`, body: { ...fx, metadata: { name: "y", namespace: "other" } } },
  {
    file: "err-400-strict.json",
    line: `POST ${SITES}?fieldValidation=Strict`,
    body: site({ nosuch: 1, template: { spec: { containers: [{ image: "x" }] } } }),
  },
  { file: "err-405.json", line: `PUT ${MAPS}`, body: fx },
  { file: "err-406.json", line: `GET ${MAPS}`, headers: { accept: "text/html" } },
  { file: "err-409-exists.json", line: `POST ${MAPS}`, body: fx },
  { file: "err-409-conflict.json", line: `PUT ${MAPS}/fx`, body: { ...fx, metadata: { name: "fx", resourceVersion: "1" } } },
  { file: "err-415.json", line: `POST ${MAPS}`, body: "x", headers: { "content-type": "text/csv" } },
  { file: "err-415-smp-cr.json", line: `PATCH ${SITES}/bad`, body: {}, headers: { "content-type": "application/strategic-merge-patch+json" } },
  { file: "err-422-crd.json", line: `POST ${SITES}`, body: site({ template: { spec: { containers: [{ image: 5 }], containerConcurrency: "x" } } }) },
  { file: "err-422-initial-events.json", line: `GET ${MAPS}?watch=true&sendInitialEvents=true` },
  {
    file: "err-422-jsonpatch-test.json",
    line: `PATCH ${MAPS}/fx`,
    body: [{ op: "test", path: "/data/a", value: "2" }],
    headers: { "content-type": "application/json-patch+json" },
  },
];

async function withMap(): Promise<Fixture> {
  // One of the refusals is about a kind that is served, but elsewhere.
  const other = { ...Papers, kind: "Secret", plural: "secrets", shortNames: [] };
  const made = await fixture({ kinds: [...KINDS, { kind: other }] });
  assert.equal((await ask(made.server, `POST ${MAPS}`, fx)).status, 201);
  return made;
}

for (const { file, line, body, headers } of table) {
  test(`the refusal of ${line.split("?")[0]} equals ${file}`, async () => {
    const { server } = await withMap();
    const answer = await ask(server, line, body, headers);
    assert.deepEqual(answer.json, golden(file));
    assert.equal(answer.status, golden(file)["code"]);
    assert.equal(answer.headers["content-type"], "application/json");
  });
}

test("a missing object is NotFound with name and resource", async () => {
  const { server } = await fixture();
  const answer = await ask(server, `GET ${SITES}/x`);
  assert.deepEqual(answer.json, golden("err-404-ns.json"));
});

test("paths that nothing is served at get Kubernetes' plain 404", async () => {
  const { server } = await fixture();
  for (const path of ["/nosuch", "/apis/nosuch/v1", "/apis/serving.knative.dev/v2"]) {
    const answer = await ask(server, `GET ${path}`);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.text, goldenText("err-404-path.txt"), path);
    assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
  }
});

test("a refusal of the authorizer is Kubernetes' sentence", async () => {
  const { server } = await fixture({
    authenticate: () => ({ name: "dev", groups: [] }),
    authorize: (_user, { verb }) => (verb === "list" || verb === "get" ? "" : undefined),
  });
  const answer = await ask(server, `GET ${MAPS}`);
  assert.deepEqual(answer.json, JSON.parse(goldenText("err-403.json").replaceAll("pods", "configmaps")));
  assert.match(
    (await ask(server, `GET ${SITES}/x`)).json.message,
    /^services\.serving\.knative\.dev "x" is forbidden: User "dev" cannot get resource "services" in API group "serving\.knative\.dev"/,
  );
  assert.equal((await ask(server, "GET /metrics")).json.message, 'forbidden: User "dev" cannot get path "/metrics"');
});

test("a precondition that fails names the object's kind", async () => {
  const { server } = await withMap();
  const { metadata } = (await ask(server, `GET ${MAPS}/fx`)).json;
  const answer = await ask(server, `DELETE ${MAPS}/fx`, { preconditions: { uid: "x" } });
  const want = goldenText("err-409-uid-precondition.json").replace("e888dc01-a84e-447f-85de-4dd0137e3133", metadata.uid);
  assert.deepEqual(answer.json, JSON.parse(want));
});

test("bodies over 3 MiB are refused", async () => {
  const { server } = await fixture();
  const answer = await ask(server, `POST ${MAPS}`, { ...fx, data: { a: "x".repeat(3 << 20) } });
  assert.equal(answer.status, 413);
});

for (const line of [`POST ${MAPS}`, `PATCH ${MAPS}/fx`, `DELETE ${MAPS}/fx`]) {
  test(`bodies that lie too deep are refused: ${line}`, async () => {
    const { server } = await withMap();
    const deep = `${'{"a":['.repeat(300_000)}${"]}".repeat(300_000)}`;
    const answer = await ask(server, line, deep, { "content-type": line.startsWith("PATCH") ? "application/merge-patch+json" : "application/json" });
    assert.equal(answer.status, 400);
    assert.match(answer.json.message, /json parse error: invalid character '\{' exceeded max depth/);
    const brackets = await ask(server, `POST ${MAPS}`, { ...fx, metadata: { name: "text" }, data: { a: "[{".repeat(1000) } });
    assert.equal(brackets.status, 201, "brackets within a text are no depth");
  });
}
