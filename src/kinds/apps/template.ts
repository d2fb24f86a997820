// What Deployments and ReplicaSets have in common: a pod template, a selector that fits it, replicas.
import { equal, fieldError, labelErrors, selectorMatches, type FieldError, type LabelSelectorObject } from "#schema";
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

function selectorErrors(spec: Workload, kind: string): FieldError[] {
  const { matchLabels = {}, matchExpressions = [] } = spec.selector;
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) {
    return [fieldError.invalid("spec.selector", spec.selector, `empty selector is invalid for ${kind}`)];
  }
  return labelErrors("spec.selector.matchLabels", matchLabels);
}

/** Errors of the common part; `kind` is the word in the text about an empty selector. */
export function workloadErrors(spec: Workload, old: Workload | undefined, kind: string): FieldError[] {
  const labels = spec.template?.metadata?.labels;
  const wrong = selectorErrors(spec, kind);
  const fits = wrong.length > 0 || selectorMatches(spec.selector, labels);
  const policy = spec.template?.spec?.restartPolicy;
  if (old !== undefined && !equal(spec.selector, old.selector)) wrong.push(fieldError.invalid("spec.selector", spec.selector, "field is immutable"));
  wrong.push(...notNegative("spec.replicas", spec.replicas), ...notNegative("spec.minReadySeconds", spec.minReadySeconds));
  if (!fits) wrong.push(fieldError.invalid("spec.template.metadata.labels", labels ?? null, "`selector` does not match template `labels`"));
  wrong.push(...labelErrors("spec.template.labels", labels), ...podSpecErrors("spec.template.spec", spec.template?.spec ?? { containers: [] }));
  if (policy !== undefined && policy !== "Always") wrong.push(fieldError.notSupported("spec.template.spec.restartPolicy", policy, ["Always"]));
  return wrong;
}
