// Who may touch which definition, and how its deletion begins.
import { forbidden, rfc3339 } from "#core";
import { isKnownFormat, type Admit } from "#schema";
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
  return ({ object: sent, old, operation, subresource, user }) => {
    const object = operation === "DELETE" || subresource !== "" ? sent : withStoredVersion(sent);
    const { name } = (old ?? object).metadata;
    if (own.has(name) && user.name !== platform) {
      throw forbidden(RESOURCE, name, "the platform serves this kind itself: its definition can neither be changed nor deleted");
    }
    const before = old === undefined ? new Set<string>() : oddFormats(old);
    return {
      object,
      warnings: [...oddFormats(object)].filter((format) => !before.has(format)).map((format) => `unrecognized format ${JSON.stringify(format)}`),
    };
  };
}

/** The version that is stored from now on counts as one that is. */
function withStoredVersion(definition: CustomResourceDefinition): CustomResourceDefinition {
  const { spec, status } = definition;
  const name = spec.versions?.find(({ storage }) => storage)?.name;
  const stored = status?.storedVersions ?? [];
  if (name === undefined || stored.includes(name)) return definition;
  return { ...definition, status: { ...status, storedVersions: [...stored, name] } };
}

/** Formats of texts that mean nothing here. */
function oddFormats({ spec }: CustomResourceDefinition): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { format, type } = value as { format?: unknown; type?: unknown };
    if (typeof format === "string" && type === "string" && !isKnownFormat(format)) found.add(format);
    Object.values(value).forEach(look);
  };
  for (const { schema } of spec?.versions ?? []) look(schema?.openAPIV3Schema);
  return found;
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
