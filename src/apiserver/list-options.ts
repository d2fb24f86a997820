// The query parameters of lists and watches, checked as Kubernetes checks them.
import { badRequest, unknownFailure } from "#core";
import type { FieldError } from "#schema";
import { readContinue, type Continuation } from "./continue-token.ts";
import { invalid } from "./errors.ts";
import type { Resource } from "./registry.ts";
import { isSet } from "./request-info.ts";
import { parseSelectors, selectionOf, type Selection } from "./selection.ts";

export interface ListParameters {
  /** 0: no limit. */
  readonly limit: number;
  /** Where a page goes on. */
  readonly from: Continuation | undefined;
  /** Undefined when unset; "0" accepts any state. */
  readonly resourceVersion: number | undefined;
  /** The one revision that may be shown. */
  readonly exactly: number | undefined;
}

export interface WatchParameters {
  /** Undefined: from now on. With `initialEvents`: what they show is not older. */
  readonly resourceVersion: number | undefined;
  /** Synthetic ADDED events first, then the bookmark that ends them. */
  readonly initialEvents: boolean;
  readonly bookmarks: boolean;
  /** Undefined: the server's own choice. */
  readonly timeoutSeconds: number | undefined;
}

const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MAX = 2n ** 63n - 1n;

/** What Go's strconv says about a text that is no integer of 64 bits; undefined when it is one. */
function wrongInteger(text: string, parse: "ParseInt" | "ParseUint"): string | undefined {
  const quoted = JSON.stringify(text);
  if (!(parse === "ParseInt" ? /^[+-]?\d+$/ : /^\d+$/).test(text)) return `strconv.${parse}: parsing ${quoted}: invalid syntax`;
  const value = BigInt(text.replace("+", ""));
  const fits = parse === "ParseInt" ? value <= INT64_MAX && value >= -INT64_MAX - 1n : value <= UINT64_MAX;
  return fits ? undefined : `strconv.${parse}: parsing ${quoted}: value out of range`;
}

/** What is wrong with a resourceVersion; undefined for a good one and for none. */
function wrongVersion(text: string): string | undefined {
  const wrong = text === "" ? undefined : wrongInteger(text, "ParseUint");
  return wrong === undefined ? undefined : `resourceVersion: Invalid value: ${JSON.stringify(text)}: ${wrong}`;
}

/** Undefined when unset; throws BadRequest, in Kubernetes' words, for what is no number. */
function versionOf(query: URLSearchParams): number | undefined {
  const text = query.get("resourceVersion") ?? "";
  const wrong = wrongVersion(text);
  if (wrong !== undefined) throw badRequest(`invalid resource version: ${wrong}`);
  return text === "" ? undefined : Number(text);
}

/** As `versionOf`, for a watch or the read of one object; a text that is no number fails there without a reason. */
export function versionOfOne(query: URLSearchParams): number | undefined {
  const text = query.get("resourceVersion") ?? "";
  const wrong = wrongVersion(text);
  if (wrong !== undefined) throw unknownFailure(wrong);
  return text === "" ? undefined : Number(text);
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const wrong = wrongInteger(text, "ParseInt");
  if (wrong !== undefined) throw badRequest(wrong);
  return Number(text);
}

function forbidden(field: string, text: string): FieldError {
  return { type: "FieldValueForbidden", field, message: `Forbidden: ${text}` };
}

function unsupported(match: string, supported: string): FieldError {
  return {
    type: "FieldValueNotSupported",
    field: "resourceVersionMatch",
    message: `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported}`,
  };
}

/** A row for each combination that makes no sense, in the order of Kubernetes' answers. */
function listErrors(query: URLSearchParams): readonly FieldError[] {
  const match = query.get("resourceVersionMatch") ?? "";
  const version = query.get("resourceVersion") ?? "";
  const says = (wrong: boolean, error: FieldError): readonly FieldError[] => (wrong ? [error] : []);
  const forbid = (text: string): FieldError => forbidden("resourceVersionMatch", text);
  return [
    ...says(match !== "" && version === "", forbid("resourceVersionMatch is forbidden unless resourceVersion is provided")),
    ...says(match !== "" && (query.get("continue") ?? "") !== "", forbid("resourceVersionMatch is forbidden when continue is provided")),
    ...says(!["", "Exact", "NotOlderThan"].includes(match), unsupported(match, '"Exact", "NotOlderThan", ""')),
    ...says(match === "Exact" && version === "0", forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')),
    ...says(query.has("sendInitialEvents"), forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")),
  ];
}

/** A watch from no version or from 0 begins with what exists, as if it had asked for that. */
function isLegacyStart(query: URLSearchParams): boolean {
  return !query.has("sendInitialEvents") && !query.get("resourceVersionMatch") && ["", "0"].includes(query.get("resourceVersion") ?? "");
}

function watchErrors(query: URLSearchParams): readonly FieldError[] {
  const legacy = isLegacyStart(query);
  const match = legacy ? "NotOlderThan" : (query.get("resourceVersionMatch") ?? "");
  const initial = legacy || query.has("sendInitialEvents");
  const says = (wrong: boolean, error: FieldError): readonly FieldError[] => (wrong ? [error] : []);
  const forbid = (text: string): FieldError => forbidden("resourceVersionMatch", text);
  return [
    ...says(initial && match !== "NotOlderThan", forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")),
    ...says(!initial && match !== "", forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")),
    ...says(!["", "NotOlderThan"].includes(match), unsupported(match, '"NotOlderThan"')),
    ...says(match !== "" && (query.get("continue") ?? "") !== "", forbid("resourceVersionMatch is forbidden when continue is provided")),
  ];
}

function check(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
}

function listParameters(query: URLSearchParams, limit: number): ListParameters {
  const token = query.get("continue") ?? "";
  const from = token === "" ? undefined : readContinue(token);
  if (from !== undefined && !["", "0"].includes(query.get("resourceVersion") ?? ""))
    throw badRequest("specifying resource version is not allowed when using continue");
  const resourceVersion = versionOf(query);
  const match = query.get("resourceVersionMatch") ?? "";
  const exact = match === "Exact" || (match === "" && limit > 0 && (resourceVersion ?? 0) > 0);
  // From version 0 a list is whatever a cache holds, in one piece; a limit makes another version exact.
  return { limit: resourceVersion === 0 ? 0 : limit, from, resourceVersion, exactly: exact ? resourceVersion : undefined };
}

/** Where a list or a watch looks; `name` is "" unless a path names the one object to watch. */
export interface Place {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** What a list is asked for. Mistakes are told in Kubernetes' order: numbers, selectors, combinations, fields of the kind, versions. */
export function listRequest({ resource, namespace }: Place, query: URLSearchParams): { readonly selection: Selection; readonly parameters: ListParameters } {
  integer(query, "timeoutSeconds");
  const limit = Math.max(0, integer(query, "limit") ?? 0);
  const selectors = parseSelectors(query);
  check(listErrors(query));
  const selection = selectionOf(resource, { namespace, name: "" }, selectors);
  return { selection, parameters: listParameters(query, limit) };
}

/** What a watch is asked for, see `listRequest`. */
export function watchRequest(place: Place, query: URLSearchParams): { readonly selection: Selection; readonly parameters: WatchParameters } {
  const timeoutSeconds = integer(query, "timeoutSeconds");
  integer(query, "limit");
  const selectors = parseSelectors(query);
  check(watchErrors(query));
  const selection = selectionOf(place.resource, place, selectors);
  const resourceVersion = versionOfOne(query);
  const parameters = {
    resourceVersion: resourceVersion === 0 ? undefined : resourceVersion,
    initialEvents: isSet(query, "sendInitialEvents") || isLegacyStart(query) || (!query.has("sendInitialEvents") && resourceVersion === 0),
    bookmarks: isSet(query, "allowWatchBookmarks"),
    timeoutSeconds: timeoutSeconds === undefined || timeoutSeconds <= 0 ? undefined : timeoutSeconds,
  };
  return { selection, parameters };
}
