// What Kubernetes refuses in a label selector.
import { fieldError, labelErrors, names, type FieldError, type LabelSelectorObject } from "#schema";

type Requirement = NonNullable<LabelSelectorObject["matchExpressions"]>[number];

const VALUED = ["In", "NotIn"];
const UNVALUED = ["Exists", "DoesNotExist"];

function requirementErrors(field: string, { key, operator, values = [] }: Requirement): FieldError[] {
  const wrong: FieldError[] = [];
  if (VALUED.includes(operator)) {
    if (values.length === 0) wrong.push(fieldError.required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (UNVALUED.includes(operator)) {
    if (values.length > 0) wrong.push(fieldError.forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else wrong.push(fieldError.invalid(`${field}.operator`, operator, "not a valid selector operator"));
  wrong.push(...names.qualifiedName(key).map((detail) => fieldError.invalid(`${field}.key`, key, detail)));
  return wrong;
}

/** Errors of the parts of a selector at `field`; an empty one has none. */
export function labelSelectorErrors(field: string, { matchLabels = {}, matchExpressions = [] }: LabelSelectorObject): FieldError[] {
  return [
    ...labelErrors(`${field}.matchLabels`, matchLabels),
    ...matchExpressions.flatMap((one, index) => requirementErrors(`${field}.matchExpressions[${index}]`, one)),
  ];
}
