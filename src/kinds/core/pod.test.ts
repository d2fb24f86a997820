// Tests of Pods: defaults, checks, and the words of their table.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { compileKind, deepFreeze, tableOf } from "#schema";
import { Pod } from "./pod.ts";
import { qosClass } from "./pod-defaults.ts";
import type { ContainerStatus, PodSpec, PodStatus } from "./v1.types.ts";

const compiled = compileKind(Pod);
const table = tableOf(Pod);
const NOW = Date.parse("2026-01-01T01:00:00Z");

function podWith(spec: object, status: object = {}, metadata: object = {}): Pod {
  const json = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "d", ...metadata },
    spec: { containers: [{ name: "c", image: "x:1" }], ...spec },
    status,
  };
  return deepFreeze(compiled.applyDefaults(compiled.decode(deepFreeze(json), { fieldValidation: "Strict" }).object) as Pod);
}

test("a bare Pod gets Kubernetes' defaults", () => {
  const { spec, status } = podWith({
    containers: [{ name: "c", image: "nginx", readinessProbe: { httpGet: { port: 80 } }, resources: { limits: { cpu: "1000m" } } }],
  });
  assert.equal(spec.restartPolicy, "Always");
  assert.equal(spec.terminationGracePeriodSeconds, 30);
  assert.equal(spec.enableServiceLinks, true);
  const [container] = spec.containers;
  assert.equal(container?.imagePullPolicy, "Always", "no tag means latest");
  assert.deepEqual(container?.resources, { limits: { cpu: "1" }, requests: { cpu: "1" } });
  assert.deepEqual(container?.readinessProbe, {
    httpGet: { path: "/", port: 80, scheme: "HTTP" },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  assert.deepEqual(status, { phase: "Pending", qosClass: "Burstable" });
});

for (const [image, policy] of [
  ["a", "Always"],
  ["a:latest", "Always"],
  ["a:1", "IfNotPresent"],
  ["h:5000/a", "Always"],
  ["a@sha256:0", "IfNotPresent"],
] as const) {
  test(`the image ${image} is pulled ${policy}`, () => {
    assert.equal(podWith({ containers: [{ name: "c", image }] }).spec.containers[0]?.imagePullPolicy, policy);
  });
}

for (const { name, spec, want } of [
  {
    name: "a container name that occurs twice",
    spec: {
      containers: [
        { name: "c", image: "x" },
        { name: "c", image: "x" },
      ],
    },
    want: 'spec.containers[1].name: Duplicate value: "c"',
  },
  { name: "a missing image", spec: { containers: [{ name: "c" }] }, want: "spec.containers[0].image: Required value" },
  {
    name: "a port out of range",
    spec: { containers: [{ name: "c", image: "x", ports: [{ containerPort: 70_000 }] }] },
    want: "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
  },
  {
    name: "an unknown restart policy",
    spec: { restartPolicy: "Maybe" },
    want: 'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
  },
  {
    name: "a mount without its volume",
    spec: { containers: [{ name: "c", image: "x", volumeMounts: [{ name: "v", mountPath: "/v" }] }] },
    want: 'spec.containers[0].volumeMounts[0].name: Not found: "v"',
  },
  {
    name: "a request above its limit",
    spec: { containers: [{ name: "c", image: "x", resources: { limits: { cpu: "1" }, requests: { cpu: "2" } } }] },
    want: 'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
  },
  {
    name: "a liveness probe that asks for two successes",
    spec: { containers: [{ name: "c", image: "x", livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } }] },
    want: "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
  },
  {
    name: "a probe of no port",
    spec: { containers: [{ name: "c", image: "x", startupProbe: { httpGet: { port: 0 } } }] },
    want: "spec.containers[0].startupProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
  },
  {
    name: "a probe of nothing",
    spec: { containers: [{ name: "c", image: "x", readinessProbe: {} }] },
    want: "spec.containers[0].readinessProbe: Required value: must specify a handler type",
  },
  {
    name: "a probe of two things",
    spec: { containers: [{ name: "c", image: "x", readinessProbe: { httpGet: { port: 1 }, tcpSocket: { port: 1 } } }] },
    want: "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
  },
  {
    name: "a variable from no key",
    spec: { containers: [{ name: "c", image: "x", env: [{ name: "E", valueFrom: { secretKeyRef: { name: "s" } } }] }] },
    want: "spec.containers[0].env[0].valueFrom.secretKeyRef.key: Required value",
  },
  {
    name: "a variable from nowhere",
    spec: { containers: [{ name: "c", image: "x", env: [{ name: "E", valueFrom: {} }] }] },
    want: 'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
  },
  {
    name: "a mount of a volume without its Secret, and the volume",
    spec: { volumes: [{ name: "v", secret: {} }], containers: [{ name: "c", image: "x", volumeMounts: [{ name: "v", mountPath: "/v" }] }] },
    want: ["spec.volumes[0].secret.secretName: Required value", 'spec.containers[0].volumeMounts[0].name: Not found: "v"'],
  },
]) {
  test(`the check finds ${name}`, () => {
    assert.deepEqual(
      compiled.validate(podWith(spec)).map((error) => `${error.field}: ${error.message}`),
      typeof want === "string" ? [want] : want,
    );
  });
}

test("a Pod's spec does not change, but for its node and its images", () => {
  const old = podWith({});
  assert.deepEqual(compiled.validate(podWith({ nodeName: "n", containers: [{ name: "c", image: "x:2" }] }), old), []);
  assert.deepEqual(
    compiled.validate(podWith({ restartPolicy: "Never" }), old).map((error) => error.field),
    ["spec"],
  );
  assert.deepEqual(
    compiled.validate(podWith({ nodeName: "m" }), podWith({ nodeName: "n" })).map((error) => error.field),
    ["spec"],
  );
});

for (const { name, spec, want } of [
  {
    name: "a string for a number",
    spec: { terminationGracePeriodSeconds: "5" },
    want: "json: cannot unmarshal string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64",
  },
  {
    name: "an object for a list",
    spec: { containers: {} },
    want: "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
  },
  {
    name: "a number for a text",
    spec: { containers: [{ name: "c", image: 1 }] },
    want: "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string",
  },
  {
    name: "no quantity",
    spec: { containers: [{ name: "c", image: "x", resources: { limits: { cpu: "much" } } }] },
    want: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  },
  { name: "an unknown field", spec: { containers: [{ name: "c", imag: "x" }] }, want: 'strict decoding error: unknown field "spec.containers[0].imag"' },
]) {
  test(`decoding refuses ${name} in Go's words`, () => {
    assert.throws(
      () => podWith(spec),
      (error) => isReason(error, "BadRequest") && error.message === `Pod in version "v1" cannot be handled as a Pod: ${want}`,
    );
  });
}

const status = (state: object, extra: Partial<ContainerStatus> = {}): object => ({
  name: "c",
  image: "",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  ...extra,
});

for (const { name, pod, want } of [
  { name: "a new pod", pod: podWith({}), want: ["0/1", "Pending", "0"] },
  {
    name: "a running pod",
    pod: podWith({}, { phase: "Running", containerStatuses: [status({ running: {} }, { ready: true })] }),
    want: ["1/1", "Running", "0"],
  },
  {
    name: "a crashing pod",
    pod: podWith(
      {},
      {
        phase: "Running",
        containerStatuses: [
          status(
            { waiting: { reason: "CrashLoopBackOff" } },
            { restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:55:00Z" } } },
          ),
        ],
      },
    ),
    want: ["0/1", "CrashLoopBackOff", "3 (5m ago)"],
  },
  {
    name: "an exit code",
    pod: podWith({}, { phase: "Failed", containerStatuses: [status({ terminated: { exitCode: 7 } })] }),
    want: ["0/1", "ExitCode:7", "0"],
  },
  {
    name: "init containers at work",
    pod: podWith({ initContainers: [{ name: "i", image: "x" }] }, { phase: "Pending", initContainerStatuses: [{ ...status({ running: {} }), name: "i" }] }),
    want: ["0/1", "Init:0/1", "0"],
  },
  {
    name: "a pod going away",
    pod: podWith({}, { phase: "Running", containerStatuses: [status({ running: {} }, { ready: true })] }, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    want: ["1/1", "Terminating", "0"],
  },
]) {
  test(`kubectl get shows ${name}`, () => assert.deepEqual(table.cells(pod, NOW).slice(1, 4), want));
}

test("field selectors see the node and the phase", () => {
  const pod = podWith({ nodeName: "n" }, { phase: "Running" } satisfies PodStatus);
  assert.equal(Pod.selectableFields?.["spec.nodeName"]?.(pod), "n");
  assert.equal(Pod.selectableFields?.["status.phase"]?.(pod), "Running");
});

test("the quality of service follows from requests and limits", () => {
  const spec = (resources: object): PodSpec => ({ containers: [{ name: "c", resources }] });
  assert.equal(qosClass(spec({})), "BestEffort");
  assert.equal(qosClass(spec({ requests: { cpu: "1" } })), "Burstable");
  assert.equal(qosClass(spec({ limits: { cpu: "1", memory: "1Gi" } })), "Guaranteed");
});
