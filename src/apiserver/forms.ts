// How objects, lists and events are written for a client: as they are, as tables, or as metadata only.
import { badRequest, statusOf, unreachable, type Logger } from "#core";
import type { KubeObject } from "#schema";
import type { Frame } from "./frames.ts";
import { decode, itemText } from "./keys.ts";
import type { Form } from "./negotiate.ts";
import type { Outcome } from "./operations.ts";
import type { Turns } from "./pause.ts";
import { listMeta, type Page } from "./read.ts";
import { listKindOf, type Resource } from "./registry.ts";
import { asStatusError } from "./responses.ts";
import { scalesOf } from "./scale.ts";

/** What a table's rows carry beside their cells. */
export type IncludeObject = "None" | "Metadata" | "Object";

export interface Rendering {
  readonly resource: Resource;
  readonly form: Form;
  readonly includeObject: IncludeObject;
  /** Wall-clock time for ages. */
  readonly nowMs: number;
  readonly turns: Turns;
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
  return JSON.stringify({ cells: resource.table.cells(object, nowMs), object: shown });
}

/** `columns` is false for all events of a watch but the first. */
function tableText(rendering: Rendering, rows: readonly string[], metadata: object, { version, columns }: { version: string; columns: boolean }): string {
  const definitions = columns ? JSON.stringify(rendering.resource.table.columns) : "null";
  const head = `{"kind":"Table","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)}`;
  return `${head},"columnDefinitions":${definitions},"rows":[${rows.join(",")}]}`;
}

function objectText(rendering: Rendering, text: string): string {
  const { form } = rendering;
  if (form.as === "Object") return text;
  const object = decode(text);
  if (form.as !== "Table") return JSON.stringify(partial(object, form.version));
  const { resourceVersion } = object.metadata;
  return tableText(rendering, [rowText(rendering, object, form.version)], { resourceVersion }, { version: form.version, columns: true });
}

/** Lists longer than this are sent in pieces of about this length. */
const PIECE_LENGTH = 256 << 10;

/** How a list in a form begins, and how its members are written. */
function listForm(rendering: Rendering, page: Page): { readonly head: string; readonly show: (text: string) => string } {
  const { resource, form } = rendering;
  const metadata = JSON.stringify(listMeta(page));
  if (form.as === "Object") {
    const head = `{"kind":${JSON.stringify(listKindOf(resource))},"apiVersion":${JSON.stringify(resource.apiVersion)},"metadata":${metadata},"items":[`;
    return { head, show: (text) => itemText(resource, text) };
  }
  const apiVersion = `"apiVersion":"meta.k8s.io/${form.version}"`;
  if (form.as === "Table") {
    const head = `{"kind":"Table",${apiVersion},"metadata":${metadata},"columnDefinitions":${JSON.stringify(resource.table.columns)},"rows":[`;
    return { head, show: (text) => rowText(rendering, decode(text), form.version) };
  }
  return {
    head: `{"kind":"PartialObjectMetadataList",${apiVersion},"metadata":${metadata},"items":[`,
    show: (text) => JSON.stringify(partial(decode(text), form.version)),
  };
}

async function* pageText(rendering: Rendering, page: Page): AsyncGenerator<string, void, void> {
  const { head, show } = listForm(rendering, page);
  let text = head;
  let comma = "";
  for await (const texts of page.pieces) {
    for (const one of texts) {
      if (rendering.turns.isOver) await rendering.turns.next();
      text += comma + show(one);
      comma = ",";
      if (text.length < PIECE_LENGTH) continue;
      yield text;
      text = "";
    }
  }
  yield `${text}]}`;
}

/** Pieces that are there already, then the others; a reader who gives up at any time ends the source. */
function oneAfterAnother(first: string[], rest: AsyncGenerator<string, void, void>): ClosableBody {
  const body = {
    [Symbol.asyncIterator]: () => body,
    next: (): Promise<IteratorResult<string, void>> => {
      const value = first.shift();
      return value === undefined ? rest.next() : Promise.resolve({ done: false, value });
    },
    return: () => rest.return(),
  };
  return body;
}

/** A body in pieces; closing it lets go of what it comes from, also when nobody has read it. */
export interface ClosableBody extends AsyncIterable<string> {
  return(): Promise<unknown>;
}

/** A short list is one text, a long one comes in pieces. */
async function pageBody(rendering: Rendering, page: Page): Promise<string | ClosableBody> {
  const texts = pageText(rendering, page);
  const first = await texts.next();
  const second = await texts.next();
  if (first.done === true) return "";
  return second.done === true ? first.value : oneAfterAnother([first.value, second.value], texts);
}

/** The body of an answer. Lists are put together from stored texts; only other forms parse them. */
export async function renderOutcome(rendering: Rendering, outcome: Outcome): Promise<string | ClosableBody> {
  switch (outcome.as) {
    case "object":
      return objectText(rendering, outcome.result.text);
    case "text":
      return objectText(rendering, outcome.text);
    case "page":
      return pageBody(rendering, outcome.page);
    case "scale":
      return objectText({ ...rendering, resource: scalesOf(rendering.resource) }, JSON.stringify(outcome.scale));
    case "plain":
      return JSON.stringify(outcome.body);
    default:
      return unreachable(outcome);
  }
}

function eventText(rendering: Rendering, frame: Frame, columns: boolean): string {
  const { form } = rendering;
  if (form.as === "Object") return frame.text;
  const object = frame.object();
  if (form.as !== "Table") return JSON.stringify(partial(object, form.version));
  const rows = [frame.type === "BOOKMARK" ? bookmarkRow(rendering, object, form.version) : rowText(rendering, object, form.version)];
  return tableText(rendering, rows, { resourceVersion: object.metadata.resourceVersion }, { version: form.version, columns });
}

/** One line of a watch. What shows no times of its own is encoded once for all watchers who want it in the same form. */
function lineOf(rendering: Rendering, frame: Frame, columns: boolean): Uint8Array {
  const { form } = rendering;
  const make = (): Uint8Array => Buffer.from(`{"type":"${frame.type}","object":${eventText(rendering, frame, columns)}}\n`);
  if (form.as === "Table") return make();
  const name = form.as === "Object" ? form.as : `${form.as} ${form.version}`;
  const line = frame.encoded.get(name) ?? make();
  frame.encoded.set(name, line);
  return line;
}

/** The lines of a watch. A failure after the status line was sent becomes an ERROR event, as in Kubernetes. */
export async function* watchBody(
  rendering: Rendering,
  frames: AsyncIterable<readonly Frame[]>,
  tools: { readonly logger: Logger; readonly clock: { wallMs(): number } },
): AsyncGenerator<Uint8Array, void, void> {
  let columns = true;
  try {
    for await (const batch of frames) {
      const now = { ...rendering, nowMs: tools.clock.wallMs() };
      const lines = batch.map((frame, index) => lineOf(now, frame, columns && index === 0));
      columns = false;
      yield lines.length === 1 ? (lines[0] as Uint8Array) : Buffer.concat(lines);
    }
  } catch (error) {
    yield Buffer.from(`{"type":"ERROR","object":${JSON.stringify(statusOf(asStatusError(error, tools.logger)))}}\n`);
  }
}
