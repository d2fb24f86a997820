// Deployment of apps/v1: so many pods of a template, replaced step by step when it changes.
import { equal, fieldError, type Column, type FieldError, type Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { age, selectorText, templateColumns } from "../core/columns.ts";
import { notNegative } from "../core/ranges.ts";
import { podSpecWarnings } from "../core/pod-warnings.ts";
import { definitions } from "./definitions.ts";
import { countErrors, templateDefaults, workloadErrors } from "./template.ts";
import type { Deployment as DeploymentObject, DeploymentSpec, DeploymentStrategy } from "./v1.types.ts";

export type Deployment = DeploymentObject;

const QUARTER = "25%";

const cell =
  (read: (deployment: Deployment) => string | number): NonNullable<Column["cell"]> =>
  (object) =>
    read(object as Deployment);

/** Kubernetes shows nothing for a deployment without a selector, and `<none>` for other kinds. */
const selectorCell = cell(({ spec }) => ((spec.selector as unknown) === null ? "" : selectorText(spec.selector)));

const columns: readonly Column[] = [
  {
    name: "Ready",
    type: "string",
    description: "Number of the pod with ready state",
    cell: cell(({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
  },
  {
    name: "Up-to-date",
    type: "string",
    description: "Total number of non-terminating pods targeted by this deployment that have the desired template spec.",
    cell: cell(({ status }) => status?.updatedReplicas ?? 0),
  },
  {
    name: "Available",
    type: "string",
    description: "Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment.",
    cell: cell(({ status }) => status?.availableReplicas ?? 0),
  },
  age,
  ...templateColumns.map((column) => (column.name === "Selector" ? { ...column, cell: selectorCell } : column)),
];

function strategyDefaults(strategy: DeploymentStrategy): DeploymentStrategy {
  const type = strategy.type || "RollingUpdate";
  if (type !== "RollingUpdate") return { ...strategy, type };
  const { maxUnavailable = QUARTER, maxSurge = QUARTER } = strategy.rollingUpdate ?? {};
  return { ...strategy, type, rollingUpdate: { ...strategy.rollingUpdate, maxUnavailable, maxSurge } };
}

function deploymentDefaults(deployment: Deployment): Deployment {
  const spec = deployment.spec ?? { selector: {}, template: {} };
  const filled: DeploymentSpec = {
    ...spec,
    replicas: spec.replicas ?? 1,
    template: templateDefaults(spec.template),
    strategy: strategyDefaults(spec.strategy ?? {}),
    revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
    progressDeadlineSeconds: spec.progressDeadlineSeconds ?? 600,
  };
  const { status = {} } = deployment;
  return equal(spec, filled) && status === deployment.status ? deployment : { ...deployment, spec: filled, status };
}

const PERCENT = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** A number that is not negative, or a percentage. */
function amountErrors(field: string, value: number | string | undefined): FieldError[] {
  if (typeof value !== "string") return notNegative(field, value);
  return /^\d+%$/.test(value) ? [] : [fieldError.invalid(field, value, PERCENT)];
}

function strategyErrors(strategy: DeploymentStrategy | undefined): FieldError[] {
  const { type = "RollingUpdate", rollingUpdate } = strategy ?? {};
  const field = "spec.strategy";
  if (type === "Recreate") {
    return rollingUpdate === undefined ? [] : [fieldError.forbidden(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (type !== "RollingUpdate") return [fieldError.notSupported(field, { Type: type, RollingUpdate: rollingUpdate ?? null }, ["Recreate", "RollingUpdate"])];
  const { maxUnavailable, maxSurge } = rollingUpdate ?? {};
  const unavailableField = `${field}.rollingUpdate.maxUnavailable`;
  const wrong = [...amountErrors(unavailableField, maxUnavailable), ...amountErrors(`${field}.rollingUpdate.maxSurge`, maxSurge)];
  const isZero = (value: number | string | undefined): boolean => value === 0 || (typeof value === "string" && /^0+%$/.test(value));
  if (isZero(maxSurge) && isZero(maxUnavailable)) wrong.push(fieldError.invalid(unavailableField, maxUnavailable, "may not be 0 when `maxSurge` is 0"));
  const percent = typeof maxUnavailable === "string" ? /^(\d+)%$/.exec(maxUnavailable)?.[1] : undefined;
  if (Number(percent ?? 0) > 100) wrong.push(fieldError.invalid(unavailableField, maxUnavailable, "must not be greater than 100%"));
  return wrong;
}

function deploymentErrors(deployment: Deployment, old: Deployment | undefined): FieldError[] {
  const { spec } = deployment;
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
  const wrong = workloadErrors(spec, old?.spec);
  wrong.push(...strategyErrors(spec.strategy), ...notNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit));
  wrong.push(...notNegative("spec.progressDeadlineSeconds", deadline));
  if (deadline !== undefined && deadline <= minReadySeconds) {
    wrong.push(fieldError.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
  }
  return old === undefined ? wrong : [...wrong, ...countErrors(deployment.status)];
}

export const Deployment: Kind<Deployment> = builtin<Deployment>({
  group: "apps",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  definitions,
  metadataChecks: { update: true, object: false, finalizers: true },
  definition: "io.k8s.api.apps.v1.Deployment",
  statusKeeps: [["metadata", "labels"]],
  hasGeneration: true,
  generationOfMetadata: "annotations",
  subresources: { status: true, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" } },
  blank: { spec: { replicas: 0, selector: null, template: { metadata: {}, spec: { containers: null } }, strategy: {} }, status: {} },
  columns,
  defaultObject: deploymentDefaults,
  warnings: (deployment) => podSpecWarnings("spec.template.spec", deployment.spec?.template?.spec ?? { containers: [] }),
  validate: deploymentErrors,
});
