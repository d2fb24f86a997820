// The query parameters of lists and watches, checked as Kubernetes checks them.
import { badRequest } from "#core";
import type { FieldErrorType } from "#schema";
import { invalidOptions } from "./errors.ts";
import { isSet } from "./request-info.ts";

export interface ListParameters {
  readonly limit: number;
  readonly continue: string;
  /** Undefined when unset; "0" accepts any state. */
  readonly resourceVersion: number | undefined;
}

export interface WatchParameters {
  readonly resourceVersion: number | undefined;
  /** Synthetic ADDED events first, then the bookmark that ends them. */
  readonly initialEvents: boolean;
  readonly bookmarks: boolean;
  /** Undefined: the server's own choice. */
  readonly timeoutSeconds: number | undefined;
}

function versionOf(query: URLSearchParams): number | undefined {
  const text = query.get("resourceVersion") ?? "";
  if (text === "") return undefined;
  const version = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(version)) {
    throw invalidOptions("ListOptions", {
      type: "FieldValueInvalid",
      field: "resourceVersion",
      message: `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    });
  }
  return version;
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? "";
  if (text === "") return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function refuse(type: FieldErrorType, field: string, message: string): never {
  throw invalidOptions("ListOptions", { type, field, message });
}

/** Refuses combinations of resourceVersion, resourceVersionMatch, continue and sendInitialEvents that make no sense. */
function checkMatch(query: URLSearchParams, watch: boolean): void {
  const match = query.get("resourceVersionMatch") ?? "";
  const version = query.get("resourceVersion") ?? "";
  const initial = query.has("sendInitialEvents");
  const forbid = (text: string): never => refuse("FieldValueForbidden", "resourceVersionMatch", `Forbidden: ${text}`);
  if (initial && !watch) refuse("FieldValueForbidden", "sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list");
  if (initial && match !== "NotOlderThan") forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  if (match === "" || initial) return;
  if (watch) forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  if (version === "") forbid("resourceVersionMatch is forbidden unless resourceVersion is provided");
  if ((query.get("continue") ?? "") !== "") forbid("resourceVersionMatch is forbidden when continue is provided");
  if (match !== "Exact" && match !== "NotOlderThan") {
    refuse("FieldValueNotSupported", "resourceVersionMatch", `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`);
  }
  if (match === "Exact" && version === "0") forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
}

export function listParameters(query: URLSearchParams): ListParameters {
  checkMatch(query, false);
  const limit = integer(query, "limit") ?? 0;
  return { limit: Math.max(0, limit), continue: query.get("continue") ?? "", resourceVersion: versionOf(query) };
}

export function watchParameters(query: URLSearchParams): WatchParameters {
  checkMatch(query, true);
  const resourceVersion = versionOf(query);
  const asked = query.has("sendInitialEvents") ? isSet(query, "sendInitialEvents") : undefined;
  const timeoutSeconds = integer(query, "timeoutSeconds");
  return {
    resourceVersion,
    initialEvents: asked ?? (resourceVersion === undefined || resourceVersion === 0),
    bookmarks: isSet(query, "allowWatchBookmarks"),
    timeoutSeconds: timeoutSeconds === undefined || timeoutSeconds <= 0 ? undefined : timeoutSeconds,
  };
}
