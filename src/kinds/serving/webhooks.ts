// Defaults and checks of Service, Configuration, Revision and Route as Knative's webhook applies them (serving.md §1.5).
import type { KubeObject } from "#schema";
import { serving } from "../keys.ts";
import { fieldError, noErrors, type FieldErrors } from "../knative-field-error.ts";
import type { AdmissionContext, Webhook } from "./admission-context.ts";
import { checkAutoscalingAnnotations } from "./autoscaling-annotations.ts";
import type { Configuration } from "./configuration.ts";
import { diffRevisionSpecs, sameSpec } from "./go-diff.ts";
import {
  checkObjectName,
  checkOwnerLabel,
  checkQueueSidecarAnnotations,
  checkProgressDeadline,
  checkRolloutDuration,
  checkUserAnnotations,
  refuseAutoscalingAnnotations,
} from "./metadata-checks.ts";
import { revisionSpecDefaults } from "./revision-defaults.ts";
import { checkRevisionSpec } from "./revision-spec-checks.ts";
import type { RevisionTemplate } from "./revision-spec.ts";
import type { Revision } from "./revision.ts";
import type { Route, TrafficTarget } from "./route.ts";
import type { Service } from "./service.ts";
import { checkNameChange, checkTemplate } from "./template-checks.ts";
import { checkTraffic } from "./traffic-checks.ts";

type Spec = KubeObject & { spec: unknown };

/** Who made it, and who changed its spec last. */
function withUsers<O extends Spec>(object: O, old: O | undefined, context: AdmissionContext): O {
  const { userName, operation } = context;
  const isCreate = operation === "CREATE";
  if (!isCreate && (old === undefined || sameSpec(object.spec, old.spec))) return object;
  const users = isCreate ? { [serving.creator]: userName, [serving.lastModifier]: userName } : { [serving.lastModifier]: userName };
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...users } } };
}

const isOwned = (object: KubeObject): boolean => (object.metadata.ownerReferences ?? []).length > 0;

function templateDefaults(object: Service | Configuration, old: Service | Configuration | undefined, context: AdmissionContext): RevisionTemplate {
  const { template } = object.spec;
  const name = template.metadata?.name ?? "";
  // A template that keeps its name must not look edited because a cluster default changed.
  if (context.operation === "UPDATE" && name !== "" && name === (old?.spec.template.metadata?.name ?? "")) return template;
  return {
    ...template,
    spec: revisionSpecDefaults(template.spec, { config: context.config, isCreate: context.operation === "CREATE", object: object.metadata }),
  };
}

function targetDefaults(target: TrafficTarget): TrafficTarget {
  return { ...target, latestRevision: target.latestRevision ?? (target.revisionName ?? "") === "", percent: target.percent ?? 0 };
}

function serviceTraffic(traffic: readonly TrafficTarget[] | undefined): TrafficTarget[] {
  if (traffic === undefined || traffic.length === 0) return [{ latestRevision: true, percent: 100 }];
  return traffic.map(targetDefaults);
}

function checkUpdate(object: Spec, old: Spec | undefined): FieldErrors {
  return old === undefined ? noErrors : checkUserAnnotations(object, old, !sameSpec(object.spec, old.spec));
}

const checksSpec = (context: AdmissionContext): boolean => context.subresource !== "status";

export const serviceWebhook: Webhook<Service> = {
  defaults(object, old, context) {
    if (context.subresource === "status") return object;
    const spec = { ...object.spec, template: templateDefaults(object, old, context), traffic: serviceTraffic(object.spec.traffic) };
    return withUsers({ ...object, spec }, old, context);
  },
  validate(object, old, context) {
    let errors = noErrors;
    if (checksSpec(context)) {
      const { metadata, spec } = object;
      const inMetadata = checkObjectName(metadata).also(refuseAutoscalingAnnotations(metadata.annotations), checkRolloutDuration(metadata.annotations));
      errors = inMetadata
        .viaField("metadata")
        .also(checkTemplate(spec.template, object, context).viaField("spec", "template"), checkTraffic(spec.traffic, true).viaField("spec", "traffic"));
    }
    if (old === undefined) return errors;
    return errors.also(checkUpdate(object, old), checkNameChange(object.spec.template, old.spec.template).viaField("spec", "template"));
  },
};

export const configurationWebhook: Webhook<Configuration> = {
  defaults(object, old, context) {
    if (context.subresource === "status") return object;
    const filled = { ...object, spec: { ...object.spec, template: templateDefaults(object, old, context) } };
    return isOwned(object) ? filled : withUsers(filled, old, context);
  },
  validate(object, old, context) {
    let errors = noErrors;
    if (checksSpec(context)) {
      const { metadata, spec } = object;
      const inMetadata = checkObjectName(metadata).also(
        refuseAutoscalingAnnotations(metadata.annotations),
        checkOwnerLabel(metadata, serving.service, "Service"),
      );
      errors = inMetadata.viaField("metadata").also(checkTemplate(spec.template, object, context).viaField("spec", "template"));
    }
    if (old === undefined) return errors;
    const users = isOwned(object) ? noErrors : checkUpdate(object, old);
    return errors.also(users, checkNameChange(object.spec.template, old.spec.template).viaField("spec", "template"));
  },
};

export const revisionWebhook: Webhook<Revision> = {
  defaults(object, _old, context) {
    if (context.operation !== "CREATE") return object;
    return { ...object, spec: revisionSpecDefaults(object.spec, { config: context.config, isCreate: true, object: object.metadata }) };
  },
  validate(object, old, context) {
    const { metadata } = object;
    let errors = noErrors;
    if (checksSpec(context)) {
      const annotations = checkAutoscalingAnnotations(metadata.annotations, context.config.autoscaler).also(
        checkQueueSidecarAnnotations(metadata.annotations),
        checkProgressDeadline(metadata.annotations),
      );
      const inMetadata = checkObjectName(metadata).also(checkOwnerLabel(metadata, serving.configuration, "Configuration"), annotations.viaField("annotations"));
      errors = inMetadata.viaField("metadata");
    }
    if (old === undefined) return errors.also(checkRevisionSpec(object.spec, context.config).viaField("spec"));
    const details = diffRevisionSpecs("{v1.RevisionSpec}", old.spec, object.spec);
    return details === "" ? errors : errors.also(fieldError("Immutable fields changed (-old +new)", "spec", details));
  },
};

export const routeWebhook: Webhook<Route> = {
  defaults(object, old, context) {
    if (context.subresource === "status") return object;
    const { traffic } = object.spec;
    const filled = { ...object, spec: traffic === undefined ? object.spec : { ...object.spec, traffic: traffic.map(targetDefaults) } };
    return isOwned(object) ? filled : withUsers(filled, old, context);
  },
  validate(object, old, context) {
    let errors = noErrors;
    if (checksSpec(context)) {
      const { metadata, spec } = object;
      const inMetadata = checkObjectName(metadata).also(
        refuseAutoscalingAnnotations(metadata.annotations),
        checkRolloutDuration(metadata.annotations),
        checkOwnerLabel(metadata, serving.service, "Service"),
      );
      errors = inMetadata.viaField("metadata").also(checkTraffic(spec.traffic, false).viaField("spec", "traffic"));
    }
    return isOwned(object) ? errors : errors.also(checkUpdate(object, old));
  },
};
