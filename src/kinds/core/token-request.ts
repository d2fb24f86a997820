// What can be posted to a ServiceAccount: a request for a token, which the answer holds. It is stored nowhere.
import { fieldError, type FieldError, type Kind, type KubeObject, type Node } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";

const text = (proto: number): Node => ({ type: "string", "x-eider-proto": proto, "x-eider-zero": "drop" });

const REQUEST = "io.k8s.api.authentication.v1.TokenRequest";
const SPEC = "io.k8s.api.authentication.v1.TokenRequestSpec";
const STATUS = "io.k8s.api.authentication.v1.TokenRequestStatus";
const BOUND = "io.k8s.api.authentication.v1.BoundObjectReference";

const own: Readonly<Record<string, Node>> = {
  [REQUEST]: {
    type: "object",
    properties: { spec: { $ref: SPEC, "x-eider-proto": 2, "x-eider-zero": "keep" }, status: { $ref: STATUS, "x-eider-proto": 3, "x-eider-zero": "keep" } },
  },
  [SPEC]: {
    type: "object",
    properties: {
      audiences: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "atomic", "x-eider-proto": 1, "x-eider-zero": "keep" },
      expirationSeconds: { type: "integer", format: "int64", default: 3_600, "x-eider-proto": 4 },
      boundObjectRef: { $ref: BOUND, nullable: true, "x-eider-proto": 3, "x-eider-pointer": true },
    },
  },
  [STATUS]: {
    type: "object",
    properties: {
      token: { ...text(1), "x-eider-zero": "keep" },
      expirationTimestamp: { type: "string", format: "date-time", nullable: true, "x-eider-proto": 2, "x-eider-zero": "keep" },
    },
  },
  [BOUND]: { type: "object", properties: { kind: text(1), apiVersion: text(2), name: text(3), uid: text(4) } },
};

/** What a token lives no longer than. */
export interface BoundObject {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly uid?: string;
}

export interface TokenRequest extends KubeObject {
  /** Go's clients send null for what they do not say. */
  readonly spec?: { readonly audiences?: readonly string[] | null; readonly expirationSeconds?: number | null; readonly boundObjectRef?: BoundObject | null };
  readonly status?: { readonly token: string; readonly expirationTimestamp: string };
}

const EXPIRATION_S_MIN = 600;
const EXPIRATION_S_MAX = 2 ** 32;

export const TokenRequest: Kind<TokenRequest> = builtin<TokenRequest>({
  group: "authentication.k8s.io",
  kind: "TokenRequest",
  plural: "tokenrequests",
  definitions: { ...definitions, ...own },
  definition: REQUEST,
  columns: [],
  subresources: {},
  validate: ({ spec }) => expirationErrors(spec?.expirationSeconds),
});

function expirationErrors(seconds: number | null | undefined): FieldError[] {
  const wrong = (why: string): FieldError[] => [fieldError.invalid("spec.expirationSeconds", seconds, why)];
  if (seconds === undefined || seconds === null) return [];
  if (seconds < EXPIRATION_S_MIN) return wrong("may not specify a duration less than 10 minutes");
  return seconds > EXPIRATION_S_MAX ? wrong("may not specify a duration larger than 2^32 seconds") : [];
}
