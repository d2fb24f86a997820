// What is wrong with a HorizontalPodAutoscaler, in Kubernetes' words.
import { fieldError, parseQuantity, type FieldError } from "#schema";
import { notNegative, NOT_NEGATIVE } from "../core/ranges.ts";
import type { CrossVersionObjectReference, HorizontalPodAutoscaler, HPAScalingPolicy, HPAScalingRules, MetricSpec, MetricTarget } from "./v2.types.ts";

const PERIOD_MAX_SECONDS = 1_800;
const STABILIZATION_MAX_SECONDS = 3_600;
const SELECT_POLICIES = ["Disabled", "Max", "Min"];
const POLICY_TYPES = ["Percent", "Pods"];
/** Types of sources, and the members that they live in. */
const SOURCES = { Object: "object", External: "external", Pods: "pods", Resource: "resource", ContainerResource: "containerResource" } as const;
type SourceType = keyof typeof SOURCES;
const SOURCE_TYPES = Object.keys(SOURCES).toSorted() as SourceType[];
/** Those that are measured also while there is no pod. */
const WITHOUT_PODS: readonly string[] = ["Object", "External"];

/** A path segment, as Kubernetes takes names that become part of a URL. */
function segmentErrors(field: string, text: string): FieldError[] {
  if (text === "") return [fieldError.required(field)];
  if (text === "." || text === "..") return [fieldError.invalid(field, text, `may not be '${text}'`)];
  return ["/", "%"].filter((mark) => text.includes(mark)).map((mark) => fieldError.invalid(field, text, `may not contain '${mark}'`));
}

/** An `apiVersion` that is no `GROUP/VERSION`; `emptyGroup`: `v1` and nothing are fine, too. */
function versionErrors(field: string, apiVersion: string, emptyGroup: boolean): FieldError[] {
  const slashes = apiVersion.split("/").length - 1;
  if (slashes > 1) return [fieldError.invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  if (slashes === 1 && !apiVersion.startsWith("/")) return [];
  return emptyGroup ? [] : [fieldError.invalid(field, apiVersion, "apiVersion must specify API group")];
}

interface ReferenceRules {
  readonly emptyGroup: boolean;
  /** What an object says already is not told again. */
  readonly asBefore: boolean;
}

function referenceErrors(field: string, { kind, name, apiVersion = "" }: CrossVersionObjectReference, { emptyGroup, asBefore }: ReferenceRules): FieldError[] {
  const version = asBefore ? [] : versionErrors(`${field}.apiVersion`, apiVersion, emptyGroup);
  return [...segmentErrors(`${field}.kind`, kind), ...segmentErrors(`${field}.name`, name), ...version];
}

function targetErrors(field: string, { type, value, averageValue, averageUtilization }: MetricTarget): FieldError[] {
  const positive = (name: string, text: string | number | undefined): FieldError[] =>
    text === undefined || (parseQuantity(text)?.nano ?? 0n) > 0n ? [] : [fieldError.invalid(`${field}.${name}`, String(text), "must be positive")];
  return [
    ...(type === "" ? [fieldError.required(`${field}.type`, "must specify a metric target type")] : []),
    ...(["Utilization", "Value", "AverageValue"].includes(type)
      ? []
      : [fieldError.invalid(`${field}.type`, type, "must be either Utilization, Value, or AverageValue")]),
    ...positive("value", value),
    ...positive("averageValue", averageValue),
    ...(averageUtilization === undefined || averageUtilization >= 1
      ? []
      : [fieldError.invalid(`${field}.averageUtilization`, averageUtilization, "must be greater than 0")]),
  ];
}

/** A resource's target is a share of what was requested or an amount. */
function resourceErrors(field: string, { name, target }: { readonly name: string; readonly target: MetricTarget }): FieldError[] {
  const { averageUtilization, averageValue } = target;
  const wrong = [...(name === "" ? [fieldError.required(`${field}.name`, "must specify a resource name")] : []), ...targetErrors(`${field}.target`, target)];
  if (averageUtilization === undefined && averageValue === undefined) {
    wrong.push(fieldError.required(`${field}.target.averageUtilization`, "must set either a target raw value or a target utilization"));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    wrong.push(fieldError.forbidden(`${field}.target.averageValue`, "may not set both a target raw value and a target utilization"));
  }
  return wrong;
}

function identifierErrors(field: string, name: string): FieldError[] {
  return name === "" ? [fieldError.required(`${field}.name`)] : segmentErrors(`${field}.name`, name);
}

function sourceErrors(field: string, spec: MetricSpec, member: (typeof SOURCES)[SourceType]): FieldError[] {
  const { object, external, pods, resource, containerResource } = spec;
  if (member === "resource" && resource !== undefined) return resourceErrors(field, resource);
  if (member === "containerResource" && containerResource !== undefined) {
    const container = containerResource.container === "" ? [fieldError.required(`${field}.container`, "must specify a container")] : [];
    return [...container, ...resourceErrors(field, containerResource)];
  }
  const source = member === "object" ? object : member === "external" ? external : pods;
  if (source === undefined) return [];
  const { metric, target } = source;
  const described = object === source ? referenceErrors(`${field}.describedObject`, object.describedObject, { emptyGroup: true, asBefore: false }) : [];
  const wrong = [...described, ...identifierErrors(`${field}.metric`, metric.name), ...targetErrors(`${field}.target`, target)];
  const averageField = `${field}.target.averageValue`;
  if (member === "pods") {
    return target.averageValue === undefined ? [...wrong, fieldError.required(averageField, "must specify a positive target averageValue")] : wrong;
  }
  if (target.value === undefined && target.averageValue === undefined) {
    const either = member === "object" ? "a target value or averageValue" : "a target value for metric or a per-pod target";
    wrong.push(fieldError.required(averageField, `must set either ${either}`));
  }
  if (member === "external" && target.value !== undefined && target.averageValue !== undefined) {
    wrong.push(fieldError.forbidden(`${field}.target.value`, "may not set both a target value for metric and a per-pod target"));
  }
  return wrong;
}

function metricErrors(field: string, spec: MetricSpec): FieldError[] {
  const type = SOURCE_TYPES.find((one) => one === spec.type);
  const notSupported = fieldError.notSupported(`${field}.type`, spec.type, SOURCE_TYPES);
  const wrong = [
    ...(spec.type === "" ? [fieldError.required(`${field}.type`, "must specify a metric source type")] : []),
    ...(type === undefined ? [notSupported] : []),
  ];
  const present = Object.values(SOURCES).filter((member) => spec[member] !== undefined);
  const [first] = present;
  if (first !== undefined) wrong.push(...sourceErrors(`${field}.${first}`, spec, first));
  const expected = type === undefined ? undefined : SOURCES[type];
  if (expected === undefined) wrong.push(notSupported);
  else if (spec[expected] === undefined) wrong.push(fieldError.required(`${field}.${expected}`, "must populate information for the given metric source"));
  if (present.length === 1) return wrong;
  const others = present.filter((member) => member !== expected);
  return [...wrong, ...others.map((member) => fieldError.forbidden(`${field}.${member}`, "must populate the given metric source only"))];
}

function policyErrors(field: string, { type, value, periodSeconds }: HPAScalingPolicy): FieldError[] {
  const wrong = POLICY_TYPES.includes(type) ? [] : [fieldError.notSupported(`${field}.type`, type, POLICY_TYPES)];
  if (value <= 0) wrong.push(fieldError.invalid(`${field}.value`, value, "must be greater than zero"));
  if (periodSeconds <= 0) wrong.push(fieldError.invalid(`${field}.periodSeconds`, periodSeconds, "must be greater than zero"));
  if (periodSeconds > PERIOD_MAX_SECONDS) {
    wrong.push(fieldError.invalid(`${field}.periodSeconds`, periodSeconds, `must be less than or equal to ${PERIOD_MAX_SECONDS}`));
  }
  return wrong;
}

function rulesErrors(field: string, rules: HPAScalingRules | undefined): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies = [], tolerance } = rules;
  const windowField = `${field}.stabilizationWindowSeconds`;
  const wrong = window < 0 ? [fieldError.invalid(windowField, window, "must be greater than or equal to zero")] : [];
  if (window > STABILIZATION_MAX_SECONDS) wrong.push(fieldError.invalid(windowField, window, `must be less than or equal to ${STABILIZATION_MAX_SECONDS}`));
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy)) {
    wrong.push(fieldError.notSupported(`${field}.selectPolicy`, selectPolicy, SELECT_POLICIES));
  }
  if (policies.length === 0) wrong.push(fieldError.required(`${field}.policies`, "must specify at least one Policy"));
  wrong.push(...policies.flatMap((policy, index) => policyErrors(`${field}.policies[${index}]`, policy)));
  const isNegative = tolerance !== undefined && (parseQuantity(tolerance)?.nano ?? 0n) < 0n;
  return isNegative ? [...wrong, fieldError.invalid(`${field}.tolerance`, String(tolerance), NOT_NEGATIVE)] : wrong;
}

function specErrors({ spec }: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler | undefined): FieldError[] {
  const { minReplicas, maxReplicas, scaleTargetRef, metrics = [], behavior } = spec;
  // Whoever was at zero stays there; nobody else may begin.
  const lowest = old?.spec.minReplicas === 0 ? 0 : 1;
  const wrong: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < lowest) {
    wrong.push(fieldError.invalid("spec.minReplicas", minReplicas, `must be greater than or equal to ${lowest}`));
  }
  if (maxReplicas < 1) wrong.push(fieldError.invalid("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    wrong.push(fieldError.invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  const before = old?.spec.scaleTargetRef;
  const asBefore = before !== undefined && before.apiVersion === scaleTargetRef.apiVersion && before.kind === scaleTargetRef.kind;
  wrong.push(...referenceErrors("spec.scaleTargetRef", scaleTargetRef, { emptyGroup: scaleTargetRef.kind === "ReplicationController", asBefore }));
  wrong.push(...metrics.flatMap((metric, index) => metricErrors(`spec.metrics[${index}]`, metric)));
  if (minReplicas === 0 && !metrics.some(({ type }) => WITHOUT_PODS.includes(type))) {
    wrong.push(fieldError.forbidden("spec.metrics", "must specify at least one Object or External metric to support scaling to zero replicas"));
  }
  return [...wrong, ...rulesErrors("spec.behavior.scaleUp", behavior?.scaleUp), ...rulesErrors("spec.behavior.scaleDown", behavior?.scaleDown)];
}

export function autoscalerErrors(autoscaler: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler | undefined, subresource = ""): FieldError[] {
  if (subresource !== "status") return specErrors(autoscaler, old);
  const { currentReplicas, desiredReplicas } = autoscaler.status ?? {};
  return [...notNegative("status.currentReplicas", currentReplicas), ...notNegative("status.desiredReplicas", desiredReplicas)];
}
