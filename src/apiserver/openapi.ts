// The OpenAPI v3 documents: an index with hashes, and one document a group and version, made when somebody asks.
import { createHash } from "node:crypto";
import { openApiDocument, type Kind } from "#schema";
import type { Registry } from "./registry.ts";

export interface OpenApi {
  /** `{ paths: { NAME: { serverRelativeURL } } }`; the hash in the address changes with the kinds. */
  index(): object;
  /** The document of `api/v1` or `apis/G/V` as JSON text; undefined when there is none. */
  document(name: string): string | undefined;
}

function groupsOf(registry: Registry): ReadonlyMap<string, readonly Kind[]> {
  const groups = new Map<string, Kind[]>();
  for (const { kind } of registry.resources) {
    const name = kind.group === "" ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
    groups.set(name, [...(groups.get(name) ?? []), kind]);
  }
  return groups;
}

/** Only the index is kept, until the kinds change: documents are large and rarely asked for. */
export function createOpenApi(registry: Registry, version: string): OpenApi {
  let kept: { readonly generation: number; readonly index: object } | undefined;
  const document = (name: string): string | undefined => {
    const kinds = groupsOf(registry).get(name);
    return kinds === undefined ? undefined : JSON.stringify(openApiDocument(kinds, version));
  };
  const entry = (name: string): [string, object] => {
    const hash = createHash("sha512")
      .update(document(name) ?? "")
      .digest("hex")
      .toUpperCase();
    return [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` }];
  };
  const index = (): object => {
    const { generation } = registry;
    if (kept?.generation !== generation) kept = { generation, index: { paths: Object.fromEntries([...groupsOf(registry).keys()].map(entry)) } };
    return kept.index;
  };
  return { index, document };
}
