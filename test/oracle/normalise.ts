// What varies from run to run is replaced by what it stands for. This list is all that is not compared as it is.
import { parse } from "yaml";
import { ConfigMap, CoreService, Deployment, Event, Lease, Namespace, Pod, Secret, ServiceAccount } from "#kinds";
import { apiVersionOf, compileKind, messages, openEnvelope, protobufCodec, type Kind, type ProtobufCodec } from "#schema";
import type { Raw } from "./replay.ts";

const KINDS = [ConfigMap, CoreService, Deployment, Event, Lease, Namespace, Pod, Secret, ServiceAccount] as readonly unknown[] as readonly Kind[];

/** An answer in the form in which both servers' are compared and the real one's are recorded. */
export interface Normal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** JSON, or text when it is none. */
  readonly body?: unknown;
  readonly events?: readonly unknown[];
  /** The server ended the stream. */
  readonly ended?: true;
}

/** The headers that clients act on; of an ETag only whether there is one. */
const HEADERS = ["content-type", "content-encoding", "warning", "retry-after", "location", "allow", "cache-control", "www-authenticate", "etag"];

type Json = Record<string, unknown>;
const isRecord = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** The codecs of what is asked for as protobuf in the corpus; lists are told by their items' kinds. */
const CODECS: ReadonlyMap<string, ProtobufCodec | undefined> = new Map([
  ...KINDS.map((kind) => [`${apiVersionOf(kind)} ${kind.kind}`, compileKind(kind).protobuf] as const),
  ["v1 Status", messages.status],
  ["meta.k8s.io/v1 PartialObjectMetadata", messages.partialObjectMetadata],
]);

const list = protobufCodec({
  type: "object",
  properties: {
    metadata: { type: "object", properties: { resourceVersion: { type: "string", "x-eider-proto": 2 } }, "x-eider-proto": 1 },
    items: { type: "array", items: { type: "string", format: "byte" }, "x-eider-proto": 2 },
  },
});

const watchEvent = protobufCodec({
  type: "object",
  properties: {
    type: { type: "string", "x-eider-proto": 1 },
    object: { type: "object", properties: { raw: { type: "string", format: "byte", "x-eider-proto": 1 } }, "x-eider-proto": 2 },
  },
});

/** What the bytes say, zero values included: both servers have to write the same ones. */
function fromProtobuf(bytes: Uint8Array): unknown {
  if (Buffer.from(bytes.subarray(0, 3)).toString() !== "k8s") {
    const { type, object } = watchEvent.decode(bytes) as { type: string; object: { raw: string } };
    return { type, object: fromProtobuf(Buffer.from(object.raw, "base64")) };
  }
  const { type, message } = openEnvelope(bytes);
  const codec = CODECS.get(`${type.apiVersion} ${type.kind}`);
  if (codec !== undefined) return { ...type, ...codec.decode(message) };
  const items = CODECS.get(`${type.apiVersion} ${type.kind.replace(/List$/, "")}`);
  if (items === undefined) return { ...type, protobufBytes: bytes.length };
  const decodedList = list.decode(message) as { items?: string[] };
  return { ...type, ...decodedList, items: (decodedList.items ?? []).map((item) => items.decode(Buffer.from(item, "base64"))) };
}

/** Bodies that are neither JSON nor text, by media type: one that knows the encoding adds itself here. */
const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  "application/vnd.kubernetes.protobuf": fromProtobuf,
  "application/yaml": (bytes) => parse(Buffer.from(bytes).toString()) as unknown,
};

function decoded(bytes: Uint8Array, contentType: string): unknown {
  const decoder = DECODERS[contentType.split(";", 1)[0] ?? ""];
  if (decoder !== undefined) return decoder(bytes);
  const text = Buffer.from(bytes).toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What a scenario's answers say that has to be known before they are rewritten. */
interface Known {
  /** Revisions at which objects of the scenario were written, in order. */
  readonly revisions: readonly number[];
  /** Generated names, by what they are called instead. */
  readonly generated: ReadonlyMap<string, string>;
}

function* objectsIn(value: unknown): Generator<Json> {
  if (Array.isArray(value)) for (const item of value) yield* objectsIn(item);
  else if (isRecord(value)) {
    if (isRecord(value["metadata"])) yield value;
    for (const key of Object.keys(value).sort()) yield* objectsIn(value[key]);
  }
}

function knownOf(answers: readonly unknown[]): Known {
  const revisions = new Set<number>();
  const generated = new Map<string, string>();
  for (const object of objectsIn(answers)) {
    const { uid, resourceVersion, generateName, name } = object["metadata"] as Json;
    if (typeof uid === "string" && typeof resourceVersion === "string") revisions.add(Number(resourceVersion));
    if (typeof generateName !== "string" || typeof name !== "string" || generateName === "" || generated.has(name)) continue;
    const suffix = name.slice(generateName.length);
    if (name.startsWith(generateName) && /^[a-z0-9]{5}$/.test(suffix)) generated.set(name, `${generateName}<generated:${generated.size + 1}>`);
  }
  return { revisions: [...revisions].sort((a, b) => a - b), generated };
}

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const AGE = /^(?:\d+[smhdy]){1,2}$/;

/** The masks of one scenario's answers, each with its reason. */
class Masks {
  readonly #known: Known;
  readonly #namespace: string;
  readonly #uids = new Map<string, string>();

  constructor(known: Known, namespace: string) {
    this.#known = known;
    this.#namespace = namespace;
  }

  /** Revisions keep their order and equality; in between lie writes of nobody's scenario, so that one counts as the last known before it. */
  #revision(text: string): string {
    if (!/^[1-9]\d*$/.test(text)) return text;
    const count = this.#known.revisions.filter((revision) => revision <= Number(text)).length;
    return `<rv:${count}>`;
  }

  text(text: string): string {
    // Times are those of the run; their form stays to be compared.
    if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return "<time>";
    if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text)) return "<microtime>";
    let result = text.replaceAll(this.#namespace, "$ns");
    // Uids are chance; equal ones stay equal.
    result = result.replaceAll(UUID, (uid) => this.#uids.get(uid) ?? this.#numbered(uid));
    // What is appended to a generateName is chance, too.
    for (const [name, instead] of this.#known.generated) result = result.replaceAll(name, instead);
    // Cluster IPs are drawn from the range.
    result = result.replaceAll(/\b10\.96\.\d+\.\d+\b/g, "<clusterIP>");
    // Messages that quote a whole object, and those that tell revisions.
    result = result.replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "<time>");
    result = result.replaceAll(/(resourceVersion\\*":\\*")(\d+)/g, (_, before: string, rv: string) => `${before}${this.#revision(rv)}`);
    result = result.replaceAll(/(resource version: \d+ )\(\d+\)/g, "$1(<rv>)").replaceAll(/(resource version: \d+, current: )\d+/g, "$1<rv>");
    return result.replaceAll(
      /(ResourceVersion in (?:the precondition|record) )\((\d+)\)/g,
      (_, before: string, rv: string) => `${before}(${this.#revision(rv)})`,
    );
  }

  #numbered(uid: string): string {
    const name = `<uid:${this.#uids.size + 1}>`;
    this.#uids.set(uid, name);
    return name;
  }

  member(key: string, value: unknown): unknown {
    if (key === "resourceVersion" && typeof value === "string") return this.#revision(value);
    // Tokens are opaque to clients.
    if (key === "continue" && typeof value === "string" && value !== "") return "<continue>";
    // Ports of nodes are drawn from their range.
    if ((key === "nodePort" || key === "healthCheckNodePort") && typeof value === "number" && value >= 30_000 && value <= 32_767) return "<nodePort>";
    // Columns of built-in kinds are described in each project's own prose; those of definitions say what the definition says.
    if (key === "columnDefinitions" && Array.isArray(value)) return value.map((column) => this.#column(column as Json));
    // The address under which the server was asked.
    if (key === "serverAddress") return "<address>";
    return this.value(value);
  }

  value(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (!isRecord(value)) return value;
    const table = value["kind"] === "Table" && Array.isArray(value["rows"]);
    const members = Object.keys(value)
      .sort()
      .map((key) => [this.text(key), table && key === "rows" ? this.#rows(value[key]) : this.member(key, value[key])]);
    return Object.fromEntries(members) as Json;
  }

  #column({ description, ...rest }: Json): unknown {
    const told = typeof description === "string" && description.startsWith("Custom resource definition column");
    return { ...(this.value(rest) as Json), description: told ? description : "<description>" };
  }

  #rows(rows: unknown): unknown {
    return (rows as Json[]).map((row) => ({ ...(this.value(row) as Json), cells: (row["cells"] as unknown[]).map((cell) => this.#cell(cell)) }));
  }

  /** Ages depend on how fast the run is, and ports of nodes are chance in tables, too. */
  #cell(cell: unknown): unknown {
    if (typeof cell !== "string") return cell;
    if (AGE.test(cell)) return "<age>";
    return this.text(cell).replaceAll(/(\d+):3[0-2]\d{3}\//g, "$1:<nodePort>/");
  }

  headers(headers: Raw["headers"]): NonNullable<Normal["headers"]> {
    const kept = HEADERS.flatMap((name) => {
      const value = headers[name];
      if (value === undefined) return [];
      if (name === "etag") return [[name, "<etag>"]];
      const texts = (typeof value === "string" ? [value] : value).map((one) => this.text(one));
      return [[name, texts.length === 1 ? texts[0] : texts]];
    });
    return Object.fromEntries(kept) as Record<string, string>;
  }
}

/** A scenario's answers in the form in which they are compared. */
export function normalised(raws: readonly Raw[], namespace: string): readonly Normal[] {
  const contentType = ({ headers }: Raw): string => String(headers["content-type"] ?? "");
  let streamType = "";
  const read = raws.map((raw) => {
    streamType = contentType(raw) || streamType;
    return {
      raw,
      body: raw.body === undefined || raw.body.length === 0 ? undefined : decoded(raw.body, contentType(raw)),
      events: raw.frames?.map((frame) => decoded(frame, streamType)),
    };
  });
  const masks = new Masks(knownOf(read.flatMap(({ body, events }) => [body, ...(events ?? [])])), namespace);
  return read.map(({ raw, body, events }) => ({
    status: raw.status,
    headers: masks.headers(raw.headers),
    ...(body === undefined ? {} : { body: masks.value(body) }),
    ...(events === undefined ? {} : { events: events.map((event) => masks.value(event)) }),
    ...(raw.ended === true ? { ended: true as const } : {}),
  }));
}
