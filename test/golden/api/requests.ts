// What was asked when each file of golden/kubernetes-api was recorded: steps, the last of which has the recorded answer.
import type { Step } from "../../oracle/corpus.ts";

export interface Asked {
  readonly steps: readonly Step[];
  /** Recorded objects that are put into the store as they are: files of streams that hold them whole. */
  readonly objectsOf?: string;
  /** `columns`: the rows are of kinds whose objects were not recorded. `served`: what we serve of a document that lists everything. `any order`: of causes, which is chance. */
  readonly only?: "columns" | "served" | "any order" | readonly string[];
}

export interface Skipped {
  readonly skipped: string;
}

const MAPS = "/api/v1/namespaces/default/configmaps";
const SITES = "/apis/serving.knative.dev/v1/namespaces/default/services";
const PODS = "/api/v1/namespaces/default/pods";
const CURL = { "user-agent": "curl/8" };
const FX: Step = {
  request: `POST ${MAPS}`,
  headers: CURL,
  body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "fx" }, data: { a: "1" } },
  save: { rv: "metadata.resourceVersion" },
};
const ACCOUNT: Step = { request: "POST /api/v1/namespaces/default/serviceaccounts", body: { metadata: { name: "default" } } };
const applied = (manager: string, value: string, force = ""): Step => ({
  request: `PATCH ${MAPS}/ssa?fieldManager=${manager}${force}`,
  patch: "apply",
  body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "ssa" }, data: { a: value } },
});
const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "d1", labels: { app: "d1" } },
  spec: { selector: { matchLabels: { app: "d1" } }, template: { metadata: { labels: { app: "d1" } }, spec: { containers: [{ name: "c", image: "i" }] } } },
};
const one = (...steps: readonly Step[]): Asked => ({ steps });
const get = (target: string, more: Partial<Step> = {}): Step => ({ request: `GET ${target}`, ...more });
const table = (target: string): Asked => ({ steps: [get(target, { accept: "table" })], only: "columns" });
const DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
const served = (target: string, more: Partial<Step> = {}): Asked => ({ steps: [get(target, more)], only: "served" });
const IDENTITY = "tokens and reviews of access are an issue of their own";
const bad = { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name: "bad" } };

/** By file; `README.md` and the files of headers are not recordings of their own. */
export const REQUESTS: Readonly<Record<string, Asked | Skipped>> = {
  "disc-agg-api.json": served("/api", { accept: DISCOVERY }),
  "disc-agg-apis.json": served("/apis", { accept: DISCOVERY }),
  "disc-api.json": one(get("/api")),
  "disc-api-v1.json": served("/api/v1"),
  "disc-apis.json": served("/apis"),
  "disc-group-serving.json": served("/apis/serving.knative.dev"),
  "disc-gv-apps-v1.json": served("/apis/apps/v1"),
  "disc-gv-serving-v1.json": served("/apis/serving.knative.dev/v1"),
  "err-400-badjson.json": one({ request: `POST ${MAPS}`, body: '{"apiVersion":"v1","kind":"ConfigMap"', headers: { "content-type": "application/json" } }),
  "err-400-fieldselector.json": one(get(`${PODS}?fieldSelector=spec.nosuch%3Dx`)),
  "err-400-kind-mismatch.json": one({ request: `POST ${MAPS}`, body: { apiVersion: "v1", kind: "Secret", metadata: { name: "x" } } }),
  "err-400-ns-mismatch.json": one({ request: `POST ${MAPS}`, body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace: "other" } } }),
  "err-400-selector.json": one(get(`${PODS}?labelSelector=a%3D%3D%3Db`)),
  "err-400-strict.json": one({
    request: `POST ${SITES}?fieldValidation=Strict`,
    body: { ...bad, spec: { nosuch: 1, template: { spec: { containers: [{ image: "x" }] } } } },
  }),
  "err-401.json": one(get(PODS, { as: "stranger" })),
  "err-403-anon.json": one(get(PODS, { as: "anonymous" })),
  "err-403.json": one(get(PODS, { as: "dev" })),
  "err-404.json": one(get(`${PODS}/nosuch`)),
  "err-404-ns.json": one(get("/apis/serving.knative.dev/v1/namespaces/nosuch/services/x")),
  "err-404-path.txt": one(get("/apis/nosuch/v1")),
  "err-405.json": one({ request: `POST ${MAPS}/fx`, body: {} }),
  "err-406.json": one(get(PODS, { accept: "text/html" })),
  "err-409-conflict.json": one(FX, { request: `PUT ${MAPS}/fx`, body: { metadata: { name: "fx", resourceVersion: "1" } } }),
  "err-409-exists.json": one(FX, FX),
  "err-409-ssa.json": one(applied("m1", "1"), applied("m2", "2")),
  "err-409-uid-precondition.json": one(FX, { request: `DELETE ${MAPS}/fx`, body: { preconditions: { uid: "x" } } }),
  "err-410-list-continue.json": one(
    { request: `POST ${MAPS}`, body: { metadata: { name: "x" } } },
    { request: `POST ${MAPS}`, body: { metadata: { name: "y" } } },
    get(`${MAPS}?limit=1`, { save: { next: "metadata.continue" } }),
    { request: `DELETE ${MAPS}/y` },
    { compact: true },
    get(`${MAPS}?limit=1&continue=$next`),
  ),
  "err-410-watch.jsonl": one(get(`${MAPS}?watch=true&resourceVersion=1`, { watch: "end" })),
  "err-415.json": one({ request: `POST ${MAPS}`, body: "x", headers: { "content-type": "text/plain" } }),
  "err-415-smp-cr.json": one({ request: `POST ${SITES}`, body: { ...bad, spec: {} } }, { request: `PATCH ${SITES}/bad`, patch: "strategic", body: {} }),
  "err-422-builtin.json": one(ACCOUNT, {
    request: `POST ${PODS}`,
    body: { apiVersion: "v1", kind: "Pod", metadata: { name: "Bad_Name" }, spec: { containers: [] } },
  }),
  "err-422-crd.json": {
    steps: [
      {
        request: `POST ${SITES}`,
        body: { ...bad, spec: { template: { spec: { containerConcurrency: "x", containers: [{ image: 5 }] } } } },
      },
    ],
    only: "any order",
  },
  "err-422-initial-events.json": one(get(`${PODS}?watch=true&sendInitialEvents=true`)),
  "err-422-jsonpatch-test.json": one(FX, { request: `PATCH ${MAPS}/fx`, patch: "json", body: [{ op: "test", path: "/data/a", value: "9" }] }),
  "err-422-ssa-nofm.json": one({ ...applied("m1", "1"), request: `PATCH ${MAPS}/ssa` }),
  "err-504-rv-too-large.json": one(get(`${MAPS}?resourceVersion=99999999`)),
  "healthz-verbose.txt": { skipped: "it names the parts of kube-apiserver; ours has others" },
  "ksvc-pb-406.json": one(get(SITES, { accept: "application/vnd.kubernetes.protobuf" })),
  "ok-201-cm.json": one(FX),
  "ok-201-warn-unknown.json": one({
    request: `POST ${SITES}?dryRun=All`,
    headers: CURL,
    body: { ...bad, spec: { nosuch: 1, template: { spec: { containers: [{ image: "x" }] } } } },
  }),
  "ok-delete-status.json": one(applied("m1", "1"), { request: `DELETE ${MAPS}/ssa` }),
  "ok-deletecollection.json": one({ request: `DELETE ${MAPS}?labelSelector=nosuch%3Dx` }),
  "ok-dryrun-create.json": one({ request: `POST ${MAPS}?dryRun=All`, body: { metadata: { name: "dry" } } }),
  "ok-dryrun-delete.json": one(FX, { request: `DELETE ${MAPS}/fx?dryRun=All` }),
  "ok-eviction-dry.json": {
    steps: [
      {
        request: `POST ${PODS}/p1/eviction`,
        body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p1" }, deleteOptions: { dryRun: ["All"] } },
      },
    ],
    objectsOf: "watch-initial-events-builtin.jsonl",
  },
  "ok-patch-json.json": one(FX, { request: `PATCH ${MAPS}/fx`, headers: CURL, patch: "json", body: [{ op: "add", path: "/data/b", value: "2" }] }),
  "ok-scale.json": one(
    { request: "POST /apis/apps/v1/namespaces/default/deployments", body: deployment },
    { request: "PATCH /apis/apps/v1/namespaces/default/deployments/d1/status", patch: "merge", body: { status: { replicas: 1 } } },
    get("/apis/apps/v1/namespaces/default/deployments/d1/scale"),
  ),
  "ok-ssa-create.json": one(applied("m1", "1")),
  "ok-ssa-force.json": one(applied("m1", "1"), applied("m2", "2", "&force=true")),
  "ok-ssar.json": { skipped: IDENTITY },
  "ok-ssrr.json": { skipped: IDENTITY },
  "ok-token.json": { skipped: IDENTITY },
  "openid-configuration.json": { skipped: IDENTITY },
  "openid-jwks.json": { skipped: IDENTITY },
  "pod.pb": { skipped: "a test of protobuf decodes and encodes it: src/kinds/protobuf.test.ts" },
  "pom-pods.json": { steps: [get(PODS, { accept: "partiallist" })], objectsOf: "watch-initial-events-builtin.jsonl" },
  "table-configmaps.json": table(MAPS),
  "table-deployments.json": table("/apis/apps/v1/namespaces/default/deployments"),
  "table-events.json": table("/api/v1/namespaces/default/events"),
  "table-ksvc.json": { steps: [get("/apis/serving.knative.dev/v1/namespaces/serving-tests/services", { accept: "table" })], only: "columns" },
  "table-namespaces.json": table("/api/v1/namespaces"),
  "table-nodes.json": table("/api/v1/nodes"),
  "table-pod-includeObject-none.json": { steps: [get(`${PODS}?includeObject=None`, { accept: "table" })], objectsOf: "watch-initial-events-builtin.jsonl" },
  "table-pods.json": { steps: [get(PODS, { accept: "table" })], objectsOf: "watch-initial-events-builtin.jsonl" },
  "table-secrets.json": table("/api/v1/namespaces/default/secrets"),
  "table-serviceaccounts.json": table("/api/v1/namespaces/default/serviceaccounts"),
  "table-services.json": table("/api/v1/namespaces/default/services"),
  "version.json": {
    steps: [get("/version")],
    only: ["major", "minor", "emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor", "gitVersion"],
  },
  "watch-bookmark-90s.jsonl": { skipped: "its events are what a cluster with controllers did meanwhile; bookmarks are in the oracle's corpus" },
  "watch-initial-events-builtin.jsonl": {
    steps: [get(`${PODS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`, { watch: 4 })],
    objectsOf: "watch-initial-events-builtin.jsonl",
  },
  "watch-initial-events-crd-empty.jsonl": one(
    get(`${SITES}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`, { watch: 1 }),
  ),
  "watch-initial-events.jsonl": {
    steps: [
      get(
        "/apis/serving.knative.dev/v1/namespaces/serving-tests/services?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
        { watch: 2 },
      ),
    ],
    objectsOf: "watch-initial-events.jsonl",
  },
  "watch-json-rv.jsonl": one(
    FX,
    { request: `PATCH ${MAPS}/fx`, headers: CURL, patch: "json", body: [{ op: "add", path: "/data/b", value: "2" }], save: { rv: "metadata.resourceVersion" } },
    { request: `PATCH ${MAPS}/fx`, headers: CURL, patch: "merge", body: { data: { x: "1" } } },
    { request: `PATCH ${MAPS}/fx`, headers: CURL, patch: "merge", body: { data: { x: "2" } } },
    { request: `DELETE ${MAPS}/fx` },
    get(`${MAPS}?watch=true&resourceVersion=$rv&allowWatchBookmarks=true`, { watch: 4 }),
  ),
  "watch-pb.bin": { skipped: "the same events as watch-initial-events-builtin.jsonl in protobuf, which the encodings' corpus compares" },
  "watch-table.jsonl": { steps: [get(`${PODS}?watch=true`, { accept: "table", watch: 3 })], objectsOf: "watch-initial-events-builtin.jsonl" },
};
