// Families of addresses: what a Service may ask for in a cluster whose range of addresses is IPv4.
import { StatusError } from "#core";
import { fieldError, type FieldError } from "#schema";
import type { ServiceSpec } from "./v1.types.ts";

/** Without a selector somebody else says where a headless Service leads, in any family. */
export const leadsAnywhere = (spec: ServiceSpec): boolean => spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;

function familyErrors(spec: ServiceSpec): FieldError[] {
  const { ipFamilyPolicy: policy = "", ipFamilies = [] } = spec;
  if (spec.type === "ExternalName") return [];
  if (policy === "SingleStack" && ipFamilies.length > 1) {
    const why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";
    return [fieldError.invalid("spec.ipFamilyPolicy", policy, why)];
  }
  if (leadsAnywhere(spec)) return [];
  const dual =
    policy === "RequireDualStack" ? [fieldError.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services")] : [];
  const foreign = ipFamilies.flatMap((family, index) =>
    family === "IPv6" ? [fieldError.invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster")] : [],
  );
  return [...dual, ...foreign];
}

/** The allocator refuses by itself, before anything else of a Service is looked at; `others` are its further complaints. */
export function familyRefusal(name: string, spec: ServiceSpec, others: readonly FieldError[] = []): StatusError | undefined {
  const errors = [...familyErrors(spec), ...others];
  if (errors.length === 0) return undefined;
  const causes = errors.map(({ type, field, message }) => ({ reason: type, message, field }));
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  return new StatusError("Invalid", `Service ${JSON.stringify(name)} is invalid: ${list}`, { details: { name, kind: "Service", causes } });
}
