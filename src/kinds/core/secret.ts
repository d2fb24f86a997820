// Secret of the core group.
import { equal, fieldError, type FieldError, type Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { age } from "./columns.ts";
import { dataKeyErrors } from "./config-map.ts";
import { definitions } from "./definitions.ts";
import type { Secret as SecretObject } from "./v1.types.ts";

export type Secret = SecretObject;

const SIZE_MAX_BYTES = 1024 * 1024;

/** Keys that a type of Secret must have. */
const NEEDED: ReadonlyMap<string, readonly string[]> = new Map([
  ["kubernetes.io/dockerconfigjson", [".dockerconfigjson"]],
  ["kubernetes.io/dockercfg", [".dockercfg"]],
  ["kubernetes.io/ssh-auth", ["ssh-privatekey"]],
  ["kubernetes.io/tls", ["tls.crt", "tls.key"]],
]);

function secretErrors(secret: Secret, old: Secret | undefined): FieldError[] {
  const { data = {} } = secret;
  const wrong = dataKeyErrors("data", data);
  const bytes = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value, "base64"), 0);
  if (bytes > SIZE_MAX_BYTES) wrong.push(fieldError.tooLong("data", SIZE_MAX_BYTES));
  for (const key of NEEDED.get(secret.type ?? "") ?? []) if (data[key] === undefined) wrong.push(fieldError.required(`data[${key}]`));
  if (old === undefined) return wrong;
  if (secret.type !== old.type) wrong.push(fieldError.invalid("type", secret.type ?? "", "field is immutable"));
  if (old.immutable === true) {
    if (secret.immutable !== true) wrong.push(fieldError.forbidden("immutable", "field is immutable when `immutable` is set"));
    if (!equal(data, old.data ?? {})) wrong.push(fieldError.forbidden("data", "field is immutable when `immutable` is set"));
  }
  return wrong;
}

export const Secret: Kind<Secret> = builtin<Secret>({
  group: "",
  kind: "Secret",
  plural: "secrets",
  definitions,
  definition: "io.k8s.api.core.v1.Secret",
  columns: [
    { name: "Type", type: "string", cell: (object) => (object as Secret).type ?? "" },
    { name: "Data", type: "string", cell: (object) => Object.keys((object as Secret).data ?? {}).length },
    age,
  ],
  selectableFields: { type: (object) => (object as Secret).type ?? "" },
  defaultObject(secret) {
    const { stringData, ...stored } = secret;
    if (stringData === undefined && secret.type) return secret;
    const encoded = Object.entries(stringData ?? {}).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
    const data = encoded.length === 0 ? secret.data : { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
    return { ...stored, ...(data === undefined ? {} : { data }), type: secret.type || "Opaque" };
  },
  validate: secretErrors,
});
