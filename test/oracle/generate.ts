// Scenarios drawn by chance from a seed: a few names of a few kinds, asked for in every way, well and badly.
import { below, SeededRng, type Rng } from "#core";
import type { PATCH_TYPES, Scenario, Step } from "./corpus.ts";

const STEPS = 12;
const NAMES = ["a", "b", "c"];
const MANAGERS = ["one", "two", "three"];

type Json = Record<string, unknown>;

interface Sort {
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** What is below metadata, well made. */
  body(rng: Rng): Json;
  /** Parts that a patch or an apply may touch. */
  change(rng: Rng): Json;
  readonly hasStatus?: boolean;
  readonly hasScale?: boolean;
  readonly isCustom?: boolean;
}

const pick = <T>(rng: Rng, list: readonly T[]): T => list[below(rng, list.length)] as T;
const maybe = (rng: Rng, oneIn: number): boolean => below(rng, oneIn) === 0;
const word = (rng: Rng): string => pick(rng, ["x", "y", "z", ""]);

function someOf(rng: Rng, members: Json): Json {
  return Object.fromEntries(Object.entries(members).filter(() => !maybe(rng, 2)));
}

const container = (rng: Rng, name: string): Json => ({
  name,
  image: pick(rng, ["i", "i:v1", "r/i@sha256:0"]),
  ...someOf(rng, { env: [{ name: "A", value: word(rng) }], ports: [{ containerPort: 80 + below(rng, 3) }], command: ["c", word(rng)] }),
});
const template = (rng: Rng): Json => ({
  metadata: { labels: { app: "x" } },
  spec: { containers: [container(rng, "c"), ...(maybe(rng, 3) ? [container(rng, "d")] : [])] },
});
const workload = (rng: Rng): Json => ({
  spec: { selector: { matchLabels: { app: "x" } }, template: template(rng), ...someOf(rng, { replicas: below(rng, 4), minReadySeconds: below(rng, 3) }) },
});
const workloadChange = (rng: Rng): Json => ({
  spec: someOf(rng, { replicas: below(rng, 5), minReadySeconds: below(rng, 3), template: { spec: { containers: [container(rng, pick(rng, ["c", "d"]))] } } }),
});
const inNamespace = (group: string, plural: string): string => `${group === "v1" ? "/api/v1" : `/apis/${group}`}/namespaces/$ns/${plural}`;

const SORTS: readonly Sort[] = [
  {
    path: inNamespace("v1", "configmaps"),
    apiVersion: "v1",
    kind: "ConfigMap",
    body: (rng) => someOf(rng, { data: { k: word(rng), l: word(rng) }, binaryData: { b: "AA==" } }),
    change: (rng) => ({ data: someOf(rng, { k: word(rng), l: word(rng), m: word(rng) }) }),
  },
  {
    path: inNamespace("v1", "secrets"),
    apiVersion: "v1",
    kind: "Secret",
    body: (rng) => someOf(rng, { data: { k: "eA==" }, stringData: { s: word(rng) } }),
    change: (rng) => ({ data: someOf(rng, { k: "eQ==", l: "" }) }),
  },
  {
    path: inNamespace("v1", "serviceaccounts"),
    apiVersion: "v1",
    kind: "ServiceAccount",
    body: (rng) => someOf(rng, { secrets: [{ name: "s" }], automountServiceAccountToken: false }),
    change: (rng) => someOf(rng, { imagePullSecrets: [{ name: pick(rng, ["p", "q"]) }], secrets: [{ name: pick(rng, ["s", "t"]) }] }),
  },
  {
    path: inNamespace("v1", "services"),
    apiVersion: "v1",
    kind: "Service",
    hasStatus: true,
    body: (rng) => ({ spec: { ports: [{ name: "http", port: 80 + below(rng, 2) }], ...someOf(rng, { selector: { app: word(rng) }, clusterIP: "None" }) } }),
    change: (rng) => ({
      spec: someOf(rng, {
        ports: [{ name: pick(rng, ["http", "web"]), port: 80 + below(rng, 3) }],
        selector: { app: word(rng) },
        sessionAffinity: pick(rng, ["None", "ClientIP"]),
      }),
    }),
  },
  {
    path: inNamespace("v1", "pods"),
    apiVersion: "v1",
    kind: "Pod",
    hasStatus: true,
    body: (rng) => ({
      spec: { containers: [container(rng, "c")], ...someOf(rng, { restartPolicy: "Never", nodeName: "n", terminationGracePeriodSeconds: below(rng, 3) }) },
    }),
    change: (rng) => ({ spec: someOf(rng, { activeDeadlineSeconds: 10 + below(rng, 3), containers: [{ name: "c", image: pick(rng, ["i", "j"]) }] }) }),
  },
  {
    path: inNamespace("apps/v1", "deployments"),
    apiVersion: "apps/v1",
    kind: "Deployment",
    hasStatus: true,
    hasScale: true,
    body: workload,
    change: workloadChange,
  },
  {
    path: inNamespace("apps/v1", "replicasets"),
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    hasStatus: true,
    hasScale: true,
    body: workload,
    change: workloadChange,
  },
  {
    path: inNamespace("coordination.k8s.io/v1", "leases"),
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    body: (rng) => ({ spec: someOf(rng, { holderIdentity: word(rng), leaseDurationSeconds: 1 + below(rng, 3) }) }),
    change: (rng) => ({ spec: someOf(rng, { holderIdentity: word(rng), leaseTransitions: below(rng, 3) }) }),
  },
  {
    path: inNamespace("discovery.k8s.io/v1", "endpointslices"),
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    body: (rng) => ({ addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }], ...someOf(rng, { ports: [{ port: 80 + below(rng, 3) }] }) }),
    change: (rng) => someOf(rng, { endpoints: [{ addresses: [`10.0.0.${1 + below(rng, 3)}`] }], ports: [{ port: 80 }] }),
  },
  {
    path: inNamespace("serving.knative.dev/v1", "routes"),
    apiVersion: "serving.knative.dev/v1",
    kind: "Route",
    isCustom: true,
    hasStatus: true,
    body: (rng) => ({ spec: someOf(rng, { traffic: [{ percent: below(rng, 100), tag: word(rng) }] }) }),
    change: (rng) => ({ spec: { traffic: [{ percent: below(rng, 100), latestRevision: maybe(rng, 2) }] } }),
  },
  {
    path: inNamespace("serving.knative.dev/v1", "services"),
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    isCustom: true,
    hasStatus: true,
    body: (rng) => ({ spec: { template: { spec: { containers: [container(rng, "c")] } } } }),
    change: (rng) => ({ spec: { template: { spec: someOf(rng, { timeoutSeconds: below(rng, 9), containerConcurrency: below(rng, 9) }) } } }),
  },
];

function metadata(rng: Rng, name: string): Json {
  return {
    name,
    ...someOf(rng, { labels: { app: pick(rng, ["x", "y"]), n: word(rng) }, annotations: { note: word(rng) } }),
    ...(maybe(rng, 12) ? { finalizers: ["example.com/hold"] } : {}),
  };
}

/** What is wrong with a request in one case of six. */
const SPOILS: readonly ((rng: Rng, object: Json) => Json)[] = [
  (_rng, object) => ({ ...object, surprise: 1 }),
  (_rng, object) => ({ ...object, metadata: { ...(object["metadata"] as Json), labels: { "bad key": "v" } } }),
  (_rng, object) => ({ ...object, metadata: { ...(object["metadata"] as Json), name: "Bad_Name" } }),
  (_rng, object) => ({ ...object, metadata: { ...(object["metadata"] as Json), namespace: "elsewhere" } }),
  (_rng, object) => ({ ...object, kind: "Other" }),
  (_rng, object) => ({ ...object, apiVersion: "other/v1" }),
  (_rng, object) => ({ ...object, metadata: { ...(object["metadata"] as Json), resourceVersion: "1" } }),
  (_rng, object) => ({ ...object, metadata: { ...(object["metadata"] as Json), uid: "11111111-1111-4111-8111-111111111111" } }),
  (_rng, object) => ({ ...object, metadata: { ...(object["metadata"] as Json), ownerReferences: [{ apiVersion: "v1", kind: "", name: "o", uid: "u" }] } }),
  (rng, object) => ({ ...object, [pick(rng, ["data", "spec", "status", "metadata"])]: pick(rng, ["words", 5, [], null]) }),
];

const spoiled = (rng: Rng, object: Json): Json => (maybe(rng, 6) ? pick(rng, SPOILS)(rng, object) : object);

function queryOf(rng: Rng): string {
  const all = [
    maybe(rng, 5) ? `fieldManager=${pick(rng, MANAGERS)}` : "",
    maybe(rng, 6) ? `fieldValidation=${pick(rng, ["Strict", "Warn", "Ignore"])}` : "",
    maybe(rng, 12) ? "dryRun=All" : "",
  ].filter((part) => part !== "");
  return all.length === 0 ? "" : `?${all.join("&")}`;
}

function whole(rng: Rng, sort: Sort, name: string): Json {
  return spoiled(rng, { apiVersion: sort.apiVersion, kind: sort.kind, metadata: metadata(rng, name), ...sort.body(rng) });
}

function jsonPatch(rng: Rng): unknown {
  const value = word(rng);
  return pick(rng, [
    [{ op: "add", path: "/metadata/labels", value: { app: value } }],
    [{ op: "replace", path: "/metadata/labels/app", value }],
    [{ op: "remove", path: "/metadata/annotations" }],
    [{ op: "test", path: "/metadata/name", value: pick(rng, NAMES) }],
    [{ op: "copy", from: "/metadata/labels", path: "/metadata/annotations" }],
    [{ op: "move", from: "/metadata/annotations", path: "/metadata/labels" }],
    [],
    {},
  ]);
}

function patchStep(rng: Rng, sort: Sort, name: string): Step {
  const patch = pick(rng, ["json", "merge", "merge", "strategic", "apply", "apply", "apply"] as const satisfies readonly (keyof typeof PATCH_TYPES)[]);
  const target = `PATCH ${sort.path}/${name}`;
  if (patch === "json") return { request: `${target}${queryOf(rng)}`, patch, body: jsonPatch(rng) };
  const change = sort.change(rng);
  if (patch !== "apply") {
    const meta = someOf(rng, { labels: { n: maybe(rng, 3) ? null : word(rng) }, annotations: { note: word(rng) } });
    return { request: `${target}${queryOf(rng)}`, patch, body: spoiled(rng, { metadata: meta, ...change }) };
  }
  const force = maybe(rng, 3) ? "&force=true" : "";
  const body = {
    apiVersion: sort.apiVersion,
    kind: sort.kind,
    metadata: { name, ...someOf(rng, { labels: { n: word(rng) } }) },
    ...(maybe(rng, 3) ? sort.body(rng) : change),
  };
  return { request: `${target}?fieldManager=${pick(rng, MANAGERS)}${force}`, patch, body: spoiled(rng, body) };
}

const SELECTORS = [
  "labelSelector=app%3Dx",
  "labelSelector=app%20in%20(x,y),n!%3Dz",
  "labelSelector=!n",
  "fieldSelector=metadata.name%3Da",
  "fieldSelector=metadata.name!%3Db",
  "limit=2",
  "labelSelector=app%20like%20x",
  "fieldSelector=nothing%3D1",
  "resourceVersion=0&resourceVersionMatch=Exact",
];

function readStep(rng: Rng, sort: Sort, name: string): Step {
  const accept = pick(rng, ["json", "json", "table", "partial", "partiallist"]);
  if (maybe(rng, 2)) return { request: `GET ${sort.path}/${name}`, accept };
  const selector = maybe(rng, 2) ? "" : `?${pick(rng, SELECTORS)}`;
  return { request: `GET ${sort.path}${selector}`, accept };
}

function deletion(rng: Rng, sort: Sort, name: string): Step {
  const body = pick<Json | undefined>(rng, [
    undefined,
    undefined,
    { propagationPolicy: pick(rng, ["Background", "Foreground", "Orphan"]) },
    { gracePeriodSeconds: below(rng, 3) },
    { dryRun: ["All"] },
    { preconditions: { uid: "11111111-1111-4111-8111-111111111111" } },
  ]);
  const target = maybe(rng, 6) ? `${sort.path}?labelSelector=app%3D${pick(rng, ["x", "y"])}` : `${sort.path}/${name}`;
  return { request: `DELETE ${target}`, ...(body === undefined ? {} : { body }) };
}

function subresourceStep(rng: Rng, sort: Sort, name: string): Step {
  const isScale = sort.hasScale === true && maybe(rng, 2);
  const target = `${sort.path}/${name}/${isScale ? "scale" : "status"}`;
  if (maybe(rng, 4)) return { request: `GET ${target}` };
  if (isScale) return { request: `PATCH ${target}`, patch: "merge", body: { spec: { replicas: below(rng, 5) } } };
  return { request: `PATCH ${target}${queryOf(rng)}`, patch: "merge", body: spoiled(rng, { metadata: { labels: { n: word(rng) } }, status: {} }) };
}

function step(rng: Rng, sort: Sort): Step {
  const name = pick(rng, NAMES);
  const dice = below(rng, 20);
  if (dice < 6) return { request: `POST ${sort.path}${queryOf(rng)}`, body: whole(rng, sort, name) };
  if (dice < 8) return { request: `PUT ${sort.path}/${name}${queryOf(rng)}`, body: whole(rng, sort, name) };
  if (dice < 13) return patchStep(rng, sort, name);
  if (dice < 16) return readStep(rng, sort, name);
  if (dice < 18 || sort.hasStatus !== true) return deletion(rng, sort, name);
  return subresourceStep(rng, sort, name);
}

/** The scenario of this number under the seed; any of them can be made alone. */
export function generated(seed: number, number: number): Scenario {
  const rng = new SeededRng(seed * 100_003 + number);
  const sort = pick(rng, SORTS);
  const first: Step = { request: `POST ${sort.path}`, body: { apiVersion: sort.apiVersion, kind: sort.kind, metadata: metadata(rng, "a"), ...sort.body(rng) } };
  const steps = Array.from({ length: STEPS - 2 }, () => step(rng, sort));
  // Some tell at their end all that happened.
  const watch: Step = { request: `GET ${sort.path}?watch=true&resourceVersion=$rv&timeoutSeconds=1`, watch: "end" };
  const last = maybe(rng, 8) ? watch : step(rng, sort);
  return { name: `generated ${seed}/${number}`, area: "generated", steps: [{ ...first, save: { rv: "metadata.resourceVersion" } }, ...steps, last] };
}

/** Scenarios with at least so many requests in all. */
export function generate(seed: number, requests: number): readonly Scenario[] {
  return Array.from({ length: Math.ceil(requests / STEPS) }, (_, number) => generated(seed, number));
}

/** What a difference is about, without its place in the scenario: several of a kind are told once. */
export function classOf(scenario: Scenario, at: string): string {
  const [number = "0", ...path] = at.split(".");
  const request = scenario.steps[Number(number)]?.request ?? "";
  const patch = scenario.steps[Number(number)]?.patch ?? "";
  const [method = "", target = ""] = request.split(" ");
  const resource = target
    .replace(/^.*\$ns\//, "")
    .replace(/\?.*$/, "")
    .replace(/\/[abc](\/|$)/, "/NAME$1");
  return `${method} ${patch} ${resource} ${path.join(".").replaceAll(/\[[^\]]*\]/g, "[]")}`;
}

/** The same difference with as few steps as can be: each is left out and, when nothing changes by that, stays out. */
export async function shrunk(scenario: Scenario, stillDiffers: (smaller: Scenario) => Promise<boolean>): Promise<Scenario> {
  let best = scenario;
  for (let at = best.steps.length - 2; at >= 0; at--) {
    const smaller = { ...best, steps: best.steps.filter((_, index) => index !== at) };
    if (await stillDiffers(smaller)) best = smaller;
  }
  return best;
}
