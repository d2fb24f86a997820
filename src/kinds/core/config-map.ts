// ConfigMap of the core group.
import { equal, fieldError, names, type FieldError, type Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { age } from "./columns.ts";
import { definitions } from "./definitions.ts";
import type { ConfigMap as ConfigMapObject } from "./v1.types.ts";

export type ConfigMap = ConfigMapObject;

const SIZE_MAX_BYTES = 1024 * 1024;

/** Errors of the keys of a map of data. */
export function dataKeyErrors(field: string, data: Readonly<Record<string, string>> | undefined): FieldError[] {
  return Object.keys(data ?? {}).flatMap((key) => names.configKey(key).map((detail) => fieldError.invalid(`${field}[${key}]`, key, detail)));
}

function configMapErrors(map: ConfigMap, old: ConfigMap | undefined): FieldError[] {
  const { data = {}, binaryData = {} } = map;
  const wrong: FieldError[] = [];
  if (old?.immutable === true) {
    if (map.immutable !== true) wrong.push(fieldError.forbidden("immutable", "field is immutable when `immutable` is set"));
    if (!equal(data, old.data ?? {})) wrong.push(fieldError.forbidden("data", "field is immutable when `immutable` is set"));
    if (!equal(binaryData, old.binaryData ?? {})) wrong.push(fieldError.forbidden("binaryData", "field is immutable when `immutable` is set"));
  }
  wrong.push(...dataKeyErrors("data", data));
  for (const key of Object.keys(data))
    if (Object.hasOwn(binaryData, key)) wrong.push(fieldError.invalid(`data[${key}]`, key, "duplicate of key present in binaryData"));
  wrong.push(...dataKeyErrors("binaryData", binaryData));
  const bytes =
    Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0) +
    Object.values(binaryData).reduce((sum, value) => sum + Buffer.byteLength(value, "base64"), 0);
  return bytes > SIZE_MAX_BYTES ? [...wrong, fieldError.tooLong("", SIZE_MAX_BYTES)] : wrong;
}

export const ConfigMap: Kind<ConfigMap> = builtin<ConfigMap>({
  group: "",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  definitions,
  definition: "io.k8s.api.core.v1.ConfigMap",
  columns: [
    {
      name: "Data",
      type: "string",
      cell: (object) => {
        const { data = {}, binaryData = {} } = object as ConfigMap;
        return Object.keys(data).length + Object.keys(binaryData).length;
      },
    },
    age,
  ],
  validate: configMapErrors,
});
