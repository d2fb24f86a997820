// Whether a user may do what a request wants, and the refusal in Kubernetes' words.
import { qualified, StatusError } from "#core";
import type { UserInfo } from "#schema";
import type { ApiServerOptions, Attributes } from "./port.ts";
import type { ResourceInfo } from "./request-info.ts";

const PATH_VERBS: Readonly<Record<string, string>> = { GET: "get", HEAD: "head", POST: "post", PUT: "put", PATCH: "patch", DELETE: "delete" };

function refusal(user: UserInfo, attributes: Attributes, reason: string): StatusError {
  const { verb, group, resource, subresource, namespace, name, path } = attributes;
  const why = reason === "" ? "" : `: ${reason}`;
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (path !== undefined) return new StatusError("Forbidden", `forbidden: ${who} path ${JSON.stringify(path)}${why}`, { details: {} });
  const what = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  const object = `${qualified({ group, resource })}${name === "" ? "" : ` ${JSON.stringify(name)}`}`;
  const details = { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource };
  const message = `${object} is forbidden: ${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}${why}`;
  return new StatusError("Forbidden", message, { details });
}

/** Throws Forbidden when the user may not do this to the resource. */
export function authorizeResource(authorize: ApiServerOptions["authorize"], user: UserInfo, info: ResourceInfo): void {
  const { group, version, plural } = info.resource.kind;
  const { verb = "", namespace, name, subresource } = info;
  const attributes = { verb, group, version, resource: plural, subresource, namespace, name };
  const reason = authorize(user, attributes);
  if (reason !== undefined) throw refusal(user, attributes, reason);
}

/** Throws Forbidden when the user may not ask for the path. */
export function authorizePath(authorize: ApiServerOptions["authorize"], user: UserInfo, method: string, path: string): void {
  const attributes = { verb: PATH_VERBS[method] ?? method.toLowerCase(), group: "", version: "", resource: "", subresource: "", namespace: "", name: "", path };
  const reason = authorize(user, attributes);
  if (reason !== undefined) throw refusal(user, attributes, reason);
}
