// How objects, lists and events are written for a client: as they are, as tables, or as metadata only.
import { badRequest, statusOf, unreachable, type Logger } from "#core";
import type { KubeObject } from "#schema";
import { decode, itemText } from "./keys.ts";
import type { Form } from "./negotiate.ts";
import type { Outcome } from "./operations.ts";
import { nextTurn, PIECE } from "./pause.ts";
import { listMeta, type Page } from "./read.ts";
import { listKindOf, type Resource } from "./registry.ts";
import { asStatusError } from "./responses.ts";
import type { Frame } from "./watch.ts";

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

async function mapTexts(texts: readonly string[], show: (text: string) => string): Promise<readonly string[]> {
  const shown: string[] = [];
  for (const text of texts) {
    shown.push(show(text));
    if (shown.length % PIECE === 0) await nextTurn();
  }
  return shown;
}

async function pageText(rendering: Rendering, page: Page): Promise<string> {
  const { resource, form } = rendering;
  const metadata = listMeta(page);
  if (form.as === "Table") {
    const rows = await mapTexts(page.texts, (text) => rowText(rendering, decode(text), form.version));
    return tableText(rendering, rows, metadata, { version: form.version, columns: true });
  }
  if (form.as === "Object") {
    const items = await mapTexts(page.texts, (text) => itemText(resource, text));
    const kind = JSON.stringify(listKindOf(resource));
    return `{"kind":${kind},"apiVersion":${JSON.stringify(resource.apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[${items.join(",")}]}`;
  }
  const items = await mapTexts(page.texts, (text) => JSON.stringify(partial(decode(text), form.version)));
  const head = `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${form.version}","metadata":${JSON.stringify(metadata)}`;
  return `${head},"items":[${items.join(",")}]}`;
}

/** The body of an answer. Lists are put together from stored texts; only other forms parse them. */
export async function renderOutcome(rendering: Rendering, outcome: Outcome): Promise<string> {
  switch (outcome.as) {
    case "object":
      return objectText(rendering, outcome.result.text);
    case "text":
      return objectText(rendering, outcome.text);
    case "page":
      return pageText(rendering, outcome.page);
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

/** The lines of a watch. A failure after the status line was sent becomes an ERROR event, as in Kubernetes. */
export async function* watchBody(
  rendering: Rendering,
  frames: AsyncIterable<readonly Frame[]>,
  tools: { readonly logger: Logger; readonly clock: { wallMs(): number } },
): AsyncGenerator<string, void, void> {
  let columns = true;
  try {
    for await (const batch of frames) {
      const now = { ...rendering, nowMs: tools.clock.wallMs() };
      let text = "";
      for (const frame of batch) {
        text += `{"type":"${frame.type}","object":${eventText(now, frame, columns)}}\n`;
        columns = false;
      }
      yield text;
      await nextTurn();
    }
  } catch (error) {
    yield `{"type":"ERROR","object":${JSON.stringify(statusOf(asStatusError(error, tools.logger)))}}\n`;
  }
}
