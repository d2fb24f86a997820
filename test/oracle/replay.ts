// Replays one scenario on one server, step by step; what comes back is kept as it came.
import { EventEmitter, once } from "node:events";
import { PATCH_TYPES, type Scenario, type Step, type Until } from "./corpus.ts";
import { TOKENS, type Answering, type Server } from "./server.ts";

/** An answer as bytes; a stream as its frames. */
export interface Raw {
  readonly status: number;
  readonly headers: Answering["headers"];
  readonly body?: Uint8Array;
  readonly frames?: readonly Uint8Array[];
  /** Whether the server ended the stream. */
  readonly ended?: boolean;
}

const ACCEPT: Readonly<Record<string, string>> = {
  json: "application/json",
  table: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
  partial: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json",
  partiallist: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
  protobuf: "application/vnd.kubernetes.protobuf,application/json",
  yaml: "application/yaml",
};
/** Managers of fields are called after it. */
const USER_AGENT = "oracle/1.0";
const TRIES_MAX = 100;
const NEWLINE = 10;

export type Variables = Record<string, string>;

function substituted(text: string, variables: Variables): string {
  return text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, plain?: string) => variables[braced ?? plain ?? ""] ?? whole);
}

/** The value at a dotted path; numbers choose from lists, and keys with dots are written in brackets: `data[a.b]`. */
export function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const [, key, bracketed] of path.matchAll(/([^.[\]]+)|\[([^\]]+)\]/g)) at = (at as Record<string, unknown> | undefined | null)?.[key ?? bracketed ?? ""];
  return at;
}

function bodyOf(step: Step, variables: Variables): Uint8Array | undefined {
  if (step.bodyBase64 !== undefined) {
    const text = Buffer.from(step.bodyBase64, "base64").toString("latin1");
    return Buffer.from(text.replaceAll("NAMESPAC", variables["ns"] ?? ""), "latin1");
  }
  if (step.body === undefined) return undefined;
  return Buffer.from(substituted(typeof step.body === "string" ? step.body : JSON.stringify(step.body), variables));
}

function headersFor(step: Step, variables: Variables): Record<string, string> {
  const user = step.as ?? "admin";
  const typed = step.patch === undefined ? (step.body === undefined ? undefined : "application/json") : PATCH_TYPES[step.patch];
  const given = Object.fromEntries(Object.entries(step.headers ?? {}).map(([name, value]) => [name.toLowerCase(), substituted(value, variables)]));
  return {
    accept: ACCEPT[step.accept ?? "json"] ?? step.accept ?? "",
    "user-agent": USER_AGENT,
    ...(typed === undefined ? {} : { "content-type": typed }),
    ...(user === "anonymous" ? {} : { authorization: `Bearer ${TOKENS[user] ?? user}` }),
    ...given,
  };
}

/** Reads a stream into frames: lines of JSON, or pieces with a length in front. */
class Stream {
  readonly frames: Uint8Array[] = [];
  readonly head: Answering;
  readonly #stop: AbortController;
  readonly #changes = new EventEmitter();
  readonly #reading: Promise<void>;
  #rest: Buffer = Buffer.alloc(0);
  #taken = 0;
  #ended = false;

  constructor(head: Answering, stop: AbortController) {
    this.head = head;
    this.#stop = stop;
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const framed = String(this.head.headers["content-type"] ?? "").includes("protobuf");
    for await (const chunk of this.head.chunks) {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      for (let frame = this.#cut(framed); frame !== undefined; frame = this.#cut(framed)) this.frames.push(frame);
      this.#changes.emit("change");
    }
    if (this.#rest.length > 0) this.frames.push(this.#rest);
    this.#ended = true;
    this.#changes.emit("change");
  }

  #cut(framed: boolean): Uint8Array | undefined {
    const end = framed ? (this.#rest.length < 4 ? -1 : 4 + this.#rest.readUInt32BE(0)) : this.#rest.indexOf(NEWLINE) + 1;
    if (end <= 0 || end > this.#rest.length) return undefined;
    const frame = this.#rest.subarray(framed ? 4 : 0, framed ? end : end - 1);
    this.#rest = this.#rest.subarray(end);
    return frame;
  }

  /** The frames that nobody has taken yet, up to so many or to the end. */
  async take(until: Until): Promise<Pick<Raw, "frames" | "ended">> {
    const wanted = until === "end" ? Number.POSITIVE_INFINITY : this.#taken + until;
    while (!this.#ended && this.frames.length < wanted) await once(this.#changes, "change");
    const frames = this.frames.slice(this.#taken, wanted);
    this.#taken += frames.length;
    return { frames, ended: this.#ended };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#reading.catch(() => {});
  }
}

/** One scenario under way. */
class Replay {
  readonly #server: Server;
  readonly #streams = new Map<string, Stream>();
  readonly variables: Variables;

  constructor(server: Server, namespace: string) {
    this.#server = server;
    this.variables = { ns: namespace };
  }

  async ask(step: Step): Promise<Raw> {
    const [method = "", target = ""] = substituted(step.request ?? "", this.variables).split(" ");
    const stop = new AbortController();
    const body = bodyOf(step, this.variables);
    const asked = { method, target, headers: headersFor(step, this.variables), ...(body === undefined ? {} : { body }) };
    const head = await this.#server.patiently(this.#server.ask(asked, stop.signal), `the answer to ${step.request}`);
    const { status, headers } = head;
    const streams = (step.watch !== undefined || step.open !== undefined) && status === 200;
    if (!streams) return { status, headers, body: await this.#server.patiently(wholeBody(head), `the body of ${step.request}`) };
    const stream = new Stream(head, stop);
    if (step.open !== undefined) {
      this.#streams.set(step.open, stream);
      return { status, headers };
    }
    try {
      return { status, headers, ...(await this.#server.patiently(stream.take(step.watch ?? 0), `an event of ${step.request}`)) };
    } finally {
      await stream.close();
    }
  }

  async read(step: Step): Promise<Raw> {
    const stream = this.#streams.get(step.read ?? "");
    if (stream === undefined) throw new Error(`no watch is open under the name ${step.read}`);
    const taken = await this.#server.patiently(stream.take(step.watch ?? 1), `an event of ${step.read}`);
    return { status: stream.head.status, headers: {}, ...taken };
  }

  /** Again while the server is still getting ready for a new kind, and until the answer is as the step wants it. */
  async insist(step: Step): Promise<Raw> {
    for (let tries = 1; ; tries++) {
      const raw = await this.ask(step);
      if (tries === TRIES_MAX || (!isInitializing(raw) && holds(step, raw))) return raw;
      await this.#server.pause();
    }
  }

  async close(): Promise<void> {
    for (const stream of this.#streams.values()) await stream.close();
  }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value));

async function wholeBody({ chunks }: Answering): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

export function jsonOf(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(bytes ?? []).toString());
  } catch {
    return undefined;
  }
}

/** A kube-apiserver refuses requests for a kind whose definition it has just got; clients ask again. */
function isInitializing({ status, body }: Raw): boolean {
  return status === 429 && Buffer.from(body ?? []).includes("storage is (re)initializing");
}

function holds({ until }: Step, raw: Raw): boolean {
  if (until?.status !== undefined && raw.status !== until.status) return false;
  const json = jsonOf(raw.body);
  return Object.entries(until?.body ?? {}).every(([path, value]) => JSON.stringify(valueAt(json, path)) === JSON.stringify(value));
}

/** Takes all steps in a namespace of their own, or in `default` as it is. Throws when a step cannot be taken at all. */
export async function replay(scenario: Pick<Scenario, "name" | "steps">, server: Server, namespace: string): Promise<readonly Raw[]> {
  const run = new Replay(server, namespace);
  const raws: Raw[] = [];
  try {
    if (namespace !== "default") await setUp(run);
    for (const step of scenario.steps) {
      if (step.compact === true) {
        await server.compact();
        raws.push({ status: 0, headers: {} });
        continue;
      }
      const raw = step.request === undefined ? await run.read(step) : await run.insist(step);
      raws.push(raw);
      const json = jsonOf(raw.body ?? raw.frames?.at(-1));
      for (const [name, path] of Object.entries(step.save ?? {})) run.variables[name] = textOf(valueAt(json, path));
    }
    return raws;
  } catch (error) {
    throw new Error(`step ${raws.length} of ${scenario.name} on ${server.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    await run.close();
  }
}

/** The scenario's namespace, with the ServiceAccount that a controller would make in it; tokens in pods are no part of the protocol. */
async function setUp(run: Replay): Promise<void> {
  for (const step of [
    { request: "POST /api/v1/namespaces", body: { metadata: { name: "$ns" } } },
    { request: "POST /api/v1/namespaces/$ns/serviceaccounts", body: { metadata: { name: "default" }, automountServiceAccountToken: false } },
  ]) {
    const { status, body } = await run.ask(step);
    if (status !== 201) throw new Error(`${step.request} was answered ${status}: ${Buffer.from(body ?? []).toString()}`);
  }
}
