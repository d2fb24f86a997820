// What a Revision's containers and PodAutoscaler look like.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultServingConfig, PodAutoscaler, Revision, serving, type CoreContainer } from "#kinds";
import { frozen, made } from "../fixture.test-suite.ts";
import { deploymentFor, mergePodAutoscaler, podAutoscalerFor } from "./children.ts";
import { parseImage } from "./image-reference.ts";
import { revisionSettings } from "./settings.ts";

const settings = revisionSettings(defaultServingConfig());

function containers(...list: object[]): CoreContainer[] {
  const revision = made(
    Revision,
    "hello-00001",
    { spec: { containers: list, timeoutSeconds: 30 } },
    { labels: { [serving.configuration]: "hello", [serving.service]: "hello" } },
  );
  return deploymentFor(revision, [], settings).spec.template.spec?.containers ?? [];
}

const ENV = [
  { name: "K_REVISION", value: "hello-00001" },
  { name: "K_CONFIGURATION", value: "hello" },
  { name: "K_SERVICE", value: "hello" },
];

test("deploymentFor: the only container gets the port, the variables and its probes' ports", () => {
  const probe = { tcpSocket: { port: 0 }, successThreshold: 1 };
  const [container] = containers({
    name: "web",
    image: "dev.local/x",
    env: [{ name: "A", value: "1" }],
    readinessProbe: probe,
    livenessProbe: { httpGet: { path: "/", port: 1 } },
  });
  assert.deepEqual(container, {
    name: "web",
    image: "dev.local/x",
    env: [{ name: "A", value: "1" }, { name: "PORT", value: "8080" }, ...ENV],
    ports: [{ name: "user-port", containerPort: 8080 }],
    terminationMessagePolicy: "FallbackToLogsOnError",
    readinessProbe: { tcpSocket: { port: 8080 }, successThreshold: 1 },
    livenessProbe: { httpGet: { path: "/", port: 8080 } },
  });
});

test("deploymentFor: of several containers only the one with a port serves", () => {
  const [web, side] = containers({ name: "web", image: "dev.local/x", ports: [{ containerPort: 9000, name: "h2c" }] }, { name: "side", image: "dev.local/y" });
  assert.deepEqual(web?.env?.[0], { name: "PORT", value: "9000" });
  assert.deepEqual(side?.env, ENV);
  assert.equal(side?.ports, undefined);
});

test("mergePodAutoscaler: scaling annotations follow the Revision, defaulted ones stay", () => {
  const revision = made(
    Revision,
    "hello-00001",
    { spec: { containers: [{ name: "web", image: "x" }] } },
    { annotations: { "autoscaling.knative.dev/max-scale": "3", "example.com/a": "1" } },
  );
  const current = frozen({
    ...made(
      PodAutoscaler,
      "hello-00001",
      { spec: {} },
      {
        annotations: {
          "autoscaling.knative.dev/min-scale": "1",
          "autoscaling.knative.dev/metric": "rps",
          "autoscaling.knative.dev/class": "hpa",
          "other.example": "x",
        },
      },
    ),
  });
  const merged = mergePodAutoscaler(revision)(current, podAutoscalerFor(revision, "Reachable", settings));
  assert.deepEqual(merged.metadata.annotations, {
    "autoscaling.knative.dev/metric": "rps",
    "autoscaling.knative.dev/class": "hpa",
    "other.example": "x",
    "autoscaling.knative.dev/max-scale": "3",
    "example.com/a": "1",
  });
  assert.equal(merged.spec.reachability, "Reachable");
});

const images: [string, string, string, boolean][] = [
  ["nginx", "index.docker.io", "index.docker.io/library/nginx", false],
  ["docker.io/me/app:v1", "index.docker.io", "index.docker.io/me/app", false],
  ["registry.local:5000/team/app:v1", "registry.local:5000", "registry.local:5000/team/app", false],
  ["kind.local/app@sha256:1", "kind.local", "kind.local/app", true],
];
for (const [image, registry, repository, hasDigest] of images) {
  test(`parseImage: ${image}`, () => assert.deepEqual(parseImage(image), { registry, repository, hasDigest }));
}
