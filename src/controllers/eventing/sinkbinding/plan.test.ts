// The truth table of SinkBindings, and what they do to containers.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boundTemplate as bound,
  boundTemplateAs as boundAs,
  Deployment,
  Namespace,
  SinkBinding,
  unboundTemplate as unbound,
  type BindableObject as Subject,
} from "#kinds";
import type { Kind } from "#schema";
import { conditionsOf, made } from "../../serving/fixture.test-suite.ts";
import type { ObservedBinding } from "./observe.ts";
import { planBinding } from "./plan.ts";
import { SubjectTracker } from "./subjects.ts";

const SINK = "http://sink.example/";
const FINALIZER = "sinkbindings.sources.knative.dev";
type Over = NonNullable<Parameters<typeof made>[3]>;
const binding = (spec: object = {}, over: Over = {}): SinkBinding =>
  made(
    SinkBinding,
    "b",
    { spec: { sink: { uri: SINK }, subject: { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "d" }, ...spec } },
    { generation: 3, finalizers: [FINALIZER], ...over },
  );
const containers = [
  {
    name: "a",
    image: "a",
    env: [
      { name: "OWN", value: "1" },
      { name: "K_SINK", value: "old" },
    ],
  },
];
const subject = (over: Over = {}, spec: object = { containers, initContainers: [{ name: "i" }] }): Subject =>
  made(Deployment, "d", { spec: { replicas: 2, template: { spec } } }, over) as unknown as Subject;
const namespace = (labels: Record<string, string> = { "bindings.knative.dev/include": "true" }): Namespace => made(Namespace, "default", {}, { labels });
const kind = Deployment as unknown as Kind;
const observed = (over: Partial<ObservedBinding> = {}): ObservedBinding => ({
  binding: binding(),
  found: { kind, subjects: [subject()] },
  find: () => ({ error: 'services "x" not found' }),
  namespace: namespace(),
  lookAgainAtMs: undefined,
  ...over,
});
const variables = [{ name: "K_SINK", value: SINK }, { name: "K_CE_OVERRIDES" }];

test("planBinding: every container and init container gets the sink, in place of what stood there", () => {
  const { patches, status, failure } = planBinding(observed());
  assert.deepEqual(patches, [
    {
      kind,
      namespace: "default",
      name: "d",
      type: "application/merge-patch+json",
      body: {
        metadata: { resourceVersion: "1" },
        spec: {
          template: {
            spec: {
              containers: [{ name: "a", image: "a", env: [{ name: "OWN", value: "1" }, ...variables] }],
              initContainers: [{ name: "i", env: variables }],
            },
          },
        },
      },
    },
  ]);
  assert.equal(failure, undefined);
  assert.equal((status as { sinkUri?: string }).sinkUri, SINK);
  assert.deepEqual(conditionsOf(status), [
    "OIDCIdentityCreated=True authentication-oidc feature disabled",
    "OIDCTokenSecretCreated=True authentication-oidc feature disabled",
    "Ready=True",
    "SinkBindingAvailable=True",
    "SinkProvided=True",
    "TrustBundlePropagated=True",
  ]);
});

test("planBinding: what is bound already is left alone", () => {
  const spec = bound({ containers, initContainers: [{ name: "i" }] }, { sinkUri: SINK });
  assert.deepEqual(planBinding(observed({ found: { kind, subjects: [subject({}, spec)] } })).patches, []);
});

test("planBinding: the finalizer stands before anything is bound", () => {
  const { patches, events } = planBinding(observed({ binding: binding({}, { finalizers: [] }) }));
  assert.deepEqual(patches?.[0]?.body, { metadata: { finalizers: [FINALIZER], resourceVersion: "1" } });
  assert.equal(patches?.length, 2);
  assert.deepEqual(events, [{ type: "Normal", reason: "FinalizerUpdate", message: 'Updated "b" finalizers' }]);
});

test("planBinding: without a subject all else stays Unknown, as Knative leaves it", () => {
  const message = 'deployments.apps "d" not found';
  const { status, failure } = planBinding(observed({ found: { reason: "SubjectMissing", message } }));
  assert.equal(failure, message);
  assert.deepEqual(conditionsOf(status), [
    "OIDCIdentityCreated=Unknown",
    "OIDCTokenSecretCreated=Unknown",
    `Ready=False SubjectMissing: ${message}`,
    `SinkBindingAvailable=False SubjectMissing: ${message}`,
    "SinkProvided=Unknown",
    "TrustBundlePropagated=Unknown",
  ]);
});

test("planBinding: a sink without an address leaves subjects as they are", () => {
  const ref = { apiVersion: "v1", kind: "Service", namespace: "default", name: "x" };
  const { patches, status } = planBinding(observed({ binding: binding({ sink: { ref } }) }));
  assert.deepEqual(patches, []);
  const said = 'Addressable could not be extracted from destination: failed to get object default/x: services "x" not found';
  assert.ok(conditionsOf(status).includes(`SinkProvided=False NoAddressable: ${said}`));
});

test("planBinding: what is excluded is passed over, by its own label or its namespace's; a namespace is noted once", () => {
  const excluded = { "bindings.knative.dev/exclude": "true" };
  assert.deepEqual(planBinding(observed({ found: { kind, subjects: [subject({ labels: excluded })] } })).patches, []);
  assert.deepEqual(planBinding(observed({ namespace: namespace(excluded) })).patches, []);
  const [noted] = planBinding(observed({ namespace: namespace({}) })).patches ?? [];
  assert.deepEqual(noted?.body, { metadata: { labels: { "bindings.knative.dev/include": "true" } } });
});

test("planBinding: at the end all is taken out, and then the finalizer", () => {
  const spec = bound({ containers: [{ name: "a", env: [{ name: "OWN", value: "1" }] }] }, { sinkUri: SINK });
  const ending = binding({}, { deleting: true });
  const { patches, status } = planBinding(observed({ binding: ending, found: { kind, subjects: [subject({}, spec)] } }));
  assert.deepEqual(
    patches?.map(({ body }) => body),
    [
      { metadata: { resourceVersion: "1" }, spec: { template: { spec: { containers: [{ name: "a", env: [{ name: "OWN", value: "1" }] }] } } } },
      { metadata: { finalizers: [], resourceVersion: "1" } },
    ],
  );
  assert.equal(status, undefined);
  const gone = planBinding(observed({ binding: ending, found: { reason: "SubjectMissing", message: "" } }));
  assert.equal(gone.patches?.length, 1);
});

test("planBinding: what goes away together with the binding is not rolled out once more", () => {
  const owner = subject();
  const ending = binding({}, { deleting: true, owner });
  assert.equal(
    planBinding(observed({ binding: ending, found: { kind, subjects: [subject({ owner }, bound({ containers }, { sinkUri: SINK }))] } })).patches?.length,
    1,
  );
});

test("planBinding: subjects whose changes wake nobody are looked at again", () => {
  assert.equal(planBinding(observed({ lookAgainAtMs: 7 })).wakeAtMs, 7);
});

test("containers: certificates and overrides come along, and go without a trace", () => {
  const spec = { containers: [{ name: "a" }] };
  const full = bound(spec, { sinkUri: SINK, caCerts: "PEM", overrides: { extensions: { x: "1" } } });
  assert.deepEqual(full.containers, [
    {
      name: "a",
      env: [
        { name: "K_SINK", value: SINK },
        { name: "K_CA_CERTS", value: "PEM" },
        { name: "K_CE_OVERRIDES", value: '{"extensions":{"x":"1"}}' },
      ],
    },
  ]);
  assert.deepEqual(unbound(full), spec);
  const renewed = { containers: [{ name: "a", image: "new" }, { name: "b" }] };
  assert.deepEqual(boundAs(renewed, full).containers, [{ ...full.containers[0], name: "a", image: "new" }, { name: "b" }]);
});

test("SubjectTracker: a workload wakes who names it, and who looks for labels in its namespace", () => {
  const tracker = new SubjectTracker();
  const key = (name: string): { namespace: string; name: string } => ({ namespace: "default", name });
  tracker.track(key("named"), { kind: "Deployment", name: "d" });
  tracker.track(key("other"), { kind: "Deployment", name: "e" });
  tracker.track(key("labels"), { kind: "Deployment", selector: {} });
  tracker.track({ namespace: "far", name: "labels" }, { kind: "Deployment", selector: {} });
  assert.deepEqual(tracker.bindingsOf(subject()), [key("named"), key("labels")]);
  tracker.forget(key("named"));
  assert.deepEqual(tracker.bindingsOf(subject()), [key("labels")]);
});
