// The OpenAPI documents: of version 3 an index with hashes and one document a group and version, of version 2 one of all.
import { createHash } from "node:crypto";
import { openApiV2, openApiV2Protobuf, openApiV3, type Descriptions, type ServedPaths } from "#schema";
import { subresourcesOf, verbsOf, type Discovery } from "./discovery.ts";
import { isBuiltInGroup } from "./discovery-order.ts";
import type { Turns } from "./pause.ts";
import type { Registry, Resource } from "./registry.ts";

/** A document that is made when somebody asks who does not have it yet. */
export interface OpenApiDocument {
  /** Changes with what the document says. */
  readonly hash: string;
  make(): Promise<string | Uint8Array>;
}

export interface OpenApi {
  /** `{"paths":{NAME:{"serverRelativeURL":…}}}` as text. */
  index(): Promise<string>;
  /** The document `api/v1`, `apis/G/V`, `apis/G`, `api`, `apis` or `version`; undefined when there is none. */
  v3(name: string): Promise<OpenApiDocument | undefined>;
  v2(as: "json" | "protobuf"): Promise<OpenApiDocument>;
}

export interface OpenApiOptions {
  readonly version: string;
  readonly descriptions: Descriptions;
  readonly turns: Turns;
}

const upperHex = (hash: ReturnType<typeof createHash>): string => hash.digest("hex").toUpperCase();

function servedPaths(resource: Resource): ServedPaths {
  return { kind: resource.kind, verbs: verbsOf(resource), subresources: subresourcesOf(resource) };
}

/** Documents of paths that only list what lies below them. */
function* pathDocument(name: string, version: string): Generator<string> {
  const answer = { "200": { description: "OK", content: { "application/json": { schema: { type: "object" } } } }, "401": { description: "Unauthorized" } };
  const words = name.split(/[/.-]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  const get = { tags: [name], description: `get what is available at /${name}`, operationId: `get${words.join("")}`, responses: answer };
  yield JSON.stringify({ openapi: "3.0.0", info: { title: "Kubernetes", version }, paths: { [`/${name}/`]: { get } }, components: {} });
}

/** The kinds of each document of a generation; of documents about paths none. */
function groupsOf(registry: Registry, discovery: Discovery): ReadonlyMap<string, readonly Resource[]> {
  const groups = new Map<string, Resource[]>();
  for (const resource of registry.resources) {
    const { group, version } = resource.kind;
    const name = group === "" ? `api/${version}` : `apis/${group}/${version}`;
    groups.set(name, [...(groups.get(name) ?? []), resource]);
  }
  const paths = discovery.paths().map((path) => path.slice(1).replace(/\/$/, ""));
  for (const name of [...paths, "version"]) {
    const group = name.split("/")[1] ?? "";
    if (!groups.has(name) && isBuiltInGroup(group)) groups.set(name, []);
  }
  return new Map([...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

interface Generation {
  readonly number: number;
  readonly groups: ReadonlyMap<string, readonly Resource[]>;
  /** Name → hash; made once, by whoever asks first. */
  readonly hashes: Promise<ReadonlyMap<string, string>>;
}

/** A hash, and what it was made of. */
interface Hashed {
  readonly resources: readonly Resource[];
  readonly hash: string;
}

const isSame = (a: readonly Resource[], b: readonly Resource[]): boolean => a.length === b.length && a.every((resource, index) => resource === b[index]);

/** Documents that are being made: whoever asks meanwhile gets the same one. */
class Making<T> {
  readonly #going = new Map<string, Promise<T>>();

  once(key: string, make: () => Promise<T>): Promise<T> {
    const going = this.#going.get(key) ?? make().finally(() => this.#going.delete(key));
    this.#going.set(key, going);
    return going;
  }
}

/** Only hashes are kept, until the kinds change: documents are large and rarely asked for. */
export function createOpenApi(registry: Registry, discovery: Discovery, { version, descriptions, turns }: OpenApiOptions): OpenApi {
  const info = { version, descriptions };
  const pieces = (name: string, resources: readonly Resource[]): Iterable<string> =>
    resources.length === 0 ? pathDocument(name, version) : openApiV3(resources.map(servedPaths), info);

  /** Walks the pieces of a document, and gives way between them. */
  const walk = async <T>(parts: Iterable<T>, take: (part: T) => void): Promise<void> => {
    for (const part of parts) {
      take(part);
      if (turns.isOver) await turns.next();
    }
  };
  const making = new Making<string | Uint8Array>();
  let last: ReadonlyMap<string, Hashed> = new Map();
  /** A group whose kinds are still the same objects says the same. */
  const hashOf = async (name: string, resources: readonly Resource[]): Promise<string> => {
    const before = last.get(name);
    if (before !== undefined && isSame(before.resources, resources)) return before.hash;
    const hash = createHash("sha512");
    await walk(pieces(name, resources), (part) => hash.update(part));
    return upperHex(hash);
  };
  const hashesOf = async (groups: Generation["groups"]): Promise<ReadonlyMap<string, string>> => {
    const hashes = new Map<string, Hashed>();
    for (const [name, resources] of groups) hashes.set(name, { resources, hash: await hashOf(name, resources) });
    last = hashes;
    return new Map([...hashes].map(([name, { hash }]) => [name, hash]));
  };
  let kept: Generation | undefined;
  const now = (): Generation => {
    if (kept?.number !== registry.generation) {
      const groups = groupsOf(registry, discovery);
      kept = { number: registry.generation, groups, hashes: hashesOf(groups) };
    }
    return kept;
  };
  return {
    async index() {
      const hashes = await now().hashes;
      const paths = Object.fromEntries([...hashes].map(([name, hash]) => [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` }]));
      return JSON.stringify({ paths });
    },
    async v3(name) {
      const { groups, hashes } = now();
      const resources = groups.get(name);
      const hash = (await hashes).get(name);
      if (resources === undefined || hash === undefined) return undefined;
      const make = async (): Promise<string> => {
        const parts: string[] = [];
        await walk(pieces(name, resources), (part) => parts.push(part));
        return parts.join("");
      };
      return { hash, make: () => making.once(`${name} ${hash}`, make) };
    },
    async v2(as) {
      const all = await now().hashes;
      const hash = upperHex(createHash("sha512").update([...all.values()].join(" ")));
      const served = registry.resources.map(servedPaths);
      const make = async (): Promise<string | Uint8Array> => {
        if (as === "json") {
          const texts: string[] = [];
          await walk(openApiV2(served, info), (part) => texts.push(part));
          return texts.join("");
        }
        const parts: Uint8Array[] = [];
        await walk(openApiV2Protobuf(served, info), (part) => parts.push(part));
        return Buffer.concat(parts);
      };
      return { hash, make: () => making.once(`${as} ${hash}`, make) };
    },
  };
}
