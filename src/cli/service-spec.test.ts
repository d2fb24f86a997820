import assert from "node:assert/strict";
import { test } from "node:test";
import { CliError } from "./exit.ts";
import { newService, withFlags, type ServiceFlags } from "./service-spec.ts";

interface Shape {
  metadata: { labels?: object; annotations?: object };
  spec: {
    template: { metadata?: { name?: string; labels?: object; annotations?: object }; spec: { containers: Record<string, unknown>[]; [key: string]: unknown } };
  };
}
const apply = (flags: ServiceFlags): Shape => withFlags(newService("default", "hello"), flags, undefined) as unknown as Shape;

test("flags land where kn puts them", () => {
  const service = apply({
    image: "dev.local/hello",
    env: ["A=1", "B=x=y"],
    port: "h2c:8081",
    scale: "0..3",
    concurrencyLimit: "10",
    timeout: "20",
    limit: ["cpu=100m,memory=256Mi"],
    label: ["team=a"],
    annotation: ["note=b", "autoscaling.knative.dev/window=10s"],
    clusterLocal: true,
    revisionName: "{{.Service}}-v{{.Generation}}",
  });
  assert.deepEqual(service.spec.template.spec, {
    containers: [
      {
        image: "dev.local/hello",
        ports: [{ name: "h2c", containerPort: 8081 }],
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "x=y" },
        ],
        resources: { limits: { cpu: "100m", memory: "256Mi" } },
      },
    ],
    containerConcurrency: 10,
    timeoutSeconds: 20,
  });
  assert.deepEqual(service.spec.template.metadata, {
    name: "hello-v1",
    labels: { team: "a" },
    annotations: { note: "b", "autoscaling.knative.dev/window": "10s", "autoscaling.knative.dev/min-scale": "0", "autoscaling.knative.dev/max-scale": "3" },
  });
  assert.deepEqual(service.metadata, {
    name: "hello",
    namespace: "default",
    labels: { team: "a", "networking.knative.dev/visibility": "cluster-local" },
    annotations: { note: "b" },
  });
});

test("a trailing minus removes, and the input stays as it was", () => {
  const before = withFlags(newService("default", "hello"), { env: ["A=1", "B=2"], label: ["l=1"] }, undefined);
  const frozen = JSON.stringify(before);
  const after = withFlags(before, { env: ["A-", "C=3"], label: ["l-"] }, undefined) as unknown as Shape;
  assert.equal(JSON.stringify(before), frozen);
  assert.deepEqual(after.spec.template.spec.containers[0]?.["env"], [
    { name: "B", value: "2" },
    { name: "C", value: "3" },
  ]);
  assert.equal(after.metadata.labels, undefined);
});

for (const flags of [
  { scale: "a..b" },
  { scale: ".." },
  { scale: "1..2", scaleMin: "1" },
  { env: ["novalue"] },
  { port: "http" },
  { concurrencyLimit: "-1" },
]) {
  test(`bad input is a usage error: ${JSON.stringify(flags)}`, () => {
    assert.throws(
      () => apply(flags),
      (error) => error instanceof CliError && error.exit === "usage",
    );
  });
}
