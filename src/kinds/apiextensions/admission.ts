// Who may touch which definition, and how its deletion begins.
import { forbidden, rfc3339 } from "#core";
import type { Admit } from "#schema";
import type { CustomResourceDefinition } from "./v1.types.ts";

const RESOURCE = { group: "apiextensions.k8s.io", resource: "customresourcedefinitions" };
const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

export interface DefinitionAdmissionOptions {
  /** Names of the definitions of our own kinds, which only the platform writes. */
  readonly own: ReadonlySet<string>;
  /** Name of the platform's user. */
  readonly platform: string;
}

/** Definitions of the platform's own kinds are shown, and nobody else's to change. */
export function definitionAdmission({ own, platform }: DefinitionAdmissionOptions): Admit<CustomResourceDefinition> {
  return ({ object, old, user }) => {
    const { name } = (old ?? object).metadata;
    if (own.has(name) && user.name !== platform) {
      throw forbidden(RESOURCE, name, "the platform serves this kind itself: its definition can neither be changed nor deleted");
    }
    return { object, warnings: [] };
  };
}

/** The objects of the kind go before the definition does. */
export function onDefinitionDeletion(definition: CustomResourceDefinition, nowMs: number): CustomResourceDefinition {
  const now = rfc3339(nowMs);
  const { metadata, status } = definition;
  const finalizers = metadata.finalizers ?? [];
  const conditions = (status?.conditions ?? []).filter(({ type }) => type !== "Terminating");
  return {
    ...definition,
    metadata: {
      ...metadata,
      deletionTimestamp: now,
      finalizers: finalizers.includes(CLEANUP_FINALIZER) ? finalizers : [...finalizers, CLEANUP_FINALIZER],
    },
    status: {
      ...status,
      conditions: [
        ...conditions,
        {
          type: "Terminating",
          status: "True",
          lastTransitionTime: now,
          reason: "InstanceDeletionPending",
          message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        },
      ],
    },
  };
}
