// Types that belong to the API itself and not to a kind, by the names that Kubernetes' OpenAPI has for them.
import { objectMeta } from "../metadata-schema.ts";
import type { Node } from "../node.ts";
import { META } from "./names.ts";

export const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";
export const INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
export const SCALE = "io.k8s.api.autoscaling.v1.Scale";
export const TIME = `${META}.Time`;
export const MICRO_TIME = `${META}.MicroTime`;

const text = (description: string): Node => ({ type: "string", description });
const number = (description: string): Node => ({ type: "integer", format: "int64", description });
const flag = (description: string): Node => ({ type: "boolean", description });
const list = (items: Node, description: string): Node => ({ type: "array", items, description, "x-kubernetes-list-type": "atomic" });
const ref = (name: string, description: string): Node => ({ $ref: `${META}.${name}`, description });
/** Written by Go although nobody set it. */
const always = (node: Node): Node => ({ ...node, "x-eider-zero": "keep" });

const kindMembers = {
  apiVersion: text("The group and version in which this object is written."),
  kind: text("The kind of this object, in CamelCase."),
} satisfies Record<string, Node>;

/** Lists inside metadata are written in place in our own schemas; OpenAPI names their items. */
function namedItems(node: Node | undefined, name: string): Node {
  const { items: _, ...rest } = node ?? {};
  return { ...rest, items: { $ref: `${META}.${name}` } };
}

const { ownerReferences, managedFields, ...plainMembers } = objectMeta.properties ?? {};

/** The types without the members that say which object they are part of. */
export const metaTypes: Readonly<Record<string, Node>> = {
  [`${META}.ObjectMeta`]: {
    ...objectMeta,
    properties: {
      ...plainMembers,
      ownerReferences: namedItems(ownerReferences, "OwnerReference"),
      managedFields: namedItems(managedFields, "ManagedFieldsEntry"),
    },
  },
  [`${META}.OwnerReference`]: ownerReferences?.items ?? {},
  [`${META}.ManagedFieldsEntry`]: {
    ...managedFields?.items,
    properties: { ...managedFields?.items?.properties, fieldsV1: { $ref: `${META}.FieldsV1` } },
  },
  [`${META}.FieldsV1`]: { type: "object", description: "A set of fields: names become members `f:NAME`, items of lists `k:KEYS` or `v:VALUE`." },
  [`${META}.ListMeta`]: {
    type: "object",
    description: "What a list tells about itself.",
    properties: {
      continue: text("A token to ask for the next page with; empty on the last page."),
      remainingItemCount: number("About how many items come after this page."),
      resourceVersion: text("The revision that the list shows; a watch can start from it."),
      selfLink: text("No longer set."),
    },
  },
  [`${META}.Patch`]: { type: "object", description: "A patch; its media type says how it is read." },
  [`${META}.Preconditions`]: {
    type: "object",
    description: "What must hold for an object to be deleted.",
    properties: { resourceVersion: text("The revision that the object must have."), uid: text("The uid that the object must have.") },
  },
  [`${META}.DeleteOptions`]: {
    type: "object",
    description: "How objects are deleted.",
    properties: {
      ...kindMembers,
      dryRun: list({ type: "string" }, "`All` to try without deleting."),
      gracePeriodSeconds: number("Seconds that the object has to end; 0 deletes it at once."),
      ignoreStoreReadErrorWithClusterBreakingPotential: flag("Not supported."),
      orphanDependents: flag("Outdated: say `propagationPolicy`."),
      preconditions: ref("Preconditions", "What must hold, or else the answer is 409."),
      propagationPolicy: text("What happens to dependents: `Orphan` leaves them, `Background` deletes them later, `Foreground` before their owner goes."),
    },
  },
  [`${META}.Status`]: {
    type: "object",
    description: "How a request went that gives no object.",
    properties: {
      ...kindMembers,
      code: { type: "integer", format: "int32", description: "The HTTP status code." },
      details: { ...ref("StatusDetails", "More about the reason."), "x-kubernetes-list-type": "atomic" },
      message: text("A sentence for people."),
      metadata: always(ref("ListMeta", "Metadata of the answer.")),
      reason: text("A word for programs, such as `NotFound`."),
      status: text("`Success` or `Failure`."),
    },
  },
  [`${META}.StatusDetails`]: {
    type: "object",
    description: "More about a failure; what is here depends on its reason.",
    properties: {
      causes: list({ $ref: `${META}.StatusCause` }, "Each cause of the failure."),
      group: text("The group of the object."),
      kind: text("The resource or kind of the object."),
      name: text("The name of the object."),
      retryAfterSeconds: { type: "integer", format: "int32", description: "Seconds to wait before trying again." },
      uid: text("The uid of the object."),
    },
  },
  [`${META}.StatusCause`]: {
    type: "object",
    description: "One cause of a failure.",
    properties: { field: text("The field that is at fault, as a path."), message: text("A sentence for people."), reason: text("A word for programs.") },
  },
  [SCALE]: {
    type: "object",
    description: "How many of something there are and should be.",
    properties: {
      ...kindMembers,
      metadata: always(ref("ObjectMeta", "Metadata of the scaled object.")),
      spec: always({ $ref: `${SCALE}Spec`, description: "How many there should be." }),
      status: always({ $ref: `${SCALE}Status`, description: "How many there are." }),
    },
  },
  [`${SCALE}Spec`]: {
    type: "object",
    description: "How many there should be.",
    properties: { replicas: always({ type: "integer", format: "int32", description: "The wanted number." }) },
  },
  [`${SCALE}Status`]: {
    type: "object",
    description: "How many there are.",
    required: ["replicas"],
    properties: {
      replicas: always({ type: "integer", format: "int32", description: "The number that is there." }),
      selector: text("A label selector, as text, for what is counted."),
    },
  },
  [TIME]: { type: "string", format: "date-time", description: "A time in RFC 3339, to the second." },
  [MICRO_TIME]: { type: "string", format: "date-time", description: "A time in RFC 3339, to the microsecond." },
  [QUANTITY]: { type: "string", description: "An amount with a suffix: `500m`, `1Gi`, `2`." },
  [INT_OR_STRING]: { type: "string", format: "int-or-string", description: "A number or a text, such as a port by number or by name." },
};

/** Types that are objects of their own: they name kind and version. */
export const META_KINDS: Readonly<Record<string, { readonly group: string; readonly version: string; readonly kind: string }>> = {
  [`${META}.DeleteOptions`]: { group: "", version: "v1", kind: "DeleteOptions" },
  [`${META}.Status`]: { group: "", version: "v1", kind: "Status" },
  [SCALE]: { group: "autoscaling", version: "v1", kind: "Scale" },
};

/** The members that every object has. */
export const objectMembers: Readonly<Record<string, Node>> = {
  ...kindMembers,
  metadata: { $ref: `${META}.ObjectMeta`, "x-eider-zero": "keep", description: "Name, labels, and what the server notes about the object." },
};
