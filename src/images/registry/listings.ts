// Lists: tags of a repository, what refers to a manifest, repositories.
import { INDEX_TYPE } from "../oci.ts";
import { servedName } from "../own-registry.ts";
import { answerJson, mustDigest, unsupported, type Exchange } from "./exchange.ts";
import { pageOf } from "./page.ts";
import { RegistryError } from "./registry-error.ts";

export async function serveTags(exchange: Exchange, name: string, repository: string): Promise<void> {
  mustRead(exchange);
  const { store, path, query } = exchange;
  const tags = await store.tags.ofRepository(repository);
  if (tags.length === 0 && !(await store.repositories.exists(repository)))
    throw new RegistryError(404, "NAME_UNKNOWN", "repository name not known to registry", { detail: { name } });
  const { entries, link } = pageOf(tags, { path, query, nameOf: (tag) => tag });
  answerJson(exchange, { name, tags: entries }, link === undefined ? {} : { link });
}

export async function serveReferrers(exchange: Exchange, repository: string, reference: string): Promise<void> {
  mustRead(exchange);
  const { store, path, query } = exchange;
  const artifactType = query.get("artifactType");
  const all = await store.repositories.referrers(repository, mustDigest(reference));
  const wanted = artifactType === null || artifactType === "" ? all : all.filter((each) => each.artifactType === artifactType);
  const { entries, link } = pageOf(wanted, { path, query, nameOf: (each) => each.digest });
  answerJson(
    exchange,
    { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: entries },
    {
      "content-type": INDEX_TYPE,
      ...(artifactType === null || artifactType === "" ? {} : { "oci-filters-applied": "artifactType" }),
      ...(link === undefined ? {} : { link }),
    },
  );
}

export async function serveCatalog(exchange: Exchange): Promise<void> {
  mustRead(exchange);
  const { store, path, query } = exchange;
  const names = (await store.repositories.names()).map(servedName).toSorted((a, b) => (a < b ? -1 : 1));
  const { entries, link } = pageOf(names, { path, query, nameOf: (name) => name });
  answerJson(exchange, { repositories: entries }, link === undefined ? {} : { link });
}

function mustRead(exchange: Exchange): void {
  if (exchange.method !== "GET" && exchange.method !== "HEAD") throw unsupported(exchange, "GET, HEAD");
}
