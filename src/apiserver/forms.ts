// What objects, lists and events are shown as: as they are, as tables, or as metadata only.
import { badRequest, unreachable } from "#core";
import { messages, type KubeObject, type ProtobufCodec, type TypeMeta } from "#schema";
import { notOfForm } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { decode, itemText } from "./keys.ts";
import type { Form } from "./negotiate.ts";
import type { Outcome } from "./operations.ts";
import { listMeta, type Page } from "./read.ts";
import { listKindOf, type Resource } from "./registry.ts";
import { scalesOf } from "./scale.ts";

/** The codec of what has a protobuf form; of a list, that of its items. */
type Codec = Pick<ProtobufCodec, "encode" | "encodeField"> | undefined;

/** One document before it is encoded. Stored texts go out as they are where the client takes JSON. */
export interface ShownObject {
  readonly as: "one";
  readonly type: TypeMeta;
  readonly text: string;
  /** What the text says, where somebody has parsed it. */
  readonly value?: () => unknown;
  readonly codec: Codec;
}

/** A list of stored objects before it is encoded. */
export interface ShownList {
  readonly as: "many";
  readonly type: TypeMeta;
  /** JSON of the members before the list, without the end. */
  readonly head: string;
  readonly metadata: object;
  readonly member: "items" | "rows";
  readonly pieces: Page["pieces"];
  /** The text of a member of the list. */
  readonly textOf: (stored: string) => string;
  readonly codec: Codec;
}

export type Shown = ShownObject | ShownList;

/** What a table's rows carry beside their cells. */
export type IncludeObject = "None" | "Metadata" | "Object";

export interface Rendering {
  readonly resource: Resource;
  readonly form: Form;
  readonly includeObject: IncludeObject;
  /** Wall-clock time for ages. */
  readonly nowMs: number;
}

export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const value = query.get("includeObject") ?? "";
  if (value === "" || value === "Metadata") return "Metadata";
  if (value === "None" || value === "Object") return value;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
}

function partial(object: KubeObject, version: string): object {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

/** A bookmark's row has the cells of an object with nothing in it; its object tells the end of the initial events even to those who want none. */
function bookmarkRow(rendering: Rendering, object: KubeObject, version: string): string {
  const { resource, includeObject, nowMs } = rendering;
  const cells = resource.table.cells({ ...object, metadata: { ...object.metadata, name: "" } }, nowMs);
  const isInitialEnd = object.metadata.annotations !== undefined;
  const shown = includeObject === "Object" ? object : includeObject === "Metadata" || isInitialEnd ? partial(object, version) : null;
  return JSON.stringify({ cells, object: shown });
}

function rowText(rendering: Rendering, object: KubeObject, version: string): string {
  const { resource, includeObject, nowMs } = rendering;
  const shown = includeObject === "None" ? null : includeObject === "Object" ? object : partial(object, version);
  const end = resource.kind.completed?.(object);
  const conditions = end === undefined ? {} : { conditions: [{ type: "Completed", status: "True", ...end }] };
  return JSON.stringify({ cells: resource.table.cells(object, nowMs), ...conditions, object: shown });
}

function headText({ kind, apiVersion }: TypeMeta, metadata: object): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)}`;
}

/** `columns` is false for all events of a watch but the first. */
function tableHead(rendering: Rendering, type: TypeMeta, metadata: object, columns: boolean): string {
  return `${headText(type, metadata)},"columnDefinitions":${columns ? JSON.stringify(rendering.resource.table.columns) : "null"}`;
}

const metaType = (kind: string, version: string): TypeMeta => ({ kind, apiVersion: `meta.k8s.io/${version}` });

function shownObject(rendering: Rendering, text: string): ShownObject {
  const { form, resource } = rendering;
  const type = { kind: resource.kind.kind, apiVersion: resource.apiVersion };
  if (form.as === "Object") return { as: "one", type, text, codec: resource.compiled.protobuf };
  if (form.as === "PartialObjectMetadataList") throw notOfForm(resource.kind, form.as);
  const object = decode(text);
  const shownAs = metaType(form.as, form.version);
  if (form.as !== "Table") return { as: "one", type: shownAs, text: JSON.stringify(partial(object, form.version)), codec: messages.partialObjectMetadata };
  const head = tableHead(rendering, shownAs, { resourceVersion: object.metadata.resourceVersion }, true);
  return { as: "one", type: shownAs, text: `${head},"rows":[${rowText(rendering, object, form.version)}]}`, codec: undefined };
}

function shownPage(rendering: Rendering, page: Page): Shown {
  const { resource, form } = rendering;
  const metadata = listMeta(page, form.as === "Object" && resource.kind.custom);
  const { pieces } = page;
  switch (form.as) {
    case "Object": {
      const type = { kind: listKindOf(resource), apiVersion: resource.apiVersion };
      const textOf = (text: string): string => itemText(resource, text);
      return { as: "many", type, head: headText(type, metadata), metadata, member: "items", pieces, textOf, codec: resource.compiled.protobuf };
    }
    case "Table": {
      const type = metaType(form.as, form.version);
      const textOf = (text: string): string => rowText(rendering, decode(text), form.version);
      return { as: "many", type, head: tableHead(rendering, type, metadata, true), metadata, member: "rows", pieces, textOf, codec: undefined };
    }
    default: {
      const type = metaType("PartialObjectMetadataList", form.version);
      const textOf = (text: string): string => JSON.stringify(partial(decode(text), form.version));
      return { as: "many", type, head: headText(type, metadata), metadata, member: "items", pieces, textOf, codec: messages.partialObjectMetadata };
    }
  }
}

/** Throws 406 for the metadata of one object where there is a list; before anything is read. */
export function checkForm({ form, resource }: Rendering, verb: string | undefined): void {
  if (form.as === "PartialObjectMetadata" && (verb === "list" || verb === "deletecollection")) throw notOfForm(resource.kind, form.as);
}

/** There is no table of questions. */
function madeForm({ served }: Resource): Pick<Rendering, "form"> | undefined {
  return served.answer === undefined ? undefined : { form: { as: "Object" } };
}

/** What an outcome is shown as; lists are not touched yet. */
export function shownOutcome(rendering: Rendering, outcome: Outcome): Shown {
  switch (outcome.as) {
    case "object":
      return shownObject(rendering, outcome.result.text);
    case "text":
      return shownObject(rendering, outcome.text);
    case "page":
      return shownPage(rendering, outcome.page);
    case "scale":
      return shownObject({ ...rendering, resource: scalesOf(rendering.resource) }, JSON.stringify(outcome.scale));
    case "made":
      return shownObject({ ...rendering, ...madeForm(outcome.resource), resource: outcome.resource }, JSON.stringify(outcome.object));
    case "plain": {
      const { kind = "", apiVersion = "" } = outcome.body as Partial<TypeMeta>;
      return { as: "one", type: { kind, apiVersion }, text: JSON.stringify(outcome.body), codec: kind === "Status" ? messages.status : undefined };
    }
    default:
      return unreachable(outcome);
  }
}

/** The object of an event; `columns` is true for the first of a watch. */
export function shownEvent(rendering: Rendering, frame: Frame, columns: boolean): ShownObject {
  const { form } = rendering;
  if (form.as === "Object") return { ...shownObject(rendering, frame.text), value: frame.object };
  const object = frame.object();
  if (form.as !== "Table") {
    const type = metaType("PartialObjectMetadata", form.version);
    return { as: "one", type, text: JSON.stringify(partial(object, form.version)), codec: messages.partialObjectMetadata };
  }
  const row = frame.type === "BOOKMARK" ? bookmarkRow(rendering, object, form.version) : rowText(rendering, object, form.version);
  const type = metaType(form.as, form.version);
  const head = tableHead(rendering, type, { resourceVersion: object.metadata.resourceVersion }, columns);
  return { as: "one", type, text: `${head},"rows":[${row}]}`, codec: undefined };
}
