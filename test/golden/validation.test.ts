// Recorded requests to the real Knative webhook: same request in, same answer, object and warnings out.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { StatusError } from "#core";
import { apiVersionOf, applyMergePatch, compileKind, type AdmissionRequest, type Admit, type Admitted, type CompiledKind, type Kind, type KubeObject } from "#schema";
import {
  Certificate,
  ClusterDomainClaim,
  ConfigMap,
  configMapAdmission,
  Configuration,
  defaultConfigMaps,
  defaultServingConfig,
  Image,
  Ingress,
  Metric,
  PodAutoscaler,
  Revision,
  Route,
  knativeAdmission,
  ServerlessService,
  Service,
  type ConfigMapObject,
} from "#kinds";

interface Case {
  readonly group: string;
  readonly name: string;
  readonly note?: string;
  readonly request: { readonly method: string; readonly path: string; readonly contentType: string; readonly body: Record<string, unknown> };
  readonly response: { readonly code: number; readonly body: Record<string, unknown>; readonly warnings: readonly string[] };
}

interface Answer {
  readonly code: number;
  readonly message?: string;
  readonly object?: KubeObject;
  readonly warnings: readonly string[];
}

/** Cases that are not equal, each with what is missing or why it shall differ. An unexpected pass fails. */
const DRY_RUN = "the webhook tries the pod on a server-side dry run; here only plain admission is compared";
const SERVER = "answered by the API server before or around admission; its own tests hold it";
const EXPECTED_TO_DIFFER: Readonly<Record<string, string>> = {
  "ingress-no-http": "the real webhook crashes; the missing field is named instead",
  "ok-startup-grpc": DRY_RUN,
  "env-secret-no-key": DRY_RUN,
  "container-pull-policy": DRY_RUN,
  "container-requests-over-limits": DRY_RUN,
  "probe-liveness-success-threshold": DRY_RUN,
  "secret-no-name": DRY_RUN,
  "update-name": SERVER,
  "update-strategic-415": SERVER,
  "update-jsonpatch-missing": SERVER,
  "update-jsonpatch-test": SERVER,
  "update-not-found": SERVER,
};

/** Stands for the random part of a generated name. */
const SUFFIX = "x7x7x";

const folder = join(import.meta.dirname, "serving/validation");
const read = (file: string): Case[] => JSON.parse(readFileSync(join(folder, file), "utf8")) as Case[];
const cases = [...read("accepted.json"), ...read("rejected.json")].filter(({ group, name }) => group !== "domainmapping" && name !== "update-dm-ref-ns");

const KINDS = [Service, Configuration, Revision, Route, PodAutoscaler, Metric, Ingress, ServerlessService, Certificate, ClusterDomainClaim, Image] as unknown as Kind[];
const compiled = new Map<string, CompiledKind>(KINDS.map((kind) => [`${apiVersionOf(kind)}/${kind.plural}`, compileKind(kind)]));
const configMaps = compileKind(ConfigMap as unknown as Kind);
const config = defaultServingConfig();
const admits = new Map<string, Admit>(KINDS.map((kind) => [kind.kind, knativeAdmission(kind, () => config)]));
const user = { name: "kubernetes-admin", groups: ["system:masters"] };

/** Namespace, kind and name that the path stands for. */
function target(path: string): { readonly kind: CompiledKind | undefined; readonly name: string | undefined; readonly subresource: string } {
  const [, group = "", version = "", rest = ""] = /^\/apis\/([^/]+)\/([^/]+)\/([^?]+)/.exec(path) ?? [];
  const parts = rest.replace(/^namespaces\/[^/]+\//, "").split("/");
  return { kind: compiled.get(`${group}/${version}/${parts[0] ?? ""}`), name: parts[1], subresource: parts[2] ?? "" };
}

function request(object: KubeObject, old: KubeObject | undefined, subresource = ""): AdmissionRequest {
  return { operation: old === undefined ? "CREATE" : "UPDATE", subresource: subresource as "", user, dryRun: true, object, old };
}

/** As the server does it: schema defaults, admission, then all checks. */
function admitted(kind: CompiledKind, draft: KubeObject, old: KubeObject | undefined, subresource = ""): Answer {
  const object = kind.applyDefaults(draft);
  const answer = admits.get(kind.kind.kind)?.(request(object, old, subresource)) as Admitted;
  const structural = kind.validate(answer.object, old);
  if (structural.length > 0) {
    const [first] = structural;
    const name = JSON.stringify(object.metadata.name ?? "");
    return { code: 422, message: `${kind.kind.kind}.${kind.kind.group} ${name} is invalid: ${first?.field}: ${first?.message}`, warnings: [] };
  }
  return { code: old === undefined ? 201 : 200, object: answer.object, warnings: answer.warnings };
}

/** The objects that updates are against, made from what their recorded creation would have been. */
function existing(kind: CompiledKind, name: string): KubeObject {
  const container = { image: "dev.local/hello:v1" };
  const template = { metadata: name === "byo" ? { name: "byo-one" } : {}, spec: { containers: [container] } };
  const meta = { name, namespace: "validation", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  const reference = { apiVersion: "apps/v1", kind: "Deployment", name: "plain-00001-deployment" };
  const specs: Record<string, unknown> = {
    Service: { template },
    Configuration: { template },
    Revision: { containers: [container] },
    Route: { traffic: [{ configurationName: "plain", percent: 100 }] },
    PodAutoscaler: { scaleTargetRef: reference, protocolType: "http1" },
    ServerlessService: { mode: "Serve", objectRef: reference, protocolType: "http1" },
  };
  const draft = { apiVersion: apiVersionOf(kind.kind), kind: kind.kind.kind, metadata: meta, spec: specs[kind.kind.kind] } as unknown as KubeObject;
  const made = admitted(kind, draft, undefined);
  assert.ok(made.object !== undefined, `the object to update is refused: ${made.message ?? ""}`);
  return made.object;
}

function patchConfigMap(name: string, body: unknown): Answer {
  const map = defaultConfigMaps({ domain: "example.com", version: "1.23.0" }).find((draft) => draft.metadata.name === name);
  assert.ok(map !== undefined, `no ConfigMap ${name}`);
  const object = applyMergePatch(map, body) as ConfigMapObject;
  const [wrong] = configMaps.validate(object, map as ConfigMapObject);
  if (wrong !== undefined) return { code: 422, message: `ConfigMap ${JSON.stringify(name)} is invalid: ${wrong.field}: ${wrong.message}`, warnings: [] };
  configMapAdmission({ operation: "UPDATE", subresource: "", user, dryRun: true, object, old: map as ConfigMapObject });
  return { code: 200, warnings: [] };
}

function answerOf({ request: { method, path, body } }: Case): Answer {
  const { kind, name, subresource } = target(path);
  if (kind === undefined) return patchConfigMap((path.split("?")[0] ?? "").split("/").at(-1) ?? "", body);
  const validation = { fieldValidation: "Strict" } as const;
  if (method === "POST") {
    const draft = kind.decode(body, validation).object;
    const { generateName } = draft.metadata;
    const inNamespace = { ...draft.metadata, ...(kind.kind.scope === "Cluster" ? {} : { namespace: "validation" }), ...(generateName === undefined ? {} : { name: generateName + SUFFIX }) };
    return admitted(kind, { ...draft, metadata: inNamespace }, undefined);
  }
  const old = existing(kind, name ?? "");
  const draft = kind.decode(applyMergePatch(old, body), validation).object;
  const next = subresource === "status" ? { ...old } : draft;
  return admitted(kind, next, old, subresource);
}

function run(recorded: Case): Answer {
  try {
    return answerOf(recorded);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { code: error.code, message: error.message.replaceAll(SUFFIX, "<rand>"), warnings: [] };
  }
}

/** What the server adds on its own is left out. */
function comparable(object: Record<string, unknown> | KubeObject | undefined): unknown {
  if (object === undefined) return undefined;
  const { status: _, metadata, ...rest } = JSON.parse(JSON.stringify(object)) as Record<string, unknown> & { metadata: Record<string, unknown> };
  const { creationTimestamp: _1, generation: _2, uid: _3, resourceVersion: _4, ...meta } = metadata;
  return { ...rest, metadata: meta };
}

function compare(recorded: Case): void {
  const { code, body, warnings } = recorded.response;
  const answer = run(recorded);
  assert.equal(answer.message, body["message"] as string | undefined);
  assert.equal(answer.code, code);
  if (code >= 300) return;
  assert.deepEqual(answer.warnings.map((text) => `299 - ${JSON.stringify(text)}`), warnings);
  if (!("omitted" in body)) assert.deepEqual(comparable(answer.object), comparable(body));
}

test("there are recordings to compare with", () => assert.ok(cases.length > 300));

for (const recorded of cases) {
  const why = EXPECTED_TO_DIFFER[recorded.name];
  if (why === undefined) test(`${recorded.group}: ${recorded.name}`, () => compare(recorded));
  else test(`${recorded.group}: ${recorded.name} differs still: ${why}`, () => assert.throws(() => compare(recorded)));
}
