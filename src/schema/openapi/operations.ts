// What can be asked of a kind, path by path, before it is written in either version of OpenAPI.
import type { Kind } from "../kind.ts";
import { SCALE } from "./meta-types.ts";
import { basePath, definitionName, META, operationGroup, tagOf } from "./names.ts";

/** A kind as it is served: its verbs, and its subresources with theirs. */
export interface ServedPaths {
  readonly kind: Kind;
  readonly verbs: readonly string[];
  readonly subresources: readonly { readonly name: string; readonly verbs: readonly string[]; readonly kind?: GroupVersionKind | undefined }[];
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly type: "string" | "integer" | "boolean";
  readonly description: string;
}

export interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly action: string;
  readonly description: string;
  readonly operationId: string;
  readonly tag: string;
  readonly kind: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  /** Definition of the body; `patch` stands for every type of patch that the kind takes. */
  readonly body?: { readonly definition: string; readonly required: boolean; readonly patchTypes?: readonly string[] };
  /** Status → definition of the answer; "" for plain text. */
  readonly answers: Readonly<Record<string, string>>;
  readonly streams: boolean;
  readonly custom: boolean;
}

export interface PathOperations {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly operations: readonly Operation[];
}

const query = (name: string, type: Parameter["type"], description: string): Parameter => ({ name, in: "query", type, description });
const inPath = (name: string, description: string): Parameter => ({ name, in: "path", type: "string", description });

const DRY_RUN = query("dryRun", "string", "`All` tries the change and stores nothing.");
const FIELD_MANAGER = query("fieldManager", "string", "The name under which the change is noted in `managedFields`; up to 128 printable characters.");
const FIELD_VALIDATION = query(
  "fieldValidation",
  "string",
  "What to do about unknown and duplicate fields: `Strict` refuses, `Warn` (default) warns, `Ignore` drops them.",
);
const FORCE = query("force", "boolean", "Takes fields over from other managers; only for apply patches.");
const WRITING = [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION];
const DELETING = [
  DRY_RUN,
  query("gracePeriodSeconds", "integer", "Seconds that the object has to end; 0 deletes it at once."),
  query("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean", "Not supported."),
  query("orphanDependents", "boolean", "Outdated: say `propagationPolicy`."),
  query("propagationPolicy", "string", "What happens to dependents: `Orphan`, `Background` or `Foreground`."),
];
const RESOURCE_VERSION = query("resourceVersion", "string", "The revision that the answer must show or be newer than.");
const SELECTING = [
  query("continue", "string", "The token of the page before, to get the next one."),
  query("fieldSelector", "string", "Only objects whose fields match, such as `metadata.name=x`."),
  query("labelSelector", "string", "Only objects whose labels match, such as `app in (a,b),!old`."),
  query("limit", "integer", "At most so many objects in a page."),
  RESOURCE_VERSION,
  query("resourceVersionMatch", "string", "How `resourceVersion` counts: `Exact` or `NotOlderThan`."),
  query("sendInitialEvents", "boolean", "A watch begins with the objects that are there, then a bookmark."),
  query("timeoutSeconds", "integer", "Ends a watch after so many seconds."),
];
const LISTING = [
  query("allowWatchBookmarks", "boolean", "A watch also tells how far it has come."),
  ...SELECTING,
  query("watch", "boolean", "Stays and tells changes as they come."),
];

const byName = (parameters: readonly Parameter[]): readonly Parameter[] => parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1));

const NAME = inPath("name", "The name of the object.");
const NAMESPACE = inPath("namespace", "The namespace of the object.");
const PRETTY = query("pretty", "string", "`true` writes the answer on several lines.");

const PATCH_TYPES = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"];

/** What differs between the verbs. */
type Shape = Pick<Operation, "method" | "action" | "parameters" | "answers"> & Partial<Pick<Operation, "body" | "streams">>;

class KindPaths {
  readonly #served: ServedPaths;
  readonly #name: string;

  constructor(served: ServedPaths) {
    this.#served = served;
    this.#name = definitionName(served.kind);
  }

  #operation(shape: Shape, words: { verb: string; suffix: string; description: string }, of: GroupVersionKind): Operation {
    const { kind } = this.#served;
    const { group, version } = kind;
    const scope = kind.scope === "Namespaced" && !words.suffix.endsWith("ForAllNamespaces") ? "Namespaced" : "";
    return {
      ...shape,
      parameters: byName(shape.parameters),
      description: words.description,
      operationId: `${words.verb}${operationGroup(kind)}${words.verb === "delete" && words.suffix === "Collection" ? "Collection" : ""}${scope}${kind.kind}${words.suffix === "Collection" ? "" : words.suffix}`,
      tag: tagOf({ group, version }),
      kind: of,
      streams: shape.streams === true,
      custom: kind.custom,
    };
  }

  get #self(): GroupVersionKind {
    const { group, version, kind } = this.#served.kind;
    return { group, version, kind };
  }

  #list(suffix: string, parameters: readonly Parameter[]): Operation {
    const streams = !this.#served.kind.custom;
    const shape = { method: "get", action: "list", parameters, answers: { "200": `${this.#name}List` }, streams } as const;
    return this.#operation(shape, { verb: "list", suffix, description: `list or watch objects of kind ${this.#served.kind.kind}` }, this.#self);
  }

  /** All that is asked of many: listing, creating, deleting. */
  collection(): readonly Operation[] {
    const { verbs, kind } = this.#served;
    const { kind: word } = kind;
    const body = { definition: this.#name, required: true };
    const answers = { "200": this.#name, "201": this.#name, "202": this.#name };
    const create = { method: "post", action: "post", parameters: WRITING, body, answers } as const;
    const gone = { "200": `${META}.Status` };
    const options = { definition: `${META}.DeleteOptions`, required: false };
    const remove = {
      method: "delete",
      action: "deletecollection",
      ...(kind.custom ? { parameters: LISTING } : { parameters: [...DELETING, ...SELECTING], body: options }),
      answers: gone,
    } as const;
    return [
      ...(verbs.includes("list") ? [this.#list("", LISTING)] : []),
      ...(verbs.includes("create") ? [this.#operation(create, { verb: "create", suffix: "", description: `create a ${word}` }, this.#self)] : []),
      ...(verbs.includes("deletecollection")
        ? [this.#operation(remove, { verb: "delete", suffix: "Collection", description: `delete collection of ${word}` }, this.#self)]
        : []),
    ];
  }

  /** Its parameters stand at the path. */
  allNamespaces(): readonly Operation[] {
    return this.#served.verbs.includes("list") ? [this.#list("ForAllNamespaces", [])] : [];
  }

  /** Reading, replacing and patching one object or a part of it; `suffix` and `what` name the part. */
  one(verbs: readonly string[], suffix: string, of: GroupVersionKind, definition: string): readonly Operation[] {
    const { custom, kind } = this.#served.kind;
    const what = `${suffix === "" ? "" : `${suffix.toLowerCase()} of `}the specified ${kind}`;
    const body = { definition, required: true };
    const answers = { "200": definition, "201": definition };
    const patchTypes = PATCH_TYPES.filter((type) => !(custom && type.includes("strategic")));
    const make = (shape: Shape, verb: string, description: string): Operation => this.#operation(shape, { verb, suffix, description }, of);
    const gone = { "200": `${META}.Status`, "202": `${META}.Status` };
    const options = { definition: `${META}.DeleteOptions`, required: false };
    return [
      ...(verbs.includes("get")
        ? [make({ method: "get", action: "get", parameters: custom ? [RESOURCE_VERSION] : [], answers: { "200": definition } }, "read", `read ${what}`)]
        : []),
      ...(verbs.includes("update") ? [make({ method: "put", action: "put", parameters: WRITING, body, answers }, "replace", `replace ${what}`)] : []),
      ...(verbs.includes("create") && suffix !== ""
        ? [
            make(
              { method: "post", action: definition === "" ? "connect" : "post", parameters: WRITING, ...(definition === "" ? {} : { body }), answers },
              "create",
              `create ${what}`,
            ),
          ]
        : []),
      ...(verbs.includes("delete")
        ? [make({ method: "delete", action: "delete", parameters: DELETING, body: options, answers: gone }, "delete", `delete a ${kind}`)]
        : []),
      ...(verbs.includes("patch")
        ? [
            make(
              {
                method: "patch",
                action: "patch",
                parameters: [...WRITING, FORCE],
                body: { definition: `${META}.Patch`, required: true, patchTypes },
                answers: custom ? { "200": definition } : answers,
              },
              "patch",
              `partially update ${what}`,
            ),
          ]
        : []),
    ];
  }
}

/** The definition that a subresource gives and takes; "" for one that gives no object. */
function definitionOf(served: ServedPaths, sub: ServedPaths["subresources"][number]): string {
  const { name, kind } = sub;
  if (name === "status" || kind === undefined || kind.kind === served.kind.kind) return name === "log" ? "" : definitionName(served.kind);
  return kind.group === "autoscaling" && kind.kind === "Scale" ? SCALE : "";
}

const word = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** All paths of a kind, in the order of their texts. */
export function pathsOf(served: ServedPaths): readonly PathOperations[] {
  const { kind, verbs, subresources } = served;
  const make = new KindPaths(served);
  const namespaced = kind.scope === "Namespaced";
  const base = basePath(kind);
  const collection = `${base}${namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}`;
  const around = namespaced ? [NAMESPACE, PRETTY] : [PRETTY];
  const self: GroupVersionKind = { group: kind.group, version: kind.version, kind: kind.kind };
  const itemVerbs = verbs.filter((verb) => verb !== "create" && verb !== "list");
  return [
    ...(namespaced ? [{ path: `${base}/${kind.plural}`, parameters: byName([...LISTING, PRETTY]), operations: make.allNamespaces() }] : []),
    { path: collection, parameters: around, operations: make.collection() },
    { path: `${collection}/{name}`, parameters: [NAME, ...around], operations: make.one(itemVerbs, "", self, definitionName(kind)) },
    ...subresources.map((sub) => ({
      path: `${collection}/{name}/${sub.name}`,
      parameters: [NAME, ...around],
      operations: make.one(
        sub.verbs.filter((verb) => verb !== "delete"),
        word(sub.name),
        sub.kind === undefined || sub.kind.version === "" ? { ...self, ...(sub.kind === undefined ? {} : { kind: sub.kind.kind }) } : sub.kind,
        definitionOf(served, sub),
      ),
    })),
  ].filter(({ operations }) => operations.length > 0);
}
