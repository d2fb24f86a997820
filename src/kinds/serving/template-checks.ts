// Checks of a revision template (serving.md §1.5, Template).
import { fieldError, disallowedFields, invalidValue, noErrors, type FieldErrors } from "../knative-field-error.ts";
import { dns1035Complaints, dns1035PrefixComplaints } from "../names.ts";
import type { AdmissionContext } from "./admission-context.ts";
import { checkAutoscalingAnnotations } from "./autoscaling-annotations.ts";
import { diffTemplates } from "./go-diff.ts";
import { checkNetworkingAnnotations, checkProgressDeadline, checkQueueSidecarAnnotations } from "./metadata-checks.ts";
import { checkRevisionSpec } from "./revision-spec-checks.ts";
import type { RevisionTemplate } from "./revision-spec.ts";

interface Parent {
  readonly metadata: { readonly name?: string; readonly generateName?: string };
}

function checkTemplateName(template: RevisionTemplate, parent: Parent): FieldErrors {
  const { name = "", generateName = "" } = template.metadata ?? {};
  let errors = noErrors;
  const prefix = generateName === "" ? [] : dns1035PrefixComplaints(generateName);
  if (prefix.length > 0) errors = errors.also(invalidValue(`not a DNS 1035 label prefix: [${prefix.join(" ")}]`, "metadata.generateName"));
  if (name === "") return errors;
  const complaints = dns1035Complaints(name);
  if (complaints.length > 0) return errors.also(invalidValue(`not a DNS 1035 label: [${complaints.join(" ")}]`, "metadata.name"));
  const { name: parentName = "", generateName: parentPrefix = "" } = parent.metadata;
  if (parentName === "" && parentPrefix !== "") return errors.also(disallowedFields("metadata.name"));
  if (name.startsWith(`${parentName}-`)) return errors;
  return errors.also(invalidValue(`${JSON.stringify(name)} must have prefix ${JSON.stringify(`${parentName}-`)}`, "metadata.name"));
}

/** Errors at the template. */
export function checkTemplate(template: RevisionTemplate, parent: Parent, context: AdmissionContext): FieldErrors {
  const annotations = template.metadata?.annotations;
  const checked = checkAutoscalingAnnotations(annotations, context.config.autoscaler).also(
    checkNetworkingAnnotations(annotations),
    checkQueueSidecarAnnotations(annotations),
    checkProgressDeadline(annotations),
  );
  return checkTemplateName(template, parent).also(
    checked.viaField("annotations").viaField("metadata"),
    checkRevisionSpec(template.spec, context.config).viaField("spec"),
  );
}

/** A template that keeps its name must stay as it is. Error at the template. */
export function checkNameChange(template: RevisionTemplate, old: RevisionTemplate): FieldErrors {
  const name = template.metadata?.name ?? "";
  if (name === "" || name !== (old.metadata?.name ?? "")) return noErrors;
  const details = diffTemplates(old, template);
  return details === "" ? noErrors : fieldError("Saw the following changes without a name change (-old +new)", "metadata.name", details);
}
