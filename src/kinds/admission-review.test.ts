// AdmissionReviews: a patch that defaults, Knative's texts without the server's part, what is let through, what is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { applyJsonPatch, type Kind } from "#schema";
import { reviewAnswerer, REVIEW_PATHS } from "./admission-review.ts";
import { parseServingConfig } from "./config/serving-config.ts";
import { ClusterDomainClaim } from "./networking/cluster-domain-claim.ts";
import { Service } from "./serving/service.ts";
import { webhookConfigurations } from "./webhook-configurations.ts";

const kinds = [Service, ClusterDomainClaim] as unknown as Kind[];
const { config } = parseServingConfig({});
const answer = reviewAnswerer({ kinds, config: () => config, tryTemplate: () => Promise.reject(new Error("not tried")) });

const service = (spec: object, metadata: object = {}) => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name: "hello", namespace: "default", ...metadata },
  spec,
});
const hello = service({ template: { spec: { containers: [{ image: "dev.local/hello" }] } } });

function review(object: unknown, its: object = {}) {
  const kind = { group: "serving.knative.dev", version: "v1", kind: "Service" };
  const userInfo = { username: "anna", groups: ["system:authenticated"] };
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "u1", kind, operation: "CREATE", userInfo, object, oldObject: null, dryRun: false, ...its },
  };
}

interface Response {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patch?: string;
  readonly patchType?: string;
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
}

async function asked(path: string, body: unknown): Promise<Response> {
  return ((await answer(path, body)) as { response: Response }).response;
}

test("a review at the defaulting webhook is answered with a patch that fills in what is missing, and who it was", async () => {
  const { uid, allowed, patch = "", patchType } = await asked(REVIEW_PATHS.mutate, review(hello));
  assert.deepEqual([uid, allowed, patchType], ["u1", true, "JSONPatch"]);
  const filled = applyJsonPatch(hello, JSON.parse(Buffer.from(patch, "base64").toString()) as unknown) as typeof hello & {
    metadata: { annotations: object };
    spec: { traffic: unknown; template: { spec: { timeoutSeconds: number } } };
  };
  assert.deepEqual(filled.metadata.annotations, { "serving.knative.dev/creator": "anna", "serving.knative.dev/lastModifier": "anna" });
  assert.deepEqual(filled.spec.traffic, [{ latestRevision: true, percent: 100 }]);
  assert.equal(filled.spec.template.spec.timeoutSeconds, 300);
  const again = await asked(REVIEW_PATHS.mutate, review(filled));
  assert.deepEqual(again, { uid: "u1", allowed: true }, "what is whole is not patched");
});

const refusals = [
  {
    name: "what does not decode is refused by the defaulting webhook",
    path: REVIEW_PATHS.mutate,
    object: service({ template: { spec: { containers: "none" } } }),
    message: /^mutation failed: cannot decode incoming new object: /,
  },
  {
    name: "what is wrong is refused by the validating webhook",
    path: REVIEW_PATHS.validate,
    object: service({ template: { spec: { containers: [{}] } } }),
    message: /^validation failed: [^]*missing field\(s\): spec\.template\.spec\.containers\[0\]/,
  },
];
for (const { name, path, object, message } of refusals) {
  test(`a review: ${name}`, async () => {
    const { allowed, status } = await asked(path, review(object));
    assert.equal(allowed, false);
    assert.deepEqual([status?.code, status?.reason], [400, "BadRequest"]);
    assert.match(status?.message ?? "", message);
  });
}

test("a review: settings that cannot be read are refused in guarded ConfigMaps only", async () => {
  const map = (labels: object) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "config-autoscaler", namespace: "knative-serving", labels },
    data: { "stable-window": "x" },
  });
  const kind = { group: "", version: "v1", kind: "ConfigMap" };
  const guarded = { "app.kubernetes.io/name": "knative-serving", "app.kubernetes.io/component": "autoscaler" };
  const refused = await asked(REVIEW_PATHS.checkConfig, review(map(guarded), { kind }));
  assert.match(refused.status?.message ?? "", /^validation failed: /);
  assert.deepEqual(await asked(REVIEW_PATHS.checkConfig, review(map({}), { kind })), { uid: "u1", allowed: true });
});

test("a review: deletions, scales and kinds without webhooks are let through", async () => {
  const through = { uid: "u1", allowed: true };
  assert.deepEqual(await asked(REVIEW_PATHS.mutate, review(null, { operation: "DELETE", oldObject: hello })), through);
  assert.deepEqual(await asked(REVIEW_PATHS.validate, review({ spec: { replicas: 1 } }, { operation: "UPDATE", subResource: "scale" })), through);
  const claim = { group: "networking.internal.knative.dev", version: "v1alpha1", kind: "ClusterDomainClaim" };
  assert.deepEqual(await asked(REVIEW_PATHS.mutate, review({ spec: {} }, { kind: claim })), through);
});

test("what is no review is BadRequest, and a path that nobody serves NotFound", async () => {
  for (const body of [null, "text", {}, { request: { uid: "u" } }, review(hello, { operation: "EAT" })]) {
    await assert.rejects(answer(REVIEW_PATHS.mutate, body), (error) => isReason(error, "BadRequest"));
  }
  await assert.rejects(answer("/elsewhere", review(hello)), (error) => isReason(error, "NotFound"));
});

test("the configurations ask for every kind and its status, under the names that refusals show", () => {
  const [mutating, validating, configs] = webhookConfigurations({ url: "https://127.0.0.1:9443", caPem: "PEM", kinds: [Service as unknown as Kind] });
  const [webhook] = (mutating?.webhooks ?? []) as { name: string; clientConfig: object; rules: object[] }[];
  assert.equal(webhook?.name, "webhook.serving.knative.dev");
  assert.deepEqual(webhook?.clientConfig, { url: "https://127.0.0.1:9443/defaulting", caBundle: Buffer.from("PEM").toString("base64") });
  const resources = ["services", "services/status"];
  assert.deepEqual(webhook?.rules, [{ apiGroups: ["serving.knative.dev"], apiVersions: ["v1"], resources, operations: ["CREATE", "UPDATE"], scope: "*" }]);
  assert.deepEqual([validating?.metadata.name, configs?.metadata.name], ["validation.webhook.serving.knative.dev", "config.webhook.serving.knative.dev"]);
});
