// What the tests of this room share: invented kinds, a server over a store in memory, and short ways to ask it.
import { readFileSync } from "node:fs";
import { SeededRng, silentLogger, SimClock } from "#core";
import { defineKind, s, type Kind, type KubeObject, type UserInfo } from "#schema";
import { MemoryStore } from "#store";
import { createApiServer, served, type ApiRequest, type ApiResponse, type ApiServer, type ApiServerOptions, type ServedKind } from "./index.ts";

const text = { type: "string" } as const;
const object = { type: "object" } as const;

function builtIn(definition: Partial<Kind> & Pick<Kind, "kind" | "plural" | "schema">): Kind {
  return {
    group: "",
    version: "v1",
    singular: definition.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    scope: "Namespaced",
    subresources: {},
    columns: [],
    custom: false,
    hasGeneration: false,
    ...definition,
  };
}

const Space = builtIn({
  kind: "Namespace",
  plural: "namespaces",
  scope: "Cluster",
  subresources: { status: true },
  schema: {
    type: "object",
    properties: {
      spec: { type: "object", properties: { finalizers: { type: "array", items: text } } },
      status: { type: "object", properties: { phase: text } },
    },
  },
});
export const Papers = builtIn({
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  schema: { type: "object", properties: { data: { type: "object", additionalProperties: text, "x-eider-proto": 2 } } },
});
/** Graceful deletion, status, scale and a log. */
export const Gadget = builtIn({
  group: "apps",
  kind: "Gadget",
  plural: "gadgets",
  shortNames: ["gd"],
  categories: ["all"],
  hasGeneration: true,
  statusKeeps: [["metadata", "labels"]],
  subresources: { status: true, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" } },
  selectableFields: { "status.phase": (gadget) => (gadget as { status?: { phase?: string } }).status?.phase ?? "" },
  schema: {
    type: "object",
    properties: {
      spec: {
        type: "object",
        properties: {
          replicas: { type: "integer", format: "int32", default: 1 },
          selector: { type: "object", properties: { matchLabels: { ...object, additionalProperties: text } } },
        },
      },
      status: { type: "object", properties: { phase: text, replicas: { type: "integer" } } },
    },
  },
});
const container = s.object({ name: s.optional(s.string()), image: s.optional(s.string()) });
export const Site = defineKind({
  group: "serving.knative.dev",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["kservice", "ksvc"],
  categories: ["all", "knative", "serving"],
  spec: s.object({
    template: s.optional(s.object({ spec: s.optional(s.object({ containers: s.optional(s.list(container)), containerConcurrency: s.optional(s.int64()) })) })),
  }),
  status: s.object({ url: s.optional(s.string()) }),
  columns: [{ name: "URL", type: "string", path: ".status.url" }],
});

export const admin: UserInfo = { name: "admin", groups: ["system:masters"] };

export interface Fixture {
  readonly server: ApiServer;
  readonly clock: SimClock;
  readonly store: MemoryStore;
}

export const KINDS: readonly ServedKind[] = [
  {
    kind: Space,
    without: ["deletecollection"],
    parts: { finalize: (current, sent) => ({ ...current, ...("spec" in sent ? { spec: sent.spec } : {}) }) },
    holdsDeletion: (space) => ((space as { spec?: { finalizers?: string[] } }).spec?.finalizers ?? []).length > 0,
  },
  { kind: Papers },
  {
    kind: Gadget,
    gracefulDeletion: (_gadget, requested) => requested ?? 30,
    subresources: {
      log: {
        verbs: ["get"],
        kind: { group: "", version: "", kind: "Gadget" },
        handle: async ({ name, query }) => ({
          status: 200,
          headers: { "content-type": "text/plain" },
          body: `log of ${name} ${query.get("tailLines") ?? "all"}\n`,
        }),
      },
    },
  },
  served({ kind: Site }),
];

/** A server with namespace `default`, everything allowed to holders of the token `good`. */
export async function fixture(
  overrides: Partial<ApiServerOptions> = {},
  storeOptions: { startRevision?: number; windowBytesMax?: number } = {},
): Promise<Fixture> {
  const clock = new SimClock();
  const store = new MemoryStore({ clock, ...storeOptions });
  const server = createApiServer({
    kinds: KINDS,
    namespaceKind: Space,
    store,
    clock,
    rng: new SeededRng(7),
    logger: silentLogger,
    version: "v1.34.4+eider.0.1.0",
    authenticate: ({ headers }) => (headers["authorization"] === "Bearer good" ? admin : undefined),
    authorize: () => undefined,
    ...overrides,
  });
  await ask(server, "POST /api/v1/namespaces", { metadata: { name: "default" } });
  return { server, clock, store };
}

export interface Answer {
  readonly status: number;
  readonly headers: ApiResponse["headers"];
  readonly text: string;
  // The body of an answer: what the test expects of it is what it asserts.
  readonly json: Record<string, never> & { metadata: KubeObject["metadata"]; message: string; items: KubeObject[] };
}

function requestOf(line: string, body?: unknown, headers: Record<string, string> = {}): ApiRequest {
  const [method = "", target = ""] = line.split(" ");
  const sent = body === undefined ? {} : { body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body) };
  return { method, target, headers: { authorization: "Bearer good", ...headers }, ...sent };
}

/** Sends `METHOD TARGET` and reads the whole answer. */
export async function ask(server: ApiServer, line: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
  const response = await server.handle(requestOf(line, body, headers));
  let read = "";
  if (typeof response.body === "string") read = response.body;
  else if (response.body instanceof Uint8Array) read = Buffer.from(response.body).toString();
  else for await (const piece of response.body) read += Buffer.from(piece).toString();
  return {
    status: response.status,
    headers: response.headers,
    text: read,
    get json() {
      return JSON.parse(read);
    },
  };
}

export interface Event {
  readonly type: string;
  readonly object: KubeObject & Record<string, unknown>;
}

/** Opens a watch; `next` waits for one more event, undefined once the stream has ended. */
export async function openWatch(
  server: ApiServer,
  target: string,
  headers?: Record<string, string>,
): Promise<{ status: number; next(): Promise<Event | undefined>; close(): Promise<void> }> {
  const stop = new AbortController();
  const response = await server.handle({ ...requestOf(`GET ${target}`, undefined, headers), signal: stop.signal });
  const pieces = (response.body as AsyncIterable<string | Uint8Array>)[Symbol.asyncIterator]();
  const lines: string[] = [];
  return {
    status: response.status,
    async next() {
      while (lines.length === 0) {
        const piece = await pieces.next();
        if (piece.done === true) return undefined;
        lines.push(
          ...Buffer.from(piece.value)
            .toString()
            .split("\n")
            .filter((line) => line !== ""),
        );
      }
      return JSON.parse(lines.shift() ?? "") as Event;
    },
    async close() {
      stop.abort();
      await pieces.return?.();
    },
  };
}

const goldenFolder = new URL("../../test/golden/kubernetes-api/", import.meta.url);

export function goldenText(name: string): string {
  return readFileSync(new URL(name, goldenFolder), "utf8");
}

export function golden(name: string): Record<string, unknown> {
  return JSON.parse(goldenText(name)) as Record<string, unknown>;
}
