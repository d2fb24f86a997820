// What a CustomResourceDefinition must be, in Kubernetes' order and wording.
import { equal, fieldError, names as forms, type Engines, type FieldError } from "#schema";
import { approvalOf, APPROVAL_ANNOTATION } from "./approval.ts";
import { defaultErrors } from "./default-checks.ts";
import { schemaErrors } from "./schema-checks.ts";
import { columnErrors, conversionErrors, deprecationErrors, namesErrors, selectableErrors, subresourceErrors } from "./spec-checks.ts";
import { structuralErrors, unreadable } from "./structural-checks.ts";
import { nodeOf } from "./structural.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionSpec, CustomResourceDefinitionVersion, JSONSchemaProps } from "./v1.types.ts";

/** What all versions have alike stands above them in Kubernetes' own form of a definition, and in its complaints. */
const SHARED = ["schema", "subresources", "additionalPrinterColumns", "selectableFields"] as const;
type Shared = (typeof SHARED)[number];

const ABOVE: Readonly<Record<Shared, string>> = {
  schema: "validation",
  subresources: "subresources",
  additionalPrinterColumns: "additionalPrinterColumns",
  selectableFields: "selectableFields",
};

/** At the root of a schema beside a status subresource. */
const ROOT_WORDS = [
  ["Description", "description"],
  ["Type", "type"],
  ["Format", "format"],
  ["Title", "title"],
  ["Maximum", "maximum"],
  ["ExclusiveMaximum", "exclusiveMaximum"],
  ["Minimum", "minimum"],
  ["ExclusiveMinimum", "exclusiveMinimum"],
  ["MaxLength", "maxLength"],
  ["MinLength", "minLength"],
  ["Pattern", "pattern"],
  ["MaxItems", "maxItems"],
  ["MinItems", "minItems"],
  ["UniqueItems", "uniqueItems"],
  ["MultipleOf", "multipleOf"],
  ["Required", "required"],
  ["Items", "items"],
  ["Properties", "properties"],
  ["ExternalDocs", "externalDocs"],
  ["Example", "example"],
  ["XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields"],
  ["XValidations", "x-kubernetes-validations"],
] as const;

function rootErrors(schema: JSONSchemaProps, path: string, hasStatus: boolean): FieldError[] {
  const wrong: FieldError[] = [];
  const known: ReadonlySet<string> = new Set(ROOT_WORDS.map(([, word]) => word));
  if (hasStatus && schema.type !== "object" && schema.type !== undefined) {
    const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    wrong.push(fieldError.invalid(`${path}.type`, schema.type, why));
  } else if (hasStatus && !Object.keys(schema).every((word) => known.has(word))) {
    const words = ROOT_WORDS.map(([name]) => name).join(" ");
    wrong.push(fieldError.invalid(path, schema, `only [${words}] fields are allowed at the root of the schema if the status subresource is enabled`));
  }
  if (schema.nullable === true) wrong.push(fieldError.forbidden(`${path}.nullable`, "nullable cannot be true at the root"));
  return wrong;
}

/** One schema: as a whole, word by word, its defaults, its rules. */
function wholeSchemaErrors(
  schema: JSONSchemaProps,
  path: string,
  hasStatus: boolean,
  { engines, old }: { engines: Engines; old: JSONSchemaProps | undefined },
): FieldError[] {
  const why = unreadable(schema);
  const structural = why === undefined ? structuralErrors(schema, path, engines) : [];
  const defaults = why === undefined && structural.length === 0 ? defaultErrors(schema, path, engines) : [];
  const wrong = [...rootErrors(schema, path, hasStatus), ...structural, ...defaults, ...schemaErrors(schema, path)];
  if (wrong.length > 0) return wrong;
  if (why !== undefined) return [fieldError.invalid(path, "", why)];
  const isOld = old !== undefined && equal(old, schema);
  return engines.ruleProblems(nodeOf(schema), { path, unchanged: isOld });
}

interface Context {
  readonly engines: Engines;
  readonly spec: CustomResourceDefinitionSpec;
  readonly old: CustomResourceDefinitionSpec | undefined;
  readonly shared: ReadonlySet<Shared>;
}

function memberErrors(version: CustomResourceDefinitionVersion, member: Shared, path: string, { engines, old }: Context): FieldError[] {
  const schema = version.schema?.openAPIV3Schema;
  switch (member) {
    case "schema": {
      const before = old?.versions.find(({ name }) => name === version.name)?.schema?.openAPIV3Schema;
      const hasStatus = version.subresources?.status !== undefined;
      return schema === undefined ? [] : wholeSchemaErrors(schema, `${path}.openAPIV3Schema`, hasStatus, { engines, old: before });
    }
    case "subresources":
      return subresourceErrors(version.subresources, path);
    case "additionalPrinterColumns":
      return (version.additionalPrinterColumns ?? []).flatMap((column, at) => columnErrors(column, `${path}[${at}]`));
    default:
      return version.selectableFields === undefined || schema === undefined ? [] : selectableErrors(version.selectableFields, schema, path);
  }
}

function versionErrors(version: CustomResourceDefinitionVersion, path: string, context: Context): FieldError[] {
  const name = forms.dns1035Label(version.name);
  const own = SHARED.filter((member) => !context.shared.has(member));
  return [
    ...(name.length === 0 ? [] : [fieldError.invalid(`${path}.name`, version.name, name.join(","))]),
    ...deprecationErrors(version, path),
    ...own.flatMap((member) => memberErrors(version, member, `${path}.${member}`, context)),
  ];
}

/** How Kubernetes shows versions in complaints: with the names of its own types, without what all have alike. */
function shownVersions(spec: CustomResourceDefinitionSpec, shared: ReadonlySet<Shared>): unknown {
  const own = (version: CustomResourceDefinitionVersion, member: Shared): unknown => (shared.has(member) ? null : (version[member] ?? null));
  const shown = spec.versions?.map((version) => ({
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: own(version, "schema"),
    Subresources: own(version, "subresources"),
    AdditionalPrinterColumns: own(version, "additionalPrinterColumns"),
    SelectableFields: own(version, "selectableFields"),
  }));
  return shown ?? null;
}

function groupErrors(group: string): FieldError[] {
  if (group === "") return [fieldError.required("spec.group")];
  const wrong = forms.dnsSubdomain(group);
  if (wrong.length > 0) return [fieldError.invalid("spec.group", group, wrong.join(","))];
  return group.includes(".") ? [] : [fieldError.invalid("spec.group", group, "should be a domain with at least one dot")];
}

function scopeErrors(scope: string): FieldError[] {
  if (scope === "") return [fieldError.required("spec.scope")];
  const scopes = ["Cluster", "Namespaced"];
  return scopes.includes(scope) ? [] : [fieldError.notSupported("spec.scope", scope, scopes)];
}

function specErrors(spec: CustomResourceDefinitionSpec, old: CustomResourceDefinitionSpec | undefined, engines: Engines): FieldError[] {
  const versions = spec.versions ?? [];
  const [first] = versions;
  const alike = (member: Shared): boolean => versions.every((version) => equal(version[member], first?.[member]));
  const shared = new Set(SHARED.filter(alike));
  const context = { engines, spec, old, shared };
  const { plural = "", singular = "", kind = "", listKind = "" } = spec.names as Partial<CustomResourceDefinitionSpec["names"]>;
  const shown = shownVersions(spec, shared);
  const missing = versions.flatMap((version, at) =>
    version.schema?.openAPIV3Schema === undefined ? [fieldError.required(`spec.versions[${at}].schema.openAPIV3Schema`)] : [],
  );
  const above = (member: Shared): FieldError[] =>
    first === undefined || !shared.has(member) ? [] : memberErrors(first, member, `spec.${ABOVE[member]}`, context);
  const needed = (field: string, text: string): FieldError[] => (text === "" ? [fieldError.required(`spec.names.${field}`)] : []);
  return [
    ...groupErrors(spec.group),
    ...scopeErrors(spec.scope),
    ...missing,
    ...versions.flatMap((version, at) => versionErrors(version, `spec.versions[${at}]`, context)),
    ...(new Set(versions.map(({ name }) => name)).size === versions.length
      ? []
      : [fieldError.invalid("spec.versions", shown, "must contain unique version names")]),
    ...(versions.filter(({ storage }) => storage).length === 1
      ? []
      : [fieldError.invalid("spec.versions", shown, "must have exactly one version marked as storage version")]),
    ...(first === undefined
      ? []
      : forms
          .dns1035Label(first.name)
          .slice(0, 1)
          .map(() => fieldError.invalid("spec.version", first.name, forms.dns1035Label(first.name).join(",")))),
    ...needed("plural", plural),
    ...needed("singular", singular),
    ...needed("kind", kind),
    ...needed("listKind", listKind),
    ...namesErrors(spec.names, "spec.names"),
    ...above("schema"),
    ...above("subresources"),
    ...above("additionalPrinterColumns"),
    ...above("selectableFields"),
    ...(spec.conversion === undefined ? [] : conversionErrors(spec.conversion, "spec.conversion")),
  ];
}

function storedErrors({ spec, status }: CustomResourceDefinition): FieldError[] {
  const path = "status.storedVersions";
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [fieldError.invalid(path, status?.storedVersions ?? null, "must have at least one stored version")];
  const versions = spec.versions ?? [];
  return [
    ...versions.flatMap(({ name, storage }) =>
      storage && !stored.includes(name) ? [fieldError.invalid(path, stored, `must have the storage version ${name}`)] : [],
    ),
    ...stored.flatMap((name, at) => {
      if (versions.some((version) => version.name === name)) return [];
      const until = `until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
      return [
        fieldError.invalid(
          `${path}[${at}]`,
          name,
          `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions ${until}`,
        ),
      ];
    }),
  ];
}

function approvalErrors(definition: CustomResourceDefinition, old: CustomResourceDefinition | undefined): FieldError[] {
  const approval = approvalOf(definition);
  if (approval === undefined || (old !== undefined && approvalOf(old)?.state === approval.state)) return [];
  const field = `metadata.annotations[${APPROVAL_ANNOTATION}]`;
  if (approval.state === "Missing") return [fieldError.required(field, approval.reason)];
  return approval.state === "Invalid" ? [fieldError.invalid(field, definition.metadata.annotations?.[APPROVAL_ANNOTATION], approval.reason)] : [];
}

function changeErrors(definition: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const isEstablished = (old.status?.conditions ?? []).some(({ type, status }) => type === "Established" && status === "True");
  const fixed = (field: string, value: unknown, before: unknown): FieldError[] =>
    equal(value, before) ? [] : [fieldError.invalid(`spec.${field}`, value, "field is immutable")];
  const { spec } = definition;
  return [
    ...(isEstablished ? fixed("scope", spec.scope, old.spec.scope) : []),
    ...(isEstablished ? fixed("names.kind", spec.names.kind, old.spec.names.kind) : []),
    ...fixed("group", spec.group, old.spec.group),
    ...fixed("names.plural", spec.names.plural, old.spec.names.plural),
  ];
}

function nameErrors({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  const wanted = `${spec.names.plural ?? ""}.${spec.group}`;
  return metadata.name === wanted ? [] : [fieldError.invalid("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group')];
}

/** `engines` read the patterns and rules in the schemas. */
export function definitionErrors(definition: CustomResourceDefinition, old: CustomResourceDefinition | undefined, engines: Engines): readonly FieldError[] {
  const { spec, status } = definition;
  const preserves = spec.preserveUnknownFields === true && old?.spec.preserveUnknownFields !== true;
  const instead = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  return [
    ...(old === undefined ? nameErrors(definition) : []),
    ...specErrors(spec, old?.spec, engines),
    ...(old === undefined ? [] : changeErrors(definition, old)),
    ...(status?.acceptedNames === undefined ? [] : namesErrors(status.acceptedNames, "status.acceptedNames")),
    ...storedErrors(definition),
    ...approvalErrors(definition, old),
    ...(preserves ? [fieldError.invalid("spec.preserveUnknownFields", true, instead)] : []),
  ];
}
