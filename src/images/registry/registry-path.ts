// What a request of the distribution API is about, from its path. Pure.
import { isRepository } from "../image-name.ts";

export type RegistryPath =
  | { readonly of: "base" }
  | { readonly of: "catalog" }
  | { readonly of: "blob"; readonly repository: string; readonly digest: string }
  | { readonly of: "uploads"; readonly repository: string }
  | { readonly of: "upload"; readonly repository: string; readonly id: string }
  | { readonly of: "manifest"; readonly repository: string; readonly reference: string }
  | { readonly of: "tags"; readonly repository: string }
  | { readonly of: "referrers"; readonly repository: string; readonly digest: string };

const BELOW = /^\/v2\/(.+)\/(?:(tags\/list)|(blobs\/uploads\/?)|blobs\/uploads\/([^/]+)|(blobs|manifests|referrers)\/([^/]+))$/;

/** Undefined for paths that the API does not have; `wrongName` for a repository that may not be called so. */
export function parsePath(path: string): RegistryPath | { readonly of: "wrongName"; readonly name: string } | undefined {
  if (path === "/v2" || path === "/v2/") return { of: "base" };
  if (path === "/v2/_catalog") return { of: "catalog" };
  const match = BELOW.exec(path);
  if (match === null) return undefined;
  const [, repository = "", tags, uploads, id, kind, last = ""] = match;
  if (!isRepository(repository)) return { of: "wrongName", name: repository };
  if (tags !== undefined) return { of: "tags", repository };
  if (uploads !== undefined) return { of: "uploads", repository };
  if (id !== undefined) return { of: "upload", repository, id };
  if (kind === "manifests") return { of: "manifest", repository, reference: last };
  return { of: kind === "blobs" ? "blob" : "referrers", repository, digest: last };
}
