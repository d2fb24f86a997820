// Knative's webhook as a whole: who changed what, defaults that settings govern, inputs left alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { badRequest, isReason } from "#core";
import { deepFreeze, type AdmissionRequest } from "#schema";
import { knativeAdmission } from "./admission.ts";
import { parseServingConfig } from "./config/serving-config.ts";
import { serving } from "./keys.ts";
import { Configuration } from "./serving/configuration.ts";
import { Service } from "./serving/service.ts";

const metadata = { name: "hello", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
const container = { image: "dev.local/hello:v1" };

function service(spec: Partial<Service["spec"]["template"]["spec"]> = {}, annotations?: Record<string, string>): Service {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { ...metadata, ...(annotations === undefined ? {} : { annotations }) },
    spec: { template: { spec: { containers: [container], ...spec } } },
  };
}

const notTried = (): Promise<void> => Promise.reject(new Error("only dry runs try a pod"));

type Maps = Readonly<Record<string, Readonly<Record<string, string>>>>;

async function admitted(object: Service, old?: Service, how: { readonly user?: string; readonly maps?: Maps } = {}): Promise<Service> {
  const { config } = parseServingConfig(how.maps ?? {});
  const request: AdmissionRequest<Service> = {
    operation: old === undefined ? "CREATE" : "UPDATE",
    subresource: "",
    user: { name: how.user ?? "ann", groups: [] },
    dryRun: false,
    object: deepFreeze(object),
    old,
  };
  return (await knativeAdmission(Service, { config: () => config, tryTemplate: notTried })(request)).object;
}

const usersOf = (object: Service): unknown[] => [object.metadata.annotations?.[serving.creator], object.metadata.annotations?.[serving.lastModifier]];

test("the creator stays, the modifier changes with the spec only", async () => {
  const created = await admitted(service());
  assert.deepEqual(usersOf(created), ["ann", "ann"]);
  const touched = await admitted({ ...created, metadata: { ...created.metadata, labels: { a: "b" } } }, created, { user: "bob" });
  assert.deepEqual(usersOf(touched), ["ann", "ann"]);
  const changed = await admitted(service({ timeoutSeconds: 7 }, created.metadata.annotations), created, { user: "bob" });
  assert.deepEqual(usersOf(changed), ["ann", "bob"]);
});

test("a second pass changes nothing", async () => {
  const once = await admitted(service());
  assert.deepEqual(await admitted(once, once), once);
});

test("nobody may say that somebody else changed it", async () => {
  const created = await admitted(service());
  const forged = { ...created, metadata: { ...created.metadata, annotations: { ...created.metadata.annotations, [serving.lastModifier]: "eve" } } };
  await assert.rejects(
    admitted(forged, created),
    (error) => isReason(error, "BadRequest") && /invalid value: eve: metadata\.annotations\.serving\.knative\.dev\/lastModifier/.test((error as Error).message),
  );
});

test("a Configuration of a Service bears no user annotations", async () => {
  const ownerReferences = [{ apiVersion: "serving.knative.dev/v1", kind: "Service", name: "hello", uid: "u", controller: true }];
  const object: Configuration = {
    ...service(),
    kind: "Configuration",
    metadata: { ...metadata, ownerReferences },
    spec: { template: { spec: { containers: [container] } } },
  };
  const { config } = parseServingConfig({});
  const admit = knativeAdmission(Configuration, { config: () => config, tryTemplate: notTried });
  const answer = await admit({ operation: "CREATE", subresource: "", user: { name: "controller", groups: [] }, dryRun: false, object, old: undefined });
  assert.equal(answer.object.metadata.annotations, undefined);
});

test("the typed form drops what is empty and writes quantities in their shortest form", async () => {
  const given = {
    ...container,
    args: [],
    workingDir: "",
    env: [{ name: "A", value: "" }],
    resources: { limits: { cpu: "1000m", memory: "1024Mi" }, requests: { cpu: 0.5 } },
  };
  const { spec } = (await admitted(service({ containers: [given] }))).spec.template;
  const { args, workingDir, env, resources } = spec.containers[0] ?? {};
  assert.deepEqual(
    { args, workingDir, env, resources },
    { args: undefined, workingDir: undefined, env: [{ name: "A" }], resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } } },
  );
});

test("settings govern the defaults", async () => {
  const maps = {
    "config-defaults": {
      "revision-timeout-seconds": "100",
      "revision-idle-timeout-seconds": "20",
      "revision-response-start-timeout-seconds": "50",
      "revision-cpu-request": "50m",
      "enable-service-links": "default",
      "container-concurrency": "4",
    },
  };
  const { spec } = (await admitted(service(), undefined, { maps })).spec.template;
  assert.deepEqual(
    [spec.timeoutSeconds, spec.idleTimeoutSeconds, spec.responseStartTimeoutSeconds, spec.containerConcurrency, spec.enableServiceLinks],
    [100, 20, 50, 4, undefined],
  );
  assert.deepEqual(spec.containers[0]?.resources, { requests: { cpu: "50m" } });
});

test("secure defaults close what Kubernetes leaves open", async () => {
  const secured = await admitted(service({ containers: [{ ...container, ports: [{ containerPort: 80, protocol: "TCP" }] }] }), undefined, {
    maps: { "config-features": { "secure-pod-defaults": "Enabled" } },
  });
  assert.deepEqual(secured.spec.template.spec.containers[0]?.securityContext, {
    allowPrivilegeEscalation: false,
    seccompProfile: { type: "RuntimeDefault" },
    capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
    runAsNonRoot: true,
  });
});

test("a template that keeps its name keeps its old defaults", async () => {
  const named = service();
  const template = { ...named.spec.template, metadata: { name: "hello-one" } };
  const created = await admitted({ ...named, spec: { template } });
  const later = await admitted(created, created, { maps: { "config-defaults": { "revision-cpu-request": "1" } } });
  assert.deepEqual(later.spec, created.spec);
});

test("a dry run tries the pod of the template, and what is wrong with it refuses, with the warnings", async () => {
  const { config } = parseServingConfig({});
  const tried: unknown[] = [];
  const admit = knativeAdmission(Service, {
    config: () => config,
    tryTemplate(template, namespace) {
      tried.push([template.spec.containers[0]?.name, namespace]);
      return Promise.reject(badRequest("Pod is wrong"));
    },
  });
  const request = { operation: "CREATE", subresource: "", user: { name: "ann", groups: [] }, dryRun: true, object: service(), old: undefined } as const;
  await assert.rejects(async () => admit(request), {
    reason: "BadRequest",
    message:
      'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation callback failed: dry run failed with Pod is wrong: spec.template',
    warnings: (await admit({ ...request, dryRun: false })).warnings,
  });
  assert.deepEqual(tried, [["user-container", "default"]]);
});

test("a Configuration that a Service made is not tried again", async () => {
  const { config } = parseServingConfig({});
  const ownerReferences = [{ apiVersion: "serving.knative.dev/v1", kind: "Service", name: "hello", uid: "u", controller: true }];
  const owned = { ...service(), kind: "Configuration", metadata: { ...metadata, labels: { [serving.service]: "hello" }, ownerReferences } } as Configuration;
  const admit = knativeAdmission(Configuration, { config: () => config, tryTemplate: notTried });
  await admit({ operation: "CREATE", subresource: "", user: { name: "controller", groups: [] }, dryRun: true, object: owned, old: undefined });
});
