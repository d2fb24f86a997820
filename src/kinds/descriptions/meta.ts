// What the metadata of objects is for, in our own words.

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";

export const metaDescriptions = {
  [`${META}.ObjectMeta`]: {
    "": "What every object says about itself, whatever its kind.",
    name: "The name, unique among objects of the kind in the namespace. It cannot be changed.",
    generateName: "A beginning to which the server adds five characters when no name is given.",
    namespace: "The namespace that the object lies in. It cannot be changed.",
    selfLink: "No longer set.",
    uid: "Set by the server; another object of the same name later has another one.",
    resourceVersion: "Set by the server with each write; send it back to change only what you have seen.",
    generation: "Counts changes of what is wanted; set by the server.",
    creationTimestamp: "When the server stored the object first.",
    deletionTimestamp: "When the object is to be gone; set once someone deletes it.",
    deletionGracePeriodSeconds: "Seconds that the object has to end after it was deleted.",
    labels: "Short texts to select objects by.",
    annotations: "Texts of any content, for people and tools; nothing is selected by them.",
    ownerReferences: "Objects that this one belongs to; when they are gone, it goes too.",
    finalizers: "Names of those who have something to do before the object may go.",
    managedFields: "Who has set which fields; kept by the server, used by server-side apply.",
  },
  [`${META}.OwnerReference`]: {
    "": "An owner of this object, in the same namespace or without one.",
    apiVersion: "Group and version of the owner.",
    kind: "Kind of the owner.",
    name: "Name of the owner.",
    uid: "Uid of the owner.",
    controller: "Whether the owner is the one that manages this object.",
    blockOwnerDeletion: "Whether a foreground deletion of the owner waits for this object.",
  },
  [`${META}.ManagedFieldsEntry`]: {
    "": "The fields that one manager has set in one way.",
    manager: "The name that the manager gave.",
    operation: "`Apply` for server-side apply, `Update` for anything else.",
    apiVersion: "The version in which the fields are named.",
    time: "When the manager changed a field last.",
    fieldsType: "`FieldsV1`, the only form there is.",
    fieldsV1: "The fields.",
    subresource: "The subresource through which they were set, such as `status`.",
  },
  [`${META}.LabelSelector`]: {
    "": "Selects objects by their labels; all parts must hold, and an empty selector selects everything.",
    matchLabels: "Labels that must have exactly these values.",
    matchExpressions: "Requirements that say more than equality.",
  },
  [`${META}.LabelSelectorRequirement`]: {
    "": "One requirement on a label.",
    key: "The label.",
    operator: "`In`, `NotIn`, `Exists` or `DoesNotExist`.",
    values: "Values for `In` and `NotIn`.",
  },
  [`${META}.Condition`]: {
    "": "One thing that can be said about the state of an object.",
    type: "What it is about.",
    status: "`True`, `False` or `Unknown`.",
    observedGeneration: "The generation that was looked at.",
    lastTransitionTime: "When the status changed last.",
    reason: "Why, as a word for programs.",
    message: "Why, as a sentence for people.",
  },
} as const;
