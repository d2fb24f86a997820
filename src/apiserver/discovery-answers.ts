// Requests for discovery: the aggregated documents, which clients revalidate, and the plain ones in the encoding that is asked for.
import { createHash } from "node:crypto";
import { messages } from "#schema";
import type { Discovery, PlainDocument } from "./discovery.ts";
import { isBuiltInGroup } from "./discovery-order.ts";
import { encodedOne } from "./encode.ts";
import { onlyAccepted } from "./errors.ts";
import { aggregatedVersion, negotiate, type Presentation } from "./negotiate.ts";
import type { ApiRequest, ApiResponse } from "./port.ts";
import { encodedResponse } from "./responses.ts";

/** A request for a path that is no resource's. */
export interface Asked {
  readonly request: ApiRequest;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** A document that clients keep and revalidate: 304 when they have it. */
function cached(request: ApiRequest, body: string, contentType: string): ApiResponse {
  const etag = `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
  const headers = { "cache-control": "public", etag, vary: "Accept" };
  if (request.headers["if-none-match"] === etag) return { status: 304, headers, body: "" };
  return { status: 200, headers: { ...headers, "content-type": contentType }, body };
}

/** Groups of definitions, and what lists groups, have a filter less in front of them. */
function isOfDefinitions(path: string): boolean {
  const [root = "", group = "", version = ""] = path.split("/").slice(1);
  return root === "apis" ? version === "" || !isBuiltInGroup(group) : group === "";
}

const TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const CODECS = {
  APIVersions: messages.apiVersions,
  APIGroup: messages.apiGroup,
  APIGroupList: messages.apiGroupList,
  APIResourceList: messages.apiResourceList,
} as const;

/** In protobuf there is a message around the verbs of a resource. */
function inMessages(document: PlainDocument): object {
  return {
    ...document,
    ...(document.resources === undefined ? {} : { resources: document.resources.map((one) => ({ ...one, verbs: { items: one.verbs } })) }),
  };
}

function presentationOf({ request, path, query }: Asked): Presentation {
  try {
    return negotiate({ headers: request.headers, query }, { custom: false, verb: undefined });
  } catch (error) {
    throw isOfDefinitions(path) ? onlyAccepted(TYPES) : error;
  }
}

function plainAnswer(document: PlainDocument, { type, pretty, form }: Presentation): ApiResponse {
  if (form.as !== "Object") throw onlyAccepted(TYPES);
  const shown = { as: "one", type: { kind: document.kind, apiVersion: "v1" }, text: JSON.stringify(document), value: () => inMessages(document) } as const;
  return encodedResponse(200, encodedOne({ ...shown, codec: CODECS[document.kind] }, { type, pretty }), type, []);
}

/** Undefined for paths of no document. Throws 406. */
export function discoveryAnswer(discovery: Discovery, { request, path, query }: Asked): ApiResponse | undefined {
  const { accept } = request.headers;
  const version = aggregatedVersion(accept);
  const aggregated = version === undefined ? undefined : discovery.aggregated(path, version);
  if (aggregated !== undefined) return cached(request, aggregated, `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`);
  const host = request.headers[":authority"] ?? request.headers["host"] ?? "";
  const document = discovery.plain(path, host);
  if (document === undefined) return undefined;
  return plainAnswer(document, presentationOf({ request, path, query }));
}
