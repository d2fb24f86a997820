// The parts of a definition beside its schemas: names, columns, subresources, conversion, deprecation.
import { fieldError, names as forms, type FieldError } from "#schema";
import { fieldAt } from "./schema-checks.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
} from "./v1.types.ts";

const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const SELECTABLE_MAX = 8;
const REVIEW_VERSIONS = ["v1", "v1beta1"];
const WARNING_LENGTH_MAX = 256;

export function namesErrors(names: CustomResourceDefinitionNames, path: string): FieldError[] {
  const { plural = "", singular = "", kind = "", listKind = "", shortNames = [], categories = [] } = names as Partial<CustomResourceDefinitionNames>;
  const label = (field: string, text: string): FieldError[] => {
    const wrong = text === "" ? [] : forms.dns1035Label(text);
    return wrong.length === 0 ? [] : [fieldError.invalid(`${path}.${field}`, text, wrong.join(","))];
  };
  const mixed = (field: string, text: string): FieldError[] => {
    const wrong = text === "" ? [] : forms.dns1035Label(text.toLowerCase());
    return wrong.length === 0 ? [] : [fieldError.invalid(`${path}.${field}`, text, `may have mixed case, but should otherwise match: ${wrong.join(",")}`)];
  };
  const each = (field: string, texts: readonly string[]): FieldError[] =>
    texts.flatMap((text, at) =>
      forms
        .dns1035Label(text)
        .slice(0, 1)
        .map(() => fieldError.invalid(`${path}.${field}[${at}]`, text, forms.dns1035Label(text).join(","))),
    );
  return [
    ...label("plural", plural),
    ...label("singular", singular),
    ...mixed("kind", kind),
    ...mixed("listKind", listKind),
    ...each("shortNames", shortNames),
    ...(kind !== "" && kind === listKind ? [fieldError.invalid(`${path}.listKind`, listKind, "kind and listKind may not be the same")] : []),
    ...each("categories", categories),
  ];
}

function simplePathErrors(text: string, path: string): FieldError[] {
  return text.startsWith(".") ? [] : [fieldError.invalid(path, text, "must be a simple json path starting with .")];
}

export function columnErrors({ name = "", type = "", format = "", jsonPath = "" }: Partial<CustomResourceColumnDefinition>, path: string): FieldError[] {
  const types = `must be one of ${COLUMN_TYPES.join(",")}`;
  return [
    ...(name === "" ? [fieldError.required(`${path}.name`)] : []),
    ...(type === "" ? [fieldError.required(`${path}.type`, types)] : COLUMN_TYPES.includes(type) ? [] : [fieldError.invalid(`${path}.type`, type, types)]),
    ...(format === "" || COLUMN_FORMATS.includes(format) ? [] : [fieldError.invalid(`${path}.format`, format, `must be one of ${COLUMN_FORMATS.join(",")}`)]),
    ...(jsonPath === "" ? [fieldError.required(`${path}.JSONPath`)] : simplePathErrors(jsonPath, `${path}.JSONPath`)),
  ];
}

function scalePathErrors(text: string, path: string, below: readonly string[]): FieldError[] {
  const wrong = simplePathErrors(text, path);
  if (wrong.length > 0 || below.some((root) => text.startsWith(`${root}.`))) return wrong;
  const where = below.length === 1 ? `under ${below[0] ?? ""}` : `under either ${below.join(" or ")}`;
  return [fieldError.invalid(path, text, `should be a json path ${where}`)];
}

export function subresourceErrors(subresources: CustomResourceSubresources | undefined, path: string): FieldError[] {
  const { scale } = subresources ?? {};
  if (scale === undefined) return [];
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = "" } = scale;
  const needed = (text: string, field: string, root: string): FieldError[] =>
    text === "" ? [fieldError.required(`${path}.scale.${field}`)] : scalePathErrors(text, `${path}.scale.${field}`, [root]);
  return [
    ...needed(specReplicasPath, "specReplicasPath", ".spec"),
    ...needed(statusReplicasPath, "statusReplicasPath", ".status"),
    ...(labelSelectorPath === "" ? [] : scalePathErrors(labelSelectorPath, `${path}.scale.labelSelectorPath`, [".spec", ".status"])),
  ];
}

export function selectableErrors(fields: readonly SelectableField[], schema: JSONSchemaProps, path: string): FieldError[] {
  const seen = new Set<string>();
  const wrong: FieldError[] = [];
  for (const [index, { jsonPath }] of fields.entries()) {
    const at = `${path}[${index}].jsonPath`;
    if (jsonPath === "") {
      wrong.push(fieldError.required(at));
      continue;
    }
    const found = fieldAt(jsonPath, schema, { brackets: false });
    if ("error" in found) {
      wrong.push(fieldError.invalid(at, jsonPath, `is an invalid path: ${found.error}`));
      continue;
    }
    if (found.names[0] === "metadata") wrong.push(fieldError.invalid(at, jsonPath, "must not point to fields in metadata"));
    if (!["string", "boolean", "integer"].includes(found.schema.type ?? "")) {
      const why = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      wrong.push(fieldError.invalid(at, jsonPath, why));
    }
    const name = found.names.join(".");
    if (seen.has(name)) wrong.push(fieldError.duplicate(at, jsonPath));
    seen.add(name);
  }
  return seen.size > SELECTABLE_MAX ? [...wrong, fieldError.tooMany(path, seen.size, SELECTABLE_MAX)] : wrong;
}

export function deprecationErrors({ deprecated, deprecationWarning }: CustomResourceDefinitionVersion, path: string): FieldError[] {
  if (deprecationWarning === undefined) return [];
  const say = (why: string): FieldError => fieldError.invalid(`${path}.deprecationWarning`, deprecationWarning, why);
  if (deprecated !== true) return [say("can only be set for deprecated versions")];
  const odd = [...deprecationWarning].findIndex((char) => !/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char));
  return [
    ...(Buffer.byteLength(deprecationWarning) > WARNING_LENGTH_MAX ? [say(`must be <= ${WARNING_LENGTH_MAX} characters long`)] : []),
    ...(deprecationWarning === "" ? [say("must not be an empty string")] : []),
    ...(odd < 0 ? [] : [say(`must only contain printable UTF-8 characters; non-printable character found at index ${odd}`)]),
  ];
}

function urlErrors(text: string, path: string): FieldError[] {
  const form = "; desired format: https://host[/path]";
  if (!URL.canParse(text)) return [fieldError.required(path, `url must be a valid URL: ${text}${form}`)];
  const url = new URL(text);
  const wrong: FieldError[] = [];
  if (url.protocol !== "https:") wrong.push(fieldError.invalid(path, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`));
  if (url.host === "") wrong.push(fieldError.invalid(path, url.host, `host must be specified${form}`));
  if (url.username !== "") wrong.push(fieldError.invalid(path, url.username, "user information is not permitted in the URL"));
  if (url.hash !== "") wrong.push(fieldError.invalid(path, url.hash.slice(1), "fragments are not permitted in the URL"));
  if (url.search !== "") wrong.push(fieldError.invalid(path, url.search.slice(1), "query parameters are not permitted in the URL"));
  return wrong;
}

function clientErrors(conversion: CustomResourceConversion, path: string): FieldError[] {
  const config = conversion.webhook?.clientConfig;
  const at = `${path}.webhookClientConfig`;
  if (config === undefined) return [fieldError.required(at, "required when strategy is set to Webhook")];
  const { url, service } = config;
  if ((url === undefined) === (service === undefined)) return [fieldError.required(at, "exactly one of url or service is required")];
  if (url !== undefined) return urlErrors(url, `${at}.url`);
  const { name = "", namespace = "", port = 443 } = service ?? {};
  return [
    ...(name === "" ? [fieldError.required(`${at}.service.name`, "service name is required")] : []),
    ...(namespace === "" ? [fieldError.required(`${at}.service.namespace`, "service namespace is required")] : []),
    ...(port >= 1 && port <= 65_535 ? [] : [fieldError.invalid(`${at}.service.port`, port, "port is not valid: must be between 1 and 65535, inclusive")]),
  ];
}

function reviewErrors(versions: readonly string[], path: string): FieldError[] {
  if (versions.length === 0) return [fieldError.required(path)];
  const wrong = versions.flatMap((version, at) => {
    if (versions.indexOf(version) < at) return [fieldError.invalid(`${path}[${at}]`, version, "duplicate version")];
    return forms.dns1035Label(version).map((why) => fieldError.invalid(`${path}[${at}]`, version, why));
  });
  if (versions.some((version) => REVIEW_VERSIONS.includes(version))) return wrong;
  return [...wrong, fieldError.invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(", ")}`)];
}

export function conversionErrors(conversion: CustomResourceConversion, path: string): FieldError[] {
  const { strategy, webhook } = conversion;
  const strategies = ["None", "Webhook"];
  const wrong: FieldError[] = [];
  if (strategy === "") wrong.push(fieldError.required(`${path}.strategy`));
  else if (!strategies.includes(strategy)) wrong.push(fieldError.notSupported(`${path}.strategy`, strategy, strategies));
  const reviews = webhook?.conversionReviewVersions ?? [];
  if (strategy === "Webhook") return [...wrong, ...clientErrors(conversion, path), ...reviewErrors(reviews, `${path}.conversionReviewVersions`)];
  const why = "should not be set when strategy is not set to Webhook";
  if (webhook?.clientConfig !== undefined) wrong.push(fieldError.forbidden(`${path}.webhookClientConfig`, why));
  if (reviews.length > 0) wrong.push(fieldError.forbidden(`${path}.conversionReviewVersions`, why));
  return wrong;
}
