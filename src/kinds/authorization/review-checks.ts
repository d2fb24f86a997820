// What a question about access must say, in Kubernetes' words.
import { fieldError, type FieldError, type KubeObject } from "#schema";
import type { LocalSubjectAccessReview, ResourceAttributes, SelfSubjectAccessReview, SubjectAccessReview, SubjectAccessReviewSpec } from "./v1.types.ts";

type Asked = Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;
interface Requirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}
interface SelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly Requirement[];
}

const RESOURCE = "spec.resourceAttributes";
const PATH = "spec.nonResourceAttributes";
/** With values, and without. */
const OPERATORS: Readonly<Record<string, boolean>> = { In: true, NotIn: true, Exists: false, DoesNotExist: false };

/** As Go shows a struct whose fields have no names for JSON. */
function shown({ path = "", verb = "" }: NonNullable<Asked["nonResourceAttributes"]>): object {
  return { Path: path, Verb: verb };
}

function requirementErrors({ key = "", operator = "", values = [] }: Requirement, at: string): FieldError[] {
  const wrong = key === "" ? [fieldError.required(`${at}.key`, "must be specified")] : [];
  const needsValues = OPERATORS[operator];
  if (needsValues === undefined) return [...wrong, fieldError.invalid(`${at}.operator`, operator, "not a valid selector operator")];
  if (needsValues && values.length === 0) return [...wrong, fieldError.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
  if (!needsValues && values.length > 0)
    return [...wrong, fieldError.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
  return wrong;
}

function selectorErrors({ rawSelector = "", requirements = [] }: SelectorAttributes, at: string): FieldError[] {
  if (rawSelector !== "" && requirements.length > 0)
    return [fieldError.invalid(`${at}.rawSelector`, rawSelector, "may not specified at the same time as requirements")];
  if (rawSelector === "" && requirements.length === 0)
    return [fieldError.required(`${at}.requirements`, `when ${at.split(".").at(-1) ?? ""} is specified, requirements or rawSelector is required`)];
  return requirements.flatMap((requirement, index) => requirementErrors(requirement, `${at}.requirements[${index}]`));
}

function resourceErrors({ fieldSelector, labelSelector }: ResourceAttributes): FieldError[] {
  return [
    ...(fieldSelector === undefined ? [] : selectorErrors(fieldSelector as SelectorAttributes, `${RESOURCE}.fieldSelector`)),
    ...(labelSelector === undefined ? [] : selectorErrors(labelSelector as SelectorAttributes, `${RESOURCE}.labelSelector`)),
  ];
}

function askedErrors({ resourceAttributes, nonResourceAttributes }: Asked): FieldError[] {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined)
    return [fieldError.invalid(PATH, shown(nonResourceAttributes), "cannot be specified in combination with resourceAttributes")];
  if (resourceAttributes === undefined && nonResourceAttributes === undefined)
    return [fieldError.invalid(RESOURCE, null, "exactly one of nonResourceAttributes or resourceAttributes must be specified")];
  return resourceAttributes === undefined ? [] : resourceErrors(resourceAttributes);
}

/** Of the metadata only the namespace may be there where there is one, and who manages what. */
function metadataErrors({ metadata }: KubeObject, mayBeLocal: boolean): FieldError[] {
  const { managedFields: _managed, namespace, ...rest } = metadata;
  const filled = Object.values(rest).some((value) => value !== undefined) || (namespace !== undefined && !mayBeLocal);
  if (!filled) return [];
  return [fieldError.invalid("metadata", metadata, mayBeLocal ? "must be empty except for namespace" : "must be empty")];
}

function subjectErrors({ user = "", groups = [] }: SubjectAccessReviewSpec): FieldError[] {
  return user === "" && groups.length === 0 ? [fieldError.invalid("spec.user", "", "at least one of user or group must be specified")] : [];
}

export function selfReviewErrors(sent: SelfSubjectAccessReview): FieldError[] {
  return [...askedErrors(sent.spec), ...metadataErrors(sent, false)];
}

export function reviewErrors(sent: SubjectAccessReview): FieldError[] {
  return [...askedErrors(sent.spec), ...subjectErrors(sent.spec), ...metadataErrors(sent, false)];
}

export function localErrors(sent: LocalSubjectAccessReview): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = sent.spec;
  const wrong = [...askedErrors(sent.spec), ...subjectErrors(sent.spec), ...metadataErrors(sent, true)];
  const { namespace = "" } = resourceAttributes ?? {};
  if (resourceAttributes !== undefined && namespace !== sent.metadata.namespace)
    wrong.push(fieldError.invalid(`${RESOURCE}.namespace`, namespace, "must match metadata.namespace"));
  if (nonResourceAttributes !== undefined) wrong.push(fieldError.invalid(PATH, shown(nonResourceAttributes), "disallowed on this kind of request"));
  return wrong;
}
