// Secret of the core group.
import { equal, fieldError, jsonSyntaxError, type FieldError, type Kind } from "#schema";
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

const USER_KEYS = ["username", "password"];
const DOCKER_KEYS: Readonly<Record<string, string>> = { "kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg" };
const ACCOUNT_ANNOTATION = "kubernetes.io/service-account.name";

/** What only some types must have. */
function typeErrors({ type = "", data = {}, metadata }: Secret): FieldError[] {
  if (type === "kubernetes.io/basic-auth" && !USER_KEYS.some((key) => data[key] !== undefined)) {
    return USER_KEYS.map((key) => fieldError.required(`data[${key}]`));
  }
  if (type === "kubernetes.io/service-account-token" && !metadata.annotations?.[ACCOUNT_ANNOTATION]) {
    return [fieldError.required(`metadata.annotations[${ACCOUNT_ANNOTATION}]`)];
  }
  const key = DOCKER_KEYS[type];
  const config = key === undefined ? undefined : data[key];
  const problem = config === undefined ? undefined : jsonSyntaxError(Buffer.from(config, "base64").toString());
  return problem === undefined ? [] : [fieldError.invalid(`data[${key}]`, "<secret contents redacted>", problem)];
}

const PEM = /-----BEGIN [^-]+-----/;

/** A pair of keys that nobody can use is taken, with a word. */
function secretWarnings({ type, data = {} }: Secret): string[] {
  if (type !== "kubernetes.io/tls") return [];
  const isPem = (key: string): boolean => PEM.test(Buffer.from(data[key] ?? "", "base64").toString());
  if (!isPem("tls.crt")) return ["tls: failed to find any PEM data in certificate input"];
  return isPem("tls.key") ? [] : ["tls: failed to find any PEM data in key input"];
}

function secretErrors(secret: Secret, old: Secret | undefined): FieldError[] {
  const { data = {} } = secret;
  const wrong = dataKeyErrors("data", data);
  const bytes = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value, "base64"), 0);
  if (bytes > SIZE_MAX_BYTES) wrong.push(fieldError.tooLong("data", SIZE_MAX_BYTES));
  for (const key of NEEDED.get(secret.type ?? "") ?? []) if (data[key] === undefined) wrong.push(fieldError.required(`data[${key}]`));
  wrong.push(...typeErrors(secret));
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
  warnings: secretWarnings,
});
