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

/** Takes fields out of the sets of all managers: `hides` says which, by their element and what is owned below it. */
function disown(object: Masked, hides: (element: string, below: Json) => boolean): void {
  const without = (fields: Json): Json => {
    const kept = Object.entries(fields).filter(([element, below]) => !hides(element, below as Json));
    return Object.fromEntries(kept.map(([element, below]) => [element, without(below as Json)]));
  };
  const entries = object.metadata["managedFields"] as Json[] | undefined;
  for (const entry of entries ?? []) entry["fieldsV1"] = without(entry["fieldsV1"] as Json);
}

const QUEUE_PROXY = new Set(['k:{"name":"queue-proxy"}', "f:lifecycle", "f:readinessProbe"]);

/** Each mask says what it hides and why; it is applied to both sides. One more needs the whole scenario: `queue-proxy-rollouts.ts`. */
export const MASKS: Readonly<Record<string, { readonly why: string; readonly hide: (object: Masked) => void }>> = {
  "Deployment containers": {
    why: "there is no container queue-proxy, no preStop that waits for it, and readiness probes stay on the user's container",
    hide: (object) => {
      if (object.kind === "Deployment") dropFromPods(object);
      if (["Deployment", "ReplicaSet", "Pod"].includes(object.kind)) disown(object, (element) => QUEUE_PROXY.has(element));
    },
  },
  "Ports of ServerlessServices": {
    why: "the ports of a revision's Services are those of queue-proxy and the activator",
    hide: (object) => {
      if (labelsOf(object)[SKS] === undefined) return;
      disown(object, (element) => element === "f:ports");
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
  "Managers of simulated pods": {
    why: "the simulated kubelets know other conditions and addresses",
    hide: (object) => {
      if (object.kind === "Pod") disown(object, (element) => element === "f:conditions" || element === "f:podIPs");
    },
  },
  "Managers of the time of a change": {
    why: "Kubernetes measures how late its endpoints are by an annotation; there are no others",
    hide: (object) => {
      const trigger = "f:endpoints.kubernetes.io/last-change-trigger-time";
      const isOnly = (below: Json): boolean => below[trigger] !== undefined && Object.keys(below).length === 2;
      disown(object, (element, below) => element === "f:annotations" && isOnly(below));
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
