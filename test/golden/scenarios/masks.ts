// What is not compared, by name: parts of Knative that exist for queue-proxy, and parts that other programs made.
import type { Json, RecordedObject } from "./recording.ts";

type Masked = RecordedObject & { metadata: Json; spec?: Json; status?: Json };

const SKS = "networking.internal.knative.dev/serverlessservice";

const labelsOf = (object: Masked): Json => (object.metadata["labels"] ?? {}) as Json;

function sorted(list: readonly unknown[]): unknown[] {
  const text = (value: unknown): string =>
    JSON.stringify(value, Object.keys(value as Json).includes("addresses") ? ["addresses", "conditions", "ready"] : undefined);
  return [...list].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

function dropFromPods(object: Masked): void {
  const template = object.spec?.["template"] as Json | undefined;
  const pod = template?.["spec"] as Json | undefined;
  if (pod === undefined) return;
  const containers = ((pod["containers"] ?? []) as Json[]).filter((container) => container["name"] !== "queue-proxy");
  pod["containers"] = containers;
  for (const container of containers) {
    delete container["lifecycle"];
    delete container["readinessProbe"];
  }
}

/** Each mask says what it hides and why; it is applied to both sides. One more needs the whole scenario: `queue-proxy-rollouts.ts`. */
export const MASKS: Readonly<Record<string, { readonly why: string; readonly hide: (object: Masked) => void }>> = {
  "Deployment containers": {
    why: "there is no container queue-proxy, no preStop that waits for it, and readiness probes stay on the user's container",
    hide: (object) => {
      if (object.kind === "Deployment") dropFromPods(object);
    },
  },
  "Ports of ServerlessServices": {
    why: "the ports of a revision's Services are those of queue-proxy and the activator",
    hide: (object) => {
      if (labelsOf(object)[SKS] === undefined) return;
      if (object.kind === "Service") delete object.spec?.["ports"];
      if (object.kind === "EndpointSlice") delete object["ports"];
      if (object.kind === "Endpoints") delete object["subsets"];
    },
  },
  "Addresses of activators": {
    why: "the gateway is the activator, at its own addresses",
    hide: (object) => {
      if (object.kind === "EndpointSlice" && labelsOf(object)["networking.internal.knative.dev/serviceType"] === "Public") delete object["endpoints"];
    },
  },
  "Generations of what controllers rewrite": {
    why: "states in between may be skipped, so the count of writes differs from run to run",
    hide: (object) => {
      if (object.kind !== "ServerlessService" && object.kind !== "PodAutoscaler") return;
      delete object.metadata["generation"];
      delete object.status?.["observedGeneration"];
    },
  },
  "Hash of the rendered Deployment": {
    why: "it is a hash over another form of the same content",
    hide: (object) => {
      const key = "serving.knative.dev/deployment-hash";
      if (labelsOf(object)[key] !== undefined) labelsOf(object)[key] = "<deployment-hash>";
    },
  },
  "Order of endpoints": {
    why: "addresses are random",
    hide: (object) => {
      if (object.kind === "EndpointSlice" && Array.isArray(object["endpoints"])) object["endpoints"] = sorted(object["endpoints"]);
    },
  },
  "Scrape target of Metrics": {
    why: "queue-proxy is scraped; gateways report by themselves",
    hide: (object) => {
      if (object.kind === "Metric") delete object.spec?.["scrapeTarget"];
    },
  },
  "Simulated pods": {
    why: "status and spec of pods, and templates of ReplicaSets, were simulated and are left out of most recordings",
    hide: (object) => {
      if (object.kind === "Pod") {
        delete object.spec;
        object.status = { phase: object.status?.["phase"] };
      }
      if (object.kind === "ReplicaSet") delete object.spec?.["template"];
    },
  },
};

/** Kinds that the recordings leave out of their lists, or that other programs keep. */
export const UNLISTED: readonly string[] = ["Event", "Lease", "ConfigMap", "ServiceAccount", "Secret"];

export function masked(object: RecordedObject): RecordedObject {
  const copy = structuredClone(object) as Masked;
  delete copy.metadata["resourceVersion"];
  for (const { hide } of Object.values(MASKS)) hide(copy);
  return copy;
}
