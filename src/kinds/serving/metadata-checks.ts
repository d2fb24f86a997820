// Checks of metadata that the serving kinds share (serving.md §1.4, §1.5).
import { parseDurationMs } from "#core";
import type { KubeObject } from "#schema";
import { isQuantity, parseFloatText } from "../config/reader.ts";
import { lookUp, networking, queueSidecar, serving } from "../keys.ts";
import { fieldError, fieldWarning, invalidKeyName, invalidValue, missingField, noErrors, outOfBounds, type FieldErrors } from "../knative-field-error.ts";
import { dns1035Complaints, dns1035PrefixComplaints } from "../names.ts";

type Annotations = Readonly<Record<string, string>>;

/** Name rules of every serving kind; paths are inside metadata. */
export function checkObjectName(metadata: { readonly name?: string; readonly generateName?: string }): FieldErrors {
  const { name = "", generateName = "" } = metadata;
  if (name !== "") {
    const complaints = dns1035Complaints(name);
    return complaints.length === 0 ? noErrors : fieldError(`not a DNS 1035 label: [${complaints.join(" ")}]`, "name");
  }
  if (generateName !== "") {
    const complaints = dns1035PrefixComplaints(generateName);
    return complaints.length === 0 ? noErrors : fieldError(`not a DNS 1035 label prefix: [${complaints.join(" ")}]`, "generateName");
  }
  return fieldError("name or generateName is required", "name");
}

/** Autoscaling annotations belong on the template. */
export function refuseAutoscalingAnnotations(annotations: Annotations | undefined): FieldErrors {
  const misplaced = Object.keys(annotations ?? {}).filter((key) => key.startsWith("autoscaling.knative.dev"));
  const details = 'autoscaling annotations must be put under "spec.template.metadata.annotations" to work';
  return noErrors.also(...misplaced.map((key) => invalidKeyName(key, "annotations", details)));
}

/** A duration of whole seconds that is not negative. `word` is how messages call it. */
function checkSeconds(annotations: Annotations | undefined, key: string, word: string): FieldErrors {
  const found = lookUp(annotations, key);
  if (found === undefined || found.value === "") return noErrors;
  const ms = parseDurationMs(found.value);
  if (ms === undefined) return invalidValue(found.value, found.key);
  if (ms % 1000 !== 0) return fieldError(`${word}=${found.value} is not at second precision`, found.key);
  return ms < 0 ? fieldError(`${word}=${found.value} must be positive`, found.key) : noErrors;
}

export const checkRolloutDuration = (annotations: Annotations | undefined): FieldErrors =>
  checkSeconds(annotations, serving.rolloutDuration, "rollout-duration").viaField("annotations");

export const checkProgressDeadline = (annotations: Annotations | undefined): FieldErrors =>
  checkSeconds(annotations, serving.progressDeadline, "progress-deadline");

const NETWORKING_ANNOTATIONS = new Set(
  [
    "ingress.class",
    "ingress-class",
    "certificate.class",
    "certificate-class",
    "disableAutoTLS",
    "disable-auto-tls",
    "disable-external-domain-tls",
    "httpOption",
    "http-protocol",
  ].map((name) => networking.prefix + name),
);

/** Only some networking annotations may be on a template. */
export function checkNetworkingAnnotations(annotations: Annotations | undefined): FieldErrors {
  const wrong = Object.keys(annotations ?? {}).filter((key) => key.startsWith(networking.prefix) && !NETWORKING_ANNOTATIONS.has(key));
  return noErrors.also(...wrong.map((key) => invalidKeyName(key, "")));
}

const PERCENTAGE_DEPRECATED =
  "Queue proxy resource percentage annotation is deprecated. Please use the available annotations to explicitly set resource values per service";

function checkResourcePercentage(annotations: Annotations | undefined): FieldErrors {
  const found = lookUp(annotations, queueSidecar.resourcePercentage);
  if (found === undefined) return noErrors;
  const value = parseFloatText(found.value);
  const warning = fieldWarning(PERCENTAGE_DEPRECATED, []);
  if (value === undefined) return invalidValue(found.value, "").viaKey(found.key).also(warning);
  return value < 0.1 || value > 100 ? outOfBounds(found.value, ["0.1", 100], "").viaKey(found.key).also(warning) : warning;
}

/** The deprecation warning carries no path. */
export function checkQueueSidecarAnnotations(annotations: Annotations | undefined): FieldErrors {
  const { resourcePercentage: _, ...keys } = queueSidecar;
  const wrong = Object.values(keys).filter((key) => annotations?.[key] !== undefined && !isQuantity(annotations[key] ?? ""));
  return noErrors.also(checkResourcePercentage(annotations), ...wrong.map((key) => invalidValue(annotations?.[key] ?? "", "").viaKey(key)));
}

/** A label that names an owner must have that owner: `kind` and name in ownerReferences. Paths are inside metadata. */
export function checkOwnerLabel(metadata: KubeObject["metadata"], label: string, kind: string): FieldErrors {
  const owner = metadata.labels?.[label];
  if (owner === undefined) return noErrors;
  const owned = (metadata.ownerReferences ?? []).some((reference) => reference.kind === kind && reference.name === owner);
  return owned ? noErrors : missingField(label).viaField("labels");
}

/** Creator is for ever; the modifier changes with the spec only. Paths are at the object. */
export function checkUserAnnotations(object: KubeObject, old: KubeObject, specChanged: boolean): FieldErrors {
  const now = object.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  let errors = noErrors;
  if (now[serving.creator] !== before[serving.creator]) errors = errors.also(fieldError("annotation value is immutable", serving.creator));
  if (!specChanged && now[serving.lastModifier] !== before[serving.lastModifier]) {
    errors = errors.also(invalidValue(now[serving.lastModifier] ?? "", serving.lastModifier));
  }
  return errors.viaField("annotations").viaField("metadata");
}
