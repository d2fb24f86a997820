// Checks of the autoscaling.knative.dev annotations (serving.md §3.2).
import { formatDurationMs, parseDurationMs } from "#core";
import type { AutoscalerConfig } from "../config/autoscaler.ts";
import { parseFloatText, parseIntText } from "../config/reader.ts";
import { autoscaling, lookUp } from "../keys.ts";
import { fieldError, invalidValue, noErrors, outOfBounds, type FieldErrors } from "../knative-field-error.ts";

type Annotations = Readonly<Record<string, string>>;
type Found = { readonly key: string; readonly value: string };

const INT32_MAX = 2_147_483_647;
const WINDOW_MIN_MS = 6_000;
const WINDOW_MAX_MS = 3_600_000;
const TARGET_MIN = 0.01;

/** Runs the check when the annotation is there, under any of its spellings. */
function when(annotations: Annotations, key: string, check: (found: Found) => FieldErrors): FieldErrors {
  const found = lookUp(annotations, key);
  return found === undefined ? noErrors : check(found);
}

function floatBetween(annotations: Annotations, key: string, bounds: readonly [number, number]): FieldErrors {
  return when(annotations, key, (found) => {
    const value = parseFloatText(found.value);
    if (value === undefined) return invalidValue(found.value, found.key);
    return value >= bounds[0] && value <= bounds[1] ? noErrors : outOfBounds(found.value, bounds, found.key);
  });
}

function durationBetween(annotations: Annotations, key: string, rule: { readonly min: number; readonly wholeSeconds: boolean }): FieldErrors {
  return when(annotations, key, (found) => {
    const ms = parseDurationMs(found.value);
    if (ms === undefined) return invalidValue(found.value, found.key);
    if (ms < rule.min || ms > WINDOW_MAX_MS) return outOfBounds(found.value, [formatDurationMs(rule.min), formatDurationMs(WINDOW_MAX_MS)], found.key);
    return rule.wholeSeconds && ms % 1000 !== 0 ? fieldError("must be specified with at most second precision", found.key) : noErrors;
  });
}

/** An int32 that is not negative; `errors` tells why there is none. */
function scale(annotations: Annotations, key: string): { readonly value: number; readonly key: string; readonly errors: FieldErrors } {
  const found = lookUp(annotations, key);
  if (found === undefined) return { value: 0, key, errors: noErrors };
  const parsed = parseIntText(found.value, BigInt(INT32_MAX));
  if ("error" in parsed) {
    const large = parsed.error.endsWith("out of range");
    return { value: 0, key: found.key, errors: large ? outOfBounds(found.value, [0, INT32_MAX], found.key) : invalidValue(found.value, found.key) };
  }
  const errors = parsed.value < 0 ? outOfBounds(parsed.value, [0, INT32_MAX], found.key) : noErrors;
  return { value: Math.max(0, parsed.value), key: found.key, errors };
}

function checkMinMax(annotations: Annotations, config: AutoscalerConfig): FieldErrors {
  const min = scale(annotations, autoscaling.minScale);
  const max = scale(annotations, autoscaling.maxScale);
  const minKey = autoscaling.minScale;
  const maxKey = autoscaling.maxScale;
  let errors = min.errors.also(max.errors);
  if (max.value !== 0 && max.value < min.value) {
    errors = errors.also(fieldError(`max-scale=${max.value} is less than min-scale=${min.value}`, [maxKey, minKey]));
  }
  const limit = config.maxScaleLimit;
  if (limit > 0 && lookUp(annotations, maxKey) !== undefined && max.errors.isEmpty) {
    if (max.value > limit) errors = errors.also(outOfBounds(max.value, [1, limit], max.key));
    if (max.value === 0) errors = errors.also(fieldError(`max-scale=0 (unlimited), must be less than ${limit}`, max.key));
  }
  return errors;
}

function checkActivationScale(annotations: Annotations): FieldErrors {
  return when(annotations, autoscaling.activationScale, (found) => {
    const parsed = parseIntText(found.value, BigInt(INT32_MAX));
    if ("error" in parsed) return invalidValue(found.value, found.key);
    const value = parsed.value;
    if (value < 2) return fieldError(`activation-scale=${value} must be greater than 1`, found.key);
    const min = lookUp(annotations, autoscaling.minScale);
    const max = lookUp(annotations, autoscaling.maxScale);
    const minValue = min === undefined ? 0 : Number(min.value);
    const maxValue = max === undefined ? 0 : Number(max.value);
    if (minValue > value) return fieldError(`min-scale=${minValue} is greater than activation-scale=${value}`, found.key);
    if (maxValue > 0 && maxValue < value) return fieldError(`max-scale=${maxValue} is less than activation-scale=${value}`, found.key);
    return noErrors;
  });
}

function checkInitialScale(annotations: Annotations, config: AutoscalerConfig): FieldErrors {
  return when(annotations, autoscaling.initialScale, (found) => {
    const parsed = parseIntText(found.value, BigInt(INT32_MAX));
    if ("error" in parsed) return invalidValue(found.value, found.key);
    if (parsed.value < 0) return invalidValue(found.value, `${found.key} must be greater than 0`);
    if (parsed.value === 0 && !config.allowZeroInitialScale) return invalidValue(found.value, `${found.key}=0 not allowed by cluster`);
    return noErrors;
  });
}

function checkBurstCapacity(annotations: Annotations): FieldErrors {
  return when(annotations, autoscaling.targetBurstCapacity, (found) => {
    const value = parseFloatText(found.value);
    return value === undefined || (value < 0 && value !== -1) ? invalidValue(found.value, found.key) : noErrors;
  });
}

function checkTarget(annotations: Annotations): FieldErrors {
  return when(annotations, autoscaling.target, (found) => {
    const value = parseFloatText(found.value);
    if (value === undefined) return invalidValue(found.value, found.key);
    return value < TARGET_MIN ? fieldError(`target ${found.value} should be at least ${TARGET_MIN}`, found.key) : noErrors;
  });
}

function checkClassAndMetric(annotations: Annotations): FieldErrors {
  const { kpaClass, hpaClass } = autoscaling;
  const classKey = lookUp(annotations, autoscaling.class);
  const known = classKey === undefined || classKey.value === kpaClass || classKey.value === hpaClass;
  if (!known && classKey.value.endsWith(".knative.dev")) return invalidValue(classKey.value, classKey.key);
  return when(annotations, autoscaling.metric, (found) => {
    const effective = classKey?.value ?? kpaClass;
    if (effective === kpaClass && found.value !== "concurrency" && found.value !== "rps") return invalidValue(found.value, found.key);
    return effective === hpaClass && found.value === "" ? invalidValue(found.value, found.key) : noErrors;
  });
}

function checkAlgorithm(annotations: Annotations): FieldErrors {
  if (annotations[autoscaling.class] !== autoscaling.kpaClass) return noErrors;
  return when(annotations, autoscaling.metricAggregationAlgorithm, (found) =>
    ["linear", "weighted-exponential", "weightedExponential", ""].includes(found.value) ? noErrors : invalidValue(found.value, found.key),
  );
}

/** Errors at the annotations' keys; the caller adds where the annotations are. */
export function checkAutoscalingAnnotations(annotations: Annotations | undefined, config: AutoscalerConfig): FieldErrors {
  const all = annotations ?? {};
  if (Object.keys(all).length === 0) return noErrors;
  return checkClassAndMetric(all).also(
    checkMinMax(all, config),
    checkActivationScale(all),
    floatBetween(all, autoscaling.panicWindowPercentage, [1, 100]),
    floatBetween(all, autoscaling.panicThresholdPercentage, [110, 1000]),
    floatBetween(all, autoscaling.targetUtilizationPercentage, [1, 100]),
    checkTarget(all),
    checkBurstCapacity(all),
    durationBetween(all, autoscaling.window, { min: WINDOW_MIN_MS, wholeSeconds: true }),
    durationBetween(all, autoscaling.scaleToZeroPodRetentionPeriod, { min: 0, wholeSeconds: false }),
    durationBetween(all, autoscaling.scaleDownDelay, { min: 0, wholeSeconds: true }),
    checkInitialScale(all, config),
    checkAlgorithm(all),
  );
}
