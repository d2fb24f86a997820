// From what is shown to the bytes of an answer: JSON, JSON for people, YAML or protobuf; lists piece by piece.
import { statusOf, type StatusError } from "#core";
import { envelope, messages } from "#schema";
import { stringify } from "yaml";
import { JSON_TYPE, PROTOBUF, YAML } from "./body.ts";
import { onlyAccepted } from "./errors.ts";
import type { Shown, ShownList, ShownObject } from "./forms.ts";
import type { Encoding } from "./negotiate.ts";
import type { Turns } from "./pause.ts";

/** As Go writes YAML: members in order of their names, lists as far in as their names. */
function yamlOf(value: unknown): string {
  return stringify(value, { version: "1.1", sortMapEntries: true, indentSeq: false, aliasDuplicateObjects: false, blockQuote: "literal" });
}

const INDENT = 2;

function prettyOf(value: unknown): string {
  return JSON.stringify(value, undefined, INDENT);
}

function indented(text: string, by: number): string {
  return text.replaceAll(/\n(?=[^\n])/g, `\n${" ".repeat(by)}`);
}

/** What stands around and between the members of a list. */
interface ListFormat {
  readonly before: string;
  readonly item: (stored: string, isFirst: boolean) => string;
  readonly after: (isEmpty: boolean) => string;
}

function prettyList({ head, member, textOf }: ShownList): ListFormat {
  // The head without its end is one member short of an object.
  const start = prettyOf(JSON.parse(`${head}}`)).slice(0, -"\n}".length);
  return {
    before: `${start},\n  "${member}": [`,
    item: (stored, isFirst) => `${isFirst ? "" : ","}\n    ${indented(prettyOf(JSON.parse(textOf(stored))), 2 * INDENT)}`,
    after: (isEmpty) => (isEmpty ? "]\n}" : "\n  ]\n}"),
  };
}

function yamlList({ head, member, textOf }: ShownList): ListFormat {
  const members = Object.entries(JSON.parse(`${head}}`) as object).sort(([a], [b]) => (a < b ? -1 : 1));
  const written = (wanted: (name: string) => boolean): string =>
    members
      .filter(([name]) => wanted(name))
      .map(([name, value]) => yamlOf({ [name]: value }))
      .join("");
  return {
    before: `${written((name) => name < member)}${member}:`,
    item: (stored, isFirst) => `${isFirst ? "\n" : ""}- ${indented(yamlOf(JSON.parse(textOf(stored))), INDENT)}`,
    after: (isEmpty) => (isEmpty ? " []\n" : "") + written((name) => name > member),
  };
}

function jsonList({ type, head, member, textOf }: ShownList): ListFormat {
  // Go has no list where nothing was put into one; lists of objects and rows are made before they are filled.
  if (type.kind === "PartialObjectMetadataList") {
    const before = `${head},"${member}":`;
    return { before, item: (stored, isFirst) => (isFirst ? "[" : ",") + textOf(stored), after: (isEmpty) => (isEmpty ? "null}\n" : "]}\n") };
  }
  return { before: `${head},"${member}":[`, item: (stored, isFirst) => (isFirst ? "" : ",") + textOf(stored), after: () => "]}\n" };
}

/** Lists longer than this are sent in pieces of about this length. */
const PIECE_LENGTH = 256 << 10;

async function* listPieces({ pieces }: ShownList, { before, item, after }: ListFormat, turns: Turns): AsyncGenerator<string, void, void> {
  let text = before;
  let isEmpty = true;
  for await (const texts of pieces) {
    for (const stored of texts) {
      if (turns.isOver) await turns.next();
      text += item(stored, isEmpty);
      isEmpty = false;
      if (text.length < PIECE_LENGTH) continue;
      yield text;
      text = "";
    }
  }
  yield text + after(isEmpty);
}

/** A body in pieces; closing it lets go of what it comes from, also when nobody has read it. */
export interface ClosableBody extends AsyncIterable<string> {
  return(): Promise<unknown>;
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

/** A short list is one text, a long one comes in pieces. */
async function textOfList(shown: ShownList, format: ListFormat, turns: Turns): Promise<string | Uint8Array | ClosableBody> {
  const texts = listPieces(shown, format, turns);
  const first = await texts.next();
  const second = await texts.next();
  if (first.done === true) return "";
  return second.done === true ? first.value : oneAfterAnother([first.value, second.value], texts);
}

const FIELD_OF_METADATA = 1;
const FIELD_OF_ITEMS = 2;

/** The envelope tells the length of what is in it: the whole list is encoded before its first byte goes out. */
async function protobufOfList({ type, metadata, pieces, codec }: ShownList, turns: Turns): Promise<Uint8Array> {
  if (codec === undefined) throw onlyAccepted([JSON_TYPE, YAML]);
  const message = [messages.listMeta.encodeField(FIELD_OF_METADATA, metadata)];
  for await (const texts of pieces) {
    for (const stored of texts) {
      if (turns.isOver) await turns.next();
      message.push(codec.encodeField(FIELD_OF_ITEMS, JSON.parse(stored)));
    }
  }
  return envelope(type, message);
}

function encodedList(shown: ShownList, { type, pretty }: Encoding, turns: Turns): Promise<string | Uint8Array | ClosableBody> {
  if (type === PROTOBUF) return protobufOfList(shown, turns);
  return textOfList(shown, (type === YAML ? yamlList : pretty ? prettyList : jsonList)(shown), turns);
}

/** One document. */
export function encodedOne({ type, text, value, codec }: ShownObject, encoding: Encoding): string | Uint8Array {
  if (encoding.type === PROTOBUF) {
    if (codec === undefined) throw onlyAccepted([JSON_TYPE, YAML]);
    return envelope(type, [codec.encode(value?.() ?? JSON.parse(text))]);
  }
  if (encoding.type === YAML) return yamlOf(JSON.parse(text));
  return encoding.pretty ? prettyOf(JSON.parse(text)) : `${text}\n`;
}

/** The body of an answer. Throws 406 for protobuf of what has none. */
export async function encoded(shown: Shown, encoding: Encoding, turns: Turns): Promise<string | Uint8Array | ClosableBody> {
  return shown.as === "many" ? encodedList(shown, encoding, turns) : encodedOne(shown, encoding);
}

export function encodedStatus(error: StatusError, encoding: Encoding): string | Uint8Array {
  const body = statusOf(error);
  return encodedOne({ as: "one", type: body, text: JSON.stringify(body), codec: messages.status }, encoding);
}
