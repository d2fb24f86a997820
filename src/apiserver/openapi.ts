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

/** Only the index is kept: documents are large and rarely asked for. */
export function createOpenApi(registry: Registry, version: string): OpenApi {
  const groups = new Map<string, Kind[]>();
  for (const { kind } of registry.resources) {
    const name = kind.group === "" ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
    groups.set(name, [...(groups.get(name) ?? []), kind]);
  }
  const document = (name: string): string | undefined => {
    const kinds = groups.get(name);
    return kinds === undefined ? undefined : JSON.stringify(openApiDocument(kinds, version));
  };
  let index: object | undefined;
  const entry = (name: string): [string, object] => {
    const hash = createHash("sha512")
      .update(document(name) ?? "")
      .digest("hex")
      .toUpperCase();
    return [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` }];
  };
  return { index: () => (index ??= { paths: Object.fromEntries([...groups.keys()].map(entry)) }), document };
}
