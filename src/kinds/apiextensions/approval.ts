// Whether a definition may use a group that belongs to the Kubernetes community: an annotation says who approved it.
import type { CustomResourceDefinition } from "./v1.types.ts";

export const APPROVAL_ANNOTATION = "api-approved.kubernetes.io";

const SEE = "see https://github.com/kubernetes/enhancements/pull/1111";

export interface Approval {
  readonly state: "Invalid" | "Missing" | "Approved" | "Bypassed";
  readonly reason: string;
}

function hasHost(text: string): boolean {
  try {
    return /^[a-z][a-z0-9+.-]*:/i.test(text) && new URL(text).host !== "";
  } catch {
    return false;
  }
}

/** Undefined for groups that anybody may use. */
export function approvalOf({ spec, metadata }: Pick<CustomResourceDefinition, "spec" | "metadata">): Approval | undefined {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(spec.group)) return undefined;
  const annotation = metadata.annotations?.[APPROVAL_ANNOTATION] ?? "";
  const must = `protected groups must have approval annotation ${JSON.stringify(APPROVAL_ANNOTATION)}`;
  if (annotation === "") return { state: "Missing", reason: `${must}, ${SEE}` };
  if (annotation.startsWith("unapproved")) return { state: "Bypassed", reason: `not approved: ${JSON.stringify(annotation)}` };
  if (hasHost(annotation)) return { state: "Approved", reason: `approved in ${annotation}` };
  return { state: "Invalid", reason: `${must} with either a URL or a reason starting with "unapproved", ${SEE}` };
}
