// What Deployments and ReplicaSets have in common: a pod template, a selector that fits it, replicas.
import { equal, fieldError, labelErrors, selectorMatches, type FieldError, type LabelSelectorObject } from "#schema";
import { labelSelectorErrors } from "../core/label-selector-errors.ts";
import { podSpecErrors } from "../core/pod-validation.ts";
import { notNegative } from "../core/ranges.ts";
import { podSpecDefaults } from "../core/pod-defaults.ts";
import type { PodTemplateSpec } from "../core/v1.types.ts";

interface Workload {
  readonly replicas?: number;
  readonly minReadySeconds?: number;
  readonly selector: LabelSelectorObject;
  readonly template?: PodTemplateSpec;
}

export function templateDefaults(template: PodTemplateSpec): PodTemplateSpec {
  if (template.spec === undefined) return template;
  const spec = podSpecDefaults(template.spec);
  return spec === template.spec ? template : { ...template, spec };
}

/** What is wrong with the selector itself; one that cannot be read is told as a whole, too. */
function selectorErrors(selector: LabelSelectorObject | null | undefined): FieldError[] {
  if (selector === null || selector === undefined) return [fieldError.required("spec.selector")];
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const wrong = labelSelectorErrors("spec.selector", selector);
  // Kubernetes says deployment of other kinds, too.
  if (Object.keys(matchLabels).length + matchExpressions.length === 0)
    wrong.push(fieldError.invalid("spec.selector", selector, "empty selector is invalid for deployment"));
  else if (wrong.length > 0) wrong.push(fieldError.invalid("spec.selector", selector, "invalid label selector"));
  return wrong;
}

/** A selector that is not there matches nothing; one that is wrong is complained about elsewhere. */
function fits(selector: LabelSelectorObject | null | undefined, labels: Readonly<Record<string, string>> | undefined): boolean {
  if (selector === null || selector === undefined) return false;
  return selectorErrors(selector).length > 0 || selectorMatches(selector, labels);
}

/** Errors of the common part. */
export function workloadErrors(spec: Workload, old: Workload | undefined): FieldError[] {
  const { selector, template } = spec;
  const labels = template?.metadata?.labels;
  const { restartPolicy: policy, activeDeadlineSeconds: deadline } = template?.spec ?? {};
  const wrong = selectorErrors(selector);
  wrong.push(...notNegative("spec.replicas", spec.replicas), ...notNegative("spec.minReadySeconds", spec.minReadySeconds));
  if (!fits(selector, labels)) wrong.push(fieldError.invalid("spec.template.metadata.labels", labels ?? null, "`selector` does not match template `labels`"));
  wrong.push(...labelErrors("spec.template.labels", labels), ...podSpecErrors("spec.template.spec", template?.spec ?? { containers: [] }));
  if (policy !== undefined && policy !== "Always") wrong.push(fieldError.notSupported("spec.template.spec.restartPolicy", policy, ["Always"]));
  if (deadline !== undefined) {
    wrong.push(fieldError.forbidden("spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported"));
  }
  if (old !== undefined && !equal(selector, old.selector)) wrong.push(fieldError.invalid("spec.selector", selector, "field is immutable"));
  return wrong;
}

const COUNTS = ["updatedReplicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"] as const;

/** Errors of the counts in a status: none below zero, none above those that it is a part of. */
export function countErrors(status: Readonly<Partial<Record<"replicas" | (typeof COUNTS)[number], number>>> | undefined): FieldError[] {
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status ?? {};
  const wrong = (["replicas", ...COUNTS] as const).flatMap((name) => notNegative(`status.${name}`, status?.[name]));
  for (const name of COUNTS) {
    const count = status?.[name];
    if (count !== undefined && count > replicas) wrong.push(fieldError.invalid(`status.${name}`, count, "cannot be greater than status.replicas"));
  }
  if (availableReplicas > readyReplicas) wrong.push(fieldError.invalid("status.availableReplicas", availableReplicas, "cannot be greater than readyReplicas"));
  return wrong;
}
