// Sends recorded single requests to the whole control plane and compares the answers.
import type { Checked } from "../autoscaler-compare.ts";
import { firstDifference, type Answer } from "../scenarios/compare.ts";
import { normaliseValue, replacementsOf } from "../scenarios/normalise.ts";
import type { Harness } from "../scenarios/harness.ts";
import { bootHarness } from "../scenarios/platform.ts";
import type { Json } from "../scenarios/recording.ts";
import { send } from "../scenarios/run.ts";

export interface ValidationCase {
  readonly group: string;
  readonly name: string;
  readonly request: { readonly method: string; readonly path: string; readonly contentType: string; readonly body: unknown };
  readonly response: { readonly code: number; readonly body: Json; readonly warnings: readonly string[] };
}

const UID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
/** Of the pod that a dry run tries. */
const SAMPLE_POD = "dry-run-validation";

/** Where requests were recorded, and what the recorded updates are against there. */
interface Recorded {
  readonly namespace: string;
  /** Whether uids were all written alike, whatever has them. */
  readonly uidsAlike: boolean;
  readonly objects: readonly (readonly [plural: string, object: Json])[];
}

const SERVING: Recorded = {
  namespace: "validation",
  uidsAlike: false,
  objects: [
    ["services", existing("Service", "plain", {})],
    ["services", existing("Service", "byo", { metadata: { name: "byo-one" } })],
    ["configurations", existing("Configuration", "standalone", {})],
  ],
};

function existing(kind: string, name: string, template: Json): Json {
  const spec = { containers: [{ image: "dev.local/hello:v1" }] };
  return { apiVersion: "serving.knative.dev/v1", kind, metadata: { name }, spec: { template: { ...template, spec } } };
}

const SINK = { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "sink" } };
const inGroup =
  (apiVersion: string) =>
  (kind: string, spec: Json): Json => ({ apiVersion, kind, metadata: { name: "existing" }, spec });
const eventing = inGroup("eventing.knative.dev/v1");
const messaging = inGroup("messaging.knative.dev/v1");
const flows = inGroup("flows.knative.dev/v1");
const sources = inGroup("sources.knative.dev/v1");

const EVENTING: Recorded = {
  namespace: "eventing-validation",
  uidsAlike: true,
  objects: [
    ["brokers", eventing("Broker", {})],
    ["triggers", eventing("Trigger", { broker: "default", subscriber: SINK })],
    ["channels", messaging("Channel", {})],
    ["subscriptions", messaging("Subscription", { channel: { apiVersion: "messaging.knative.dev/v1", kind: "Channel", name: "c" }, subscriber: SINK })],
    ["sequences", flows("Sequence", { steps: [SINK] })],
    ["parallels", flows("Parallel", { branches: [{ subscriber: SINK }] })],
    ["eventtypes", inGroup("eventing.knative.dev/v1beta2")("EventType", { source: "/x", type: "a" })],
    ["apiserversources", sources("ApiServerSource", { resources: [{ apiVersion: "v1", kind: "Event" }], sink: SINK })],
    ["containersources", sources("ContainerSource", { sink: SINK, template: { spec: { containers: [{ image: "x.example/y" }] } } })],
    ["sinkbindings", sources("SinkBinding", { sink: SINK, subject: { apiVersion: "apps/v1", kind: "Deployment", name: "d" } })],
  ],
};

async function bootWithExisting({ namespace, objects }: Recorded): Promise<Harness> {
  const harness = await bootHarness(namespace);
  for (const [plural, body] of objects) {
    const path = `/apis/${String(body["apiVersion"])}/namespaces/${namespace}/${plural}`;
    const { code, body: answer } = await send(harness, { method: "POST", path, contentType: "application/json", body });
    if (code !== 201) throw new Error(`an object that the recordings need is refused: ${String(answer["message"])}`);
  }
  await harness.settle();
  return harness;
}

/** As the recordings write what varies: uids, versions, times, the random part of generated names. */
function normalised(answer: Answer, { request }: ValidationCase, { harness, uidsAlike }: { readonly harness: Harness; readonly uidsAlike: boolean }): Answer {
  const { generateName } = ((request.body as Json | null)?.["metadata"] ?? {}) as { readonly generateName?: string };
  const prefixes = [SAMPLE_POD, ...(generateName === undefined ? [] : [generateName])];
  const plain = (value: unknown): unknown => {
    if (typeof value === "string") {
      return prefixes.reduce(
        (text, prefix) => text.replaceAll(new RegExp(`\\b${prefix}[a-z0-9]{5}\\b`, "g"), `${prefix}<rand>`),
        value.replaceAll(UID, "<uid>"),
      );
    }
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== "managedFields")
        .map(([key, member]) => [key, key === "resourceVersion" ? "<rv>" : plain(member)]),
    );
  };
  const replacements = replacementsOf(harness.ledger).filter(([, text]) => !(uidsAlike && text.startsWith("<uid:")));
  return { ...answer, body: plain(normaliseValue(answer.body, replacements)) as Json };
}

function differenceOf(got: Answer, want: ValidationCase["response"]): string | undefined {
  if (got.code !== want.code) return `.code: got ${got.code} (${String(got.body["message"])}), want ${want.code} (${String(want.body["message"])})`;
  const body = "omitted" in want.body ? undefined : firstDifference(got.body, want.body);
  return body ?? firstDifference(got.warnings, want.warnings, ".warnings");
}

/** Every case, one after the other: none of them leaves anything behind. */
export async function* checkValidation(cases: readonly ValidationCase[]): AsyncGenerator<Checked> {
  const recorded = cases.some(({ request }) => request.path.includes("eventing")) ? EVENTING : SERVING;
  const harness = await bootWithExisting(recorded);
  const { uidsAlike } = recorded;
  try {
    for (const each of cases) {
      const difference = differenceOf(normalised(await send(harness, each.request), each, { harness, uidsAlike }), each.response);
      yield difference === undefined ? { name: each.name, ok: true } : { name: each.name, ok: false, difference };
    }
  } finally {
    await harness.close();
  }
}
