// Which form and which encoding of an answer a client accepts, as two filters of Kubernetes find them, one after the other.
import { JSON_TYPE, PROTOBUF, YAML } from "./body.ts";
import { notAcceptable, onlyAccepted } from "./errors.ts";

/** How an object or a list is shown. `version` is that of `meta.k8s.io` for the other forms. */
export type Form =
  | { readonly as: "Object" }
  | { readonly as: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList"; readonly version: "v1" | "v1beta1" };

/** An encoding, and whether JSON is written for people. */
export interface Encoding {
  readonly type: typeof JSON_TYPE | typeof YAML | typeof PROTOBUF;
  readonly pretty: boolean;
}

/** How an answer is sent. */
export interface Presentation extends Encoding {
  readonly form: Form;
}

/** What an endpoint is about, as far as it decides what it can send. */
export interface Endpoint {
  /** Custom kinds have no protobuf, and a filter less in front of them. */
  readonly custom: boolean;
  readonly verb: string | undefined;
}

const OBJECT: Form = { as: "Object" };
const TYPES = [JSON_TYPE, YAML, PROTOBUF] as const;
const STREAMS = [`${JSON_TYPE};stream=watch`, `${PROTOBUF};stream=watch`];

/** What fits every client. */
export const COMPACT: Encoding = { type: JSON_TYPE, pretty: false };

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Longer headers are cut: no client needs more than a handful of ranges. */
const RANGES_MAX = 32;

/** The ranges of an Accept header, best first; concrete ones before open ones, then the order of the header decides. */
function mediaRanges(accept: string | undefined): readonly MediaRange[] {
  const ranges = (accept ?? "").split(",", RANGES_MAX).map((text) => {
    const [type = "", ...rest] = text.split(";").map((part) => part.trim());
    const parameters = new Map(rest.map((part) => [part.slice(0, Math.max(0, part.indexOf("="))).toLowerCase(), part.slice(part.indexOf("=") + 1)]));
    const quality = Number(parameters.get("q") ?? "1");
    return { type, parameters, quality: Number.isNaN(quality) ? 1 : quality };
  });
  const isOpen = ({ type }: MediaRange): number => (type === "*/*" ? 2 : type.endsWith("/*") ? 1 : 0);
  return ranges.filter(({ type }) => type !== "").sort((a, b) => b.quality - a.quality || isOpen(a) - isOpen(b));
}

/** The form that the parameters ask for; undefined for one that there is not. */
function formOf({ parameters }: MediaRange, type: Encoding["type"], { custom }: Endpoint): Form | undefined {
  const [as = "", group = "", version = ""] = ["as", "g", "v"].map((name) => parameters.get(name));
  if (as === "" && group === "" && version === "") return custom && type === PROTOBUF ? undefined : OBJECT;
  if (group !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return undefined;
  if (as === "Table") return type === PROTOBUF ? undefined : { as, version };
  return as === "PartialObjectMetadata" || as === "PartialObjectMetadataList" ? { as, version } : undefined;
}

/** Go's way to read a boolean, for what asks for pretty output; terminals and browsers get it unasked. */
function wantsPretty(query: URLSearchParams, userAgent: string): boolean {
  const asked = query.get("pretty") ?? "";
  if (asked !== "") return /^(1|t|T|true|TRUE|True)$/.test(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}

/** What a request says about its answer. */
export interface Asking {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
}

function firstAccepted({ headers, query }: Asking, endpoint: Endpoint, allows: (form: Form) => boolean): Presentation | undefined {
  const pretty = wantsPretty(query, headers["user-agent"] ?? "");
  for (const range of mediaRanges(headers["accept"]?.trim() || "*/*")) {
    for (const type of TYPES) {
      if (range.type !== type && range.type !== "application/*" && range.type !== "*/*") continue;
      const form = formOf(range, type, endpoint);
      if (form !== undefined && allows(form)) return { type, form, pretty: pretty || range.parameters.get("pretty") === "1" };
    }
  }
  return undefined;
}

/** The best form and encoding that the client takes and the endpoint has. Throws 406 in the words of the filter that finds none. */
export function negotiate(asking: Asking, endpoint: Endpoint): Presentation {
  const accept = asking.headers["accept"]?.trim() || "*/*";
  const streams = endpoint.verb === "list" || endpoint.verb === "watch";
  const named = (type: string): boolean => type === "*/*" || (TYPES as readonly string[]).includes(type);
  if (!endpoint.custom && !mediaRanges(accept).some(({ type }) => named(type))) throw notAcceptable([...TYPES, ...(streams ? STREAMS : [])]);
  const found = firstAccepted(asking, endpoint, () => true);
  if (found === undefined) throw onlyAccepted(TYPES);
  if (endpoint.verb === "watch" && found.type === YAML) throw onlyAccepted(STREAMS);
  return found;
}

/** How a refusal is written: a client that takes no plain object gets JSON for people. */
export function errorEncoding(asking: Asking): Encoding {
  return firstAccepted(asking, { custom: false, verb: undefined }, ({ as }) => as === "Object") ?? { type: JSON_TYPE, pretty: true };
}

/** The version of aggregated discovery that the client takes, if any; wherever it stands, it is better than the plain documents. */
export function aggregatedVersion(accept: string | undefined): "v2" | "v2beta1" | undefined {
  for (const { type, parameters } of mediaRanges(accept)) {
    if (type !== "application/json" || parameters.get("as") !== "APIGroupDiscoveryList") continue;
    const version = parameters.get("v");
    if (parameters.get("g") === "apidiscovery.k8s.io" && (version === "v2" || version === "v2beta1")) return version;
  }
  return undefined;
}
