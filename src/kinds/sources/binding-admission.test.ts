// Whom admission binds: the rows of the table, and what others see of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admit, AdmissionRequest, KubeObject } from "#schema";
import { BINDING_FINALIZER, bindingAdmission, type BindingAdmissionDeps, type BindingRow } from "./binding-admission.ts";
import type { SinkBinding } from "./sink-binding.ts";

const SUBJECT = { apiVersion: "apps/v1", kind: "Deployment", name: "sender" };
const binding = (over: { metadata?: object; spec?: object; status?: object } = {}): SinkBinding =>
  ({
    metadata: { name: "b", namespace: "ns", finalizers: [BINDING_FINALIZER], ...over.metadata },
    spec: { sink: { uri: "http://sink/" }, subject: SUBJECT, ...over.spec },
    status: { sinkUri: "http://sink/", ...over.status },
  }) as SinkBinding;
const sender = (metadata: object = {}): KubeObject =>
  ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "sender", namespace: "ns", labels: { sends: "yes" }, ...metadata },
    spec: { template: { spec: { containers: [{ name: "a", env: [{ name: "OWN", value: "1" }] }], initContainers: [{ name: "i" }] } } },
  }) as unknown as KubeObject;

interface Given {
  readonly bindings?: readonly SinkBinding[];
  /** What memory says; default: what there is. */
  readonly rows?: readonly BindingRow[];
  readonly namespace?: object;
  readonly object?: KubeObject;
  readonly request?: Partial<AdmissionRequest>;
  readonly kind?: { readonly group: string; readonly kind: string };
  readonly admit?: Admit;
}

async function admitted({ bindings = [binding()], object = sender(), ...given }: Given = {}): Promise<KubeObject> {
  const deps: BindingAdmissionDeps = {
    rows: () => given.rows ?? bindings.map(({ metadata: { name }, spec: { subject } }) => ({ name, subject })),
    binding: async (_, name) => bindings.find(({ metadata }) => metadata.name === name),
    namespace: async () => ({ metadata: { name: "ns", ...given.namespace } }) as KubeObject,
  };
  const admit = bindingAdmission(given.kind ?? { group: "apps", kind: "Deployment" }, given.admit, deps);
  const request = { operation: "CREATE", subresource: "", user: { name: "u", groups: [] }, dryRun: false, old: undefined, ...given.request };
  return (await admit({ ...request, object } as AdmissionRequest)).object;
}

const sinkOf = (object: KubeObject): string | undefined => {
  const { containers, initContainers } = (object as unknown as { spec: { template: { spec: Record<string, { env?: { name: string; value?: string }[] }[]> } } })
    .spec.template.spec;
  const sinks = [...(containers ?? []), ...(initContainers ?? [])].map(({ env = [] }) => env.find(({ name }) => name === "K_SINK")?.value);
  assert.equal(new Set(sinks).size, 1);
  return sinks[0];
};

const byLabels = { apiVersion: "apps/v1beta1", kind: "Deployment", selector: { matchLabels: { sends: "yes" } } };
const table: readonly { readonly name: string; readonly given: Given; readonly want: string | undefined }[] = [
  { name: "by name", given: {}, want: "http://sink/" },
  { name: "by labels, whatever the version", given: { bindings: [binding({ spec: { subject: byLabels } })] }, want: "http://sink/" },
  { name: "changed", given: { request: { operation: "UPDATE", old: sender() } }, want: "http://sink/" },
  { name: "another name", given: { object: sender({ name: "other" }) }, want: undefined },
  { name: "other labels", given: { bindings: [binding({ spec: { subject: byLabels } })], object: sender({ labels: { sends: "no" } }) }, want: undefined },
  { name: "another kind", given: { kind: { group: "apps", kind: "ReplicaSet" } }, want: undefined },
  { name: "another group", given: { kind: { group: "", kind: "Deployment" } }, want: undefined },
  { name: "excluded", given: { object: sender({ labels: { "bindings.knative.dev/exclude": "true" } }) }, want: undefined },
  { name: "its namespace is excluded", given: { namespace: { labels: { "bindings.knative.dev/exclude": "true" } } }, want: undefined },
  { name: "no sink yet", given: { bindings: [binding({ status: { sinkUri: undefined } })] }, want: undefined },
  {
    name: "a binding that is going away, of which memory does not know",
    given: { bindings: [binding({ metadata: { deletionTimestamp: "now" } })] },
    want: undefined,
  },
  { name: "a binding that is gone", given: { bindings: [], rows: [{ name: "b", subject: SUBJECT }] }, want: undefined },
  { name: "a binding that could not be undone", given: { bindings: [binding({ metadata: { finalizers: [] } })] }, want: undefined },
  {
    name: "of several the first by name that has a sink",
    given: {
      bindings: [
        binding({ metadata: { name: "c" } }),
        binding({ metadata: { name: "b" }, status: { sinkUri: "http://b/" } }),
        binding({ metadata: { name: "a" }, status: { sinkUri: "" } }),
      ],
    },
    want: "http://b/",
  },
  { name: "its scale", given: { request: { operation: "UPDATE", subresource: "scale" } }, want: undefined },
];
for (const { name, given, want } of table) test(`bindingAdmission: ${name}`, async () => assert.equal(sinkOf(await admitted(given)), want));

test("bindingAdmission: what comes behind sees the sink, and what is bound already is the same object", async () => {
  const seen: (string | undefined)[] = [];
  const admit: Admit = ({ object }) => {
    seen.push(sinkOf(object));
    return { object: { ...object, apiVersion: "seen/v1" }, warnings: ["w"] };
  };
  const bound = await admitted({ admit });
  assert.deepEqual([seen, bound.apiVersion], [["http://sink/"], "seen/v1"]);
  const again = await admitted();
  assert.equal(await admitted({ object: again }), again);
});
