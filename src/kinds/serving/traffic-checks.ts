// Checks of traffic targets (serving.md §1.5, Route).
import {
  eachOf,
  disallowedFields,
  fieldError,
  invalidKeyName,
  invalidValue,
  missingOneOf,
  multipleOneOf,
  noErrors,
  outOfBounds,
  type FieldErrors,
} from "../knative-field-error.ts";
import { dns1035Complaints, qualifiedNameComplaints } from "../names.ts";
import type { TrafficTarget } from "./route.ts";

/** `inService`: targets of a Service know their Configuration already. */
function checkNames(target: TrafficTarget, inService: boolean): FieldErrors {
  const { revisionName = "", configurationName = "" } = target;
  if (inService && configurationName !== "") return disallowedFields("configurationName");
  if (revisionName !== "" && configurationName !== "") return multipleOneOf("revisionName", "configurationName");
  const [field, name] = revisionName === "" ? ["configurationName", configurationName] : ["revisionName", revisionName];
  if (name === "") return inService ? noErrors : missingOneOf("revisionName", "configurationName");
  const complaints = qualifiedNameComplaints(name);
  return complaints.length === 0 ? noErrors : invalidKeyName(name, field, complaints.join(", "));
}

function checkTarget(target: TrafficTarget, inService: boolean): FieldErrors {
  const { revisionName = "", latestRevision, percent, url = "" } = target;
  let errors = checkNames(target, inService);
  if (latestRevision !== undefined && latestRevision === (revisionName !== "")) {
    errors = errors.also(fieldError(`may not set revisionName ${JSON.stringify(revisionName)} when latestRevision is ${latestRevision}`, "latestRevision"));
  }
  if (percent !== undefined && (percent < 0 || percent > 100)) errors = errors.also(outOfBounds(percent, [0, 100], "percent"));
  return url === "" ? errors : errors.also(disallowedFields("url"));
}

/** Tags are reported at `tag[i]`, as Knative does it. */
function checkTags(traffic: readonly TrafficTarget[]): FieldErrors {
  const first = new Map<string, number>();
  let errors = noErrors;
  traffic.forEach(({ tag = "" }, index) => {
    if (tag === "") return;
    const complaints = dns1035Complaints(tag);
    if (complaints.length > 0) errors = errors.also(invalidValue(`not a DNS 1035 label: [${complaints.join(" ")}]`, "").viaFieldIndex("tag", index));
    const other = first.get(tag);
    if (other === undefined) first.set(tag, index);
    else errors = errors.also(fieldError(`Multiple definitions for ${JSON.stringify(tag)}`, [`[${other}].tag`, `[${index}].tag`]));
  });
  return errors;
}

/** Errors at the list; the caller adds `spec.traffic`. */
export function checkTraffic(traffic: readonly TrafficTarget[] | undefined, inService: boolean): FieldErrors {
  const targets = traffic ?? [];
  const sum = targets.reduce((total, { percent = 0 }) => total + percent, 0);
  const wrongSum = sum === 100 ? noErrors : fieldError(`Traffic targets sum to ${sum}, want 100`);
  return eachOf(targets, (target) => checkTarget(target, inService)).also(checkTags(targets), wrongSum);
}
