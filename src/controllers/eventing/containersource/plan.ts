// The children of a ContainerSource and its status (eventing.md 1.14): a Deployment, and a SinkBinding to it.
//
// SinkBindingReady     as the SinkBinding's Ready
// ReceiveAdapterReady  as the Deployment's Available; Unknown DeploymentUnavailable while it has none
//
// The Deployment is made once the sink is known, with what the SinkBinding would put into it: no pod starts without a sink. From then on
// its variables are the SinkBinding's.
import {
  boundTemplate,
  boundTemplateAs,
  containerSourceBindingName,
  containerSourceConditions as conditions,
  containerSourceDeploymentName,
  Deployment,
  SinkBinding,
  templateBinding,
  type ContainerSource,
  type ContainerSourceStatus,
} from "#kinds";
import type { Child, Plan, PlanEvent } from "#reconcile";
import { conditionOf, type Condition, type Draft } from "#schema";
import { beginConditions, propagate, type WithConditions } from "../../serving/status.ts";
import type { ObservedContainerSource } from "./observe.ts";

function labelsOf({ metadata }: ContainerSource): Record<string, string> {
  return { "sources.knative.dev/source": "container-source-controller", "sources.knative.dev/containerSource": metadata.name };
}

export function planContainerSource(observed: ObservedContainerSource): Plan {
  const { source, binding } = observed;
  if (source.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const bindingChild = bindingFor(source) as unknown as Child;
  const sinkUri = binding?.status?.sinkUri;
  const desired =
    sinkUri === undefined && observed.deployment === undefined ? [bindingChild] : [bindingChild, deploymentFor(source, binding) as unknown as Child];
  return { desired, status: statusOf(observed) };
}

function bindingFor(source: ContainerSource): Child<SinkBinding> {
  const { name, namespace = "" } = source.metadata;
  const { sink, ceOverrides } = source.spec;
  const subject = { apiVersion: "apps/v1", kind: "Deployment", namespace, name: containerSourceDeploymentName(name) };
  return {
    kind: SinkBinding,
    object: {
      apiVersion: "sources.knative.dev/v1",
      kind: "SinkBinding",
      metadata: { name: containerSourceBindingName(name), namespace, labels: labelsOf(source) },
      spec: { sink, subject, ...(ceOverrides === undefined ? {} : { ceOverrides }) },
    },
    merge: (current, wanted) => ({ ...current, spec: wanted.spec }),
    onCreated: (made) => created("ContainerSourceSinkBindingCreated", "SinkBinding", made.metadata.name),
  };
}

function created(reason: string, what: string, name: string): PlanEvent {
  return { type: "Normal", reason, message: `${what} created ${JSON.stringify(name)}` };
}

function templateOf(source: ContainerSource): NonNullable<Deployment["spec"]>["template"] {
  const { template } = source.spec;
  return { ...template, metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...labelsOf(source) } } } as NonNullable<
    Deployment["spec"]
  >["template"];
}

function deploymentFor(source: ContainerSource, binding: SinkBinding | undefined): Child<Deployment> {
  const { name, namespace = "" } = source.metadata;
  const template = templateOf(source);
  const its = templateBinding(binding?.status?.sinkUri ?? "", binding?.status ?? {}, source.spec.ceOverrides);
  const object = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: containerSourceDeploymentName(name), namespace, labels: labelsOf(source) },
    spec: { selector: { matchLabels: labelsOf(source) }, template: { ...template, spec: boundTemplate(template.spec ?? {}, its) } },
  } as Draft<Deployment>;
  return {
    kind: Deployment,
    object,
    // Replicas are whoever's scales it, variables the SinkBinding's.
    merge(current) {
      const spec = boundTemplateAs(template.spec ?? {}, current.spec?.template.spec ?? {});
      return { ...current, spec: { ...current.spec, template: { ...template, spec } } } as Draft<Deployment>;
    },
    onCreated: (made) => created("ContainerSourceDeploymentCreated", "Deployment", made.metadata.name),
  };
}

function markDeployment(marks: readonly Condition[], { source, deployment }: ObservedContainerSource): Condition[] {
  const type = "ReceiveAdapterReady";
  const available = conditionOf((deployment as WithConditions | undefined)?.status?.conditions, "Available");
  if (available !== undefined) return propagate(conditions, marks, type, available);
  const message = `The Deployment '${containerSourceDeploymentName(source.metadata.name)}' is unavailable.`;
  return conditions.markUnknown(marks, type, { reason: "DeploymentUnavailable", message });
}

function statusOf(observed: ObservedContainerSource): ContainerSourceStatus {
  const { source, binding } = observed;
  const { sinkUri, sinkCACerts, sinkAudience } = binding?.status ?? {};
  const sink = Object.entries({ sinkUri, sinkCACerts, sinkAudience }).filter(([, value]) => value !== undefined);
  const bindingReady = conditionOf(binding?.status?.conditions, "Ready");
  const marks = markDeployment(propagate(conditions, beginConditions(conditions, source), "SinkBindingReady", bindingReady), observed);
  const { generation } = source.metadata;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditions.sorted(marks),
    ...(Object.fromEntries(sink) as Pick<ContainerSourceStatus, "sinkUri">),
  };
}
