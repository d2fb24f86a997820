// CustomResourceDefinition of apiextensions.k8s.io/v1: a kind that users bring.
import type { Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { definitions } from "./definitions.ts";
import type {
  CustomResourceConversion,
  CustomResourceDefinition as DefinitionObject,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from "./v1.types.ts";

export type CustomResourceDefinition = DefinitionObject;

const WEBHOOK_PORT = 443;

function namesFilled(names: CustomResourceDefinitionNames): CustomResourceDefinitionNames {
  const { kind = "", singular = "", listKind = "" } = names as Partial<CustomResourceDefinitionNames>;
  if (singular !== "" && (listKind !== "" || kind === "")) return names;
  return {
    ...names,
    ...(singular === "" ? { singular: kind.toLowerCase() } : {}),
    ...(listKind === "" && kind !== "" ? { listKind: `${kind}List` } : {}),
  };
}

function conversionFilled(conversion: CustomResourceConversion | undefined): CustomResourceConversion {
  if (conversion === undefined) return { strategy: "None" };
  const { clientConfig } = conversion.webhook ?? {};
  if (conversion.webhook === undefined || clientConfig?.service === undefined || clientConfig.service.port !== undefined) return conversion;
  return { ...conversion, webhook: { ...conversion.webhook, clientConfig: { ...clientConfig, service: { ...clientConfig.service, port: WEBHOOK_PORT } } } };
}

function specFilled(spec: CustomResourceDefinitionSpec): CustomResourceDefinitionSpec {
  const names = namesFilled(spec.names);
  const conversion = conversionFilled(spec.conversion);
  return names === spec.names && conversion === spec.conversion ? spec : { ...spec, names, conversion };
}

/** Names, conversion and status as Kubernetes fills them in; the storage version counts as stored from the start. */
function filled(definition: DefinitionObject): DefinitionObject {
  const spec = specFilled(definition.spec);
  const { conditions, acceptedNames, storedVersions } = definition.status ?? {};
  const stored = spec.versions?.find(({ storage }) => storage)?.name;
  const isKnown = definition.status !== undefined && (stored === undefined || storedVersions?.includes(stored) === true);
  if (spec === definition.spec && isKnown) return definition;
  const status = isKnown
    ? definition.status
    : {
        conditions: conditions ?? null,
        acceptedNames: acceptedNames ?? { plural: "", kind: "" },
        storedVersions: stored === undefined ? (storedVersions ?? null) : [...(storedVersions ?? []), stored],
      };
  return { ...definition, spec, status } as DefinitionObject;
}

export const CustomResourceDefinition: Kind<DefinitionObject> = builtin<DefinitionObject>({
  group: "apiextensions.k8s.io",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  scope: "Cluster",
  hasGeneration: true,
  statusKeeps: [["metadata"]],
  definitions,
  metadataChecks: { update: true, object: false, finalizers: false },
  definition: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  // Kubernetes has stored definitions as v1beta1 since before there was v1.
  storageVersion: "v1beta1",
  blank: {
    spec: { group: "", names: { plural: "", kind: "" }, scope: "", versions: null },
    status: { conditions: null, acceptedNames: { plural: "", kind: "" }, storedVersions: null },
  },
  columns: [
    { name: "Name", type: "string", format: "name", cell: ({ metadata }) => metadata.name },
    {
      name: "Created At",
      type: "timestamp", // Bookmarks have no time: Go writes the year 1.
      cell: ({ metadata }) => (metadata.creationTimestamp as string | undefined) ?? "0001-01-01T00:00:00Z",
    },
  ],
  defaultObject: filled,
});
