// Checks of containers that are added to a running pod, in Kubernetes' wording.
import { equal, fieldError, type FieldError } from "#schema";
import type { EphemeralContainer, PodSpec } from "./v1.types.ts";

/** Members that such containers cannot have, in the order in which they are told. */
const FORBIDDEN = ["ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] as const;

const isSet = (value: unknown): boolean =>
  value !== undefined && !(Array.isArray(value) && value.length === 0) && !(typeof value === "object" && value !== null && Object.keys(value).length === 0);

function containerErrors(
  field: string,
  container: EphemeralContainer,
  others: { readonly taken: Set<string>; readonly targets: ReadonlySet<string> },
): FieldError[] {
  const { name, image = "", targetContainerName = "" } = container;
  const wrong: FieldError[] = [];
  if (name === "") wrong.push(fieldError.required(`${field}.name`));
  else if (others.taken.has(name)) wrong.push(fieldError.duplicate(`${field}.name`, name));
  others.taken.add(name);
  if (image === "") wrong.push(fieldError.required(`${field}.image`));
  if (targetContainerName !== "" && !others.targets.has(targetContainerName))
    wrong.push(fieldError.notFound(`${field}.targetContainerName`, targetContainerName));
  for (const member of FORBIDDEN)
    if (isSet(container[member])) wrong.push(fieldError.forbidden(`${field}.${member}`, "cannot be set for an Ephemeral Container"));
  return wrong;
}

/** `old` is the spec that is changed; a pod is never created with such containers. */
export function ephemeralErrors(field: string, spec: PodSpec, old: PodSpec | undefined): FieldError[] {
  const list = spec.ephemeralContainers ?? [];
  const targets = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name));
  const taken = new Set(targets);
  const wrong = list.flatMap((container, index) => containerErrors(`${field}[${index}]`, container, { taken, targets }));
  if (old === undefined) return list.length === 0 ? wrong : [...wrong, fieldError.forbidden(field, "cannot be set on create")];
  for (const before of old.ephemeralContainers ?? []) {
    const now = list.find(({ name }) => name === before.name);
    const what = `existing ephemeral containers ${JSON.stringify(before.name)} may not be`;
    if (now === undefined) wrong.push(fieldError.forbidden(field, `${what} removed\n`));
    else if (!equal(now, before)) wrong.push(fieldError.forbidden(field, `${what} changed\n`));
  }
  return wrong;
}
