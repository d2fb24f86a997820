// Which form of an answer a client accepts.

/** How an object or a list is shown. `version` is that of `meta.k8s.io` for the other forms. */
export type Form =
  | { readonly as: "Object" }
  | { readonly as: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList"; readonly version: "v1" | "v1beta1" };

const OBJECT: Form = { as: "Object" };

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Longer headers are cut: no client needs more than a handful of ranges. */
const RANGES_MAX = 32;

/** The ranges of an Accept header, best first; the order of the header decides between equals. */
function mediaRanges(accept: string | undefined): readonly MediaRange[] {
  const ranges = (accept ?? "").split(",", RANGES_MAX).map((text) => {
    const [type = "", ...rest] = text.split(";").map((part) => part.trim());
    const parameters = new Map(rest.map((part) => [part.slice(0, Math.max(0, part.indexOf("="))).toLowerCase(), part.slice(part.indexOf("=") + 1)]));
    const quality = Number(parameters.get("q") ?? "1");
    return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality };
  });
  return ranges.filter(({ type, quality }) => type !== "" && quality > 0).sort((a, b) => b.quality - a.quality);
}

function formOf({ type, parameters }: MediaRange): Form | undefined {
  if (type === "*/*" || type === "application/*") return OBJECT;
  if (type !== "application/json") return undefined;
  const as = parameters.get("as");
  if (as === undefined) return OBJECT;
  const version = parameters.get("v");
  if (parameters.get("g") !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return undefined;
  return as === "Table" || as === "PartialObjectMetadata" || as === "PartialObjectMetadataList" ? { as, version } : undefined;
}

/** The first form of the header that we can give; undefined stands for 406. No header accepts everything. */
export function negotiate(accept: string | undefined): Form | undefined {
  if (accept === undefined || accept.trim() === "") return OBJECT;
  for (const range of mediaRanges(accept)) {
    const form = formOf(range);
    if (form !== undefined) return form;
  }
  return undefined;
}

/** The version of aggregated discovery that the client prefers over the plain documents, if any. */
export function aggregatedVersion(accept: string | undefined): "v2" | "v2beta1" | undefined {
  for (const { type, parameters } of mediaRanges(accept)) {
    if (type !== "application/json") continue;
    if (parameters.get("as") !== "APIGroupDiscoveryList") return undefined;
    const version = parameters.get("v");
    if (parameters.get("g") === "apidiscovery.k8s.io" && (version === "v2" || version === "v2beta1")) return version;
  }
  return undefined;
}

const DOCUMENT_TYPES: ReadonlySet<string> = new Set(["*/*", "application/*", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]);

/** Whether the client takes a plain document of discovery: no form but the object itself. */
export function takesDocuments(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === "") return true;
  return mediaRanges(accept).some(({ type, parameters }) => DOCUMENT_TYPES.has(type) && !parameters.has("as"));
}
