// Evictions, bindings and containers that are added to a running pod.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { compileKind, deepFreeze, messages, type KubeObject } from "#schema";
import { Binding, bound, evicted, Eviction } from "./pod-actions.ts";
import { Pod } from "./pod.ts";

const meta = { name: "p", namespace: "d", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
const compiled = compileKind(Pod);

function pod(spec: object = {}, metadata: object = {}): Pod {
  const draft = { apiVersion: "v1", kind: "Pod", metadata: { ...meta, ...metadata }, spec: { containers: [{ name: "c", image: "i" }], ...spec } };
  return deepFreeze(compiled.applyDefaults(draft as unknown as KubeObject)) as Pod;
}

test("an eviction's options are those of the deletion; a grace below nothing is the shortest", () => {
  const eviction = (deleteOptions?: object): Eviction =>
    ({ apiVersion: "policy/v1", kind: "Eviction", metadata: meta, ...(deleteOptions === undefined ? {} : { deleteOptions }) }) as Eviction;
  assert.deepEqual(evicted(eviction()), {});
  assert.deepEqual(evicted(eviction({ dryRun: ["All"], gracePeriodSeconds: -5 })), { dryRun: ["All"], gracePeriodSeconds: 1 });
});

const NOW = "2026-01-01T00:00:00Z";

const binding = (target: object, annotations?: object): Binding =>
  ({ apiVersion: "v1", kind: "Binding", metadata: { ...meta, ...(annotations === undefined ? {} : { annotations }) }, target }) as Binding;

test("a binding gives a pod its node and its annotations, and the pod is scheduled", () => {
  const { spec, metadata, status } = bound(binding({ kind: "Node", name: "n" }, { a: "b" }))(pod({}, { annotations: { c: "d" } }), NOW);
  assert.equal(spec.nodeName, "n");
  assert.deepEqual(metadata.annotations, { a: "b", c: "d" });
  assert.deepEqual(status?.conditions, [{ type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: NOW }]);
});

for (const { name, spec, metadata, message } of [
  { name: "that has a node", spec: { nodeName: "m" }, metadata: {}, message: 'pod p is already assigned to node "m"' },
  {
    name: "that is going away",
    spec: {},
    metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" },
    message: "pod p is being deleted, cannot be assigned to a host",
  },
  { name: "that waits", spec: { schedulingGates: [{ name: "g" }] }, metadata: {}, message: "pod p has non-empty .spec.schedulingGates" },
]) {
  test(`a pod ${name} gets no node`, () => {
    assert.throws(
      () => bound(binding({ name: "n" }))(pod(spec, metadata), NOW),
      (error) => isReason(error, "Conflict") && error.message === `Operation cannot be fulfilled on pods/binding "p": ${message}`,
    );
  });
}

for (const { name, spec, want } of [
  { name: "of a taken name", spec: [{ name: "c", image: "x" }], want: 'spec.ephemeralContainers[0].name: Duplicate value: "c"' },
  { name: "without an image", spec: [{ name: "e" }], want: "spec.ephemeralContainers[0].image: Required value" },
  {
    name: "with ports",
    spec: [{ name: "e", image: "x", ports: [{ containerPort: 1 }] }],
    want: "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
  },
  {
    name: "for a container that is not there",
    spec: [{ name: "e", image: "x", targetContainerName: "z" }],
    want: 'spec.ephemeralContainers[0].targetContainerName: Not found: "z"',
  },
]) {
  test(`a container ${name} is not added`, () => {
    const wrong = compiled.validate(pod({ ephemeralContainers: spec }), pod(), "ephemeralcontainers");
    assert.deepEqual(
      wrong.map(({ field, message }) => `${field}: ${message}`),
      [want],
    );
  });
}

test("added containers stay as they are, and none comes with a new pod or outside of its subresource", () => {
  const added = pod({ ephemeralContainers: [{ name: "e", image: "x" }] });
  const told = (next: Pod, old: Pod | undefined, subresource = "ephemeralcontainers"): string[] =>
    compiled.validate(next, old, subresource).map(({ message }) => message);
  assert.deepEqual(told(added, pod()), []);
  assert.deepEqual(told(pod(), added), ['Forbidden: existing ephemeral containers "e" may not be removed\n']);
  assert.deepEqual(told(pod({ ephemeralContainers: [{ name: "e", image: "y" }] }), added), [
    'Forbidden: existing ephemeral containers "e" may not be changed\n',
  ]);
  assert.deepEqual(told(added, undefined, ""), ["Forbidden: cannot be set on create"]);
  assert.match(told(added, pod(), "").join(), /pod updates may not change fields/);
});

test("an eviction and a binding that Go's typed clients send as protobuf say the same as in JSON", () => {
  const sent = { metadata: { name: "p", namespace: "d" }, deleteOptions: { gracePeriodSeconds: 5, dryRun: ["All"], preconditions: { uid: "u" } } };
  const read = compileKind(Eviction).protobuf?.decode(messages.eviction.encode(sent));
  assert.deepEqual(read?.["deleteOptions"], sent.deleteOptions);
  const codec = compileKind(Binding).protobuf;
  const back = codec?.decode(codec.encode({ metadata: { name: "p" }, target: { kind: "Node", name: "n" } }));
  const target = back?.["target"] as { kind: string; name: string } | undefined;
  assert.deepEqual([target?.kind, target?.name], ["Node", "n"]);
});

for (const { name, before, after, want } of [
  {
    name: "loses a container",
    before: {
      containers: [
        { name: "c", image: "i" },
        { name: "d", image: "i" },
      ],
    },
    after: {},
    want: ["Forbidden: pod updates may not add or remove containers"],
  },
  { name: "gets an earlier deadline", before: { activeDeadlineSeconds: 9 }, after: { activeDeadlineSeconds: 5 }, want: [] },
  {
    name: "gets a later deadline",
    before: { activeDeadlineSeconds: 5 },
    after: { activeDeadlineSeconds: 9 },
    want: ["Invalid value: 9: must be less than or equal to previous value"],
  },
  {
    name: "loses its deadline",
    before: { activeDeadlineSeconds: 5 },
    after: {},
    want: ["Invalid value: null: must not update from a positive integer to nil value"],
  },
  {
    name: "gets a deadline that is none",
    before: {},
    after: { activeDeadlineSeconds: -5 },
    want: ["Invalid value: -5: must be between 1 and 2147483647, inclusive", "Invalid value: -5: must be between 0 and 2147483647, inclusive"],
  },
]) {
  test(`a pod that ${name}`, () => {
    assert.deepEqual(
      compiled.validate(pod(after), pod(before)).map(({ message }) => message),
      want,
    );
  });
}
