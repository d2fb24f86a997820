// Shapes that Knative's statuses share (Knative's "duck types").
import { s, type Condition, type ValueOf } from "#schema";

export const AddressableSchema = s.object({
  CACerts: s.optional(s.string()),
  audience: s.optional(s.string()),
  name: s.optional(s.string()),
  url: s.optional(s.string()),
});
export type Addressable = ValueOf<typeof AddressableSchema>;

const ConditionNode = {
  type: "object",
  required: ["type", "status"],
  properties: {
    lastTransitionTime: { type: "string" },
    message: { type: "string" },
    reason: { type: "string" },
    severity: { type: "string" },
    status: { type: "string" },
    type: { type: "string" },
  },
} as const;

export const ConditionSchema = s.node<Condition>(ConditionNode);

/** Properties of `status` of every Knative kind; conditions are sorted by type. */
export const duckStatus = {
  annotations: s.optional(s.map(s.string())),
  conditions: s.optional(s.list(ConditionSchema, { plain: true })),
  observedGeneration: s.optional(s.int64()),
};
const DuckStatusSchema = s.object(duckStatus);
export type DuckStatus = ValueOf<typeof DuckStatusSchema>;

const text = s.optional(s.string());

/** The service accounts in whose name events are sent. */
export const authStatus = { auth: s.optional(s.object({ serviceAccountName: text, serviceAccountNames: s.optional(s.list(s.string(), { plain: true })) })) };
