// The refusals of the protocol itself, in Kubernetes' words.
import { conflict, forbidden, StatusError, unknownFailure, type ResourceName } from "#core";
import type { FieldError, Kind } from "#schema";

/** 422 with one cause an error; the sentence names each once. `group` and `kind` are those of the object's kind. */
export function invalid(kind: Pick<Kind, "group" | "kind">, name: string, errors: readonly FieldError[]): StatusError {
  const causes = errors.map(({ type, field, message }) => ({ reason: type, message, field }));
  const texts = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))];
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const what = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  const named = { ...(name === "" ? {} : { name }), ...(kind.group === "" ? {} : { group: kind.group }), ...(kind.kind === "" ? {} : { kind: kind.kind }) };
  const details = { ...named, causes };
  return new StatusError("Invalid", `${what} ${JSON.stringify(name)} is invalid: ${list}`, { details });
}

/** How Kubernetes calls the query parameters of a verb. */
export type OptionsKind = "ListOptions" | "CreateOptions" | "UpdateOptions" | "PatchOptions" | "DeleteOptions";

/** 422 about the query parameters. */
export function invalidOptions(kind: OptionsKind, error: FieldError): StatusError {
  return invalid({ group: "meta.k8s.io", kind }, "", [error]);
}

export function methodNotAllowed(): StatusError {
  return new StatusError("MethodNotAllowed", "the server does not allow this method on the requested resource", { details: {} });
}

export function unauthorized(): StatusError {
  return new StatusError("Unauthorized", "Unauthorized");
}

/** 406 of the filter that knows the types of a path. */
export function notAcceptable(available: readonly string[]): StatusError {
  return new StatusError("NotAcceptable", `406: Not Acceptable\n\nAvailable representations: ${available.join(", ")}`, { details: {} });
}

/** 406 of the endpoint itself. */
export function onlyAccepted(types: readonly string[]): StatusError {
  return new StatusError("NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`);
}

/** 406 for metadata of a list of what is one object, and the other way round. */
export function notOfForm({ group, kind, custom }: Pick<Kind, "group" | "kind" | "custom">, form: string): StatusError {
  const isList = form === "PartialObjectMetadata";
  // Kubernetes is not prepared for this one.
  if (custom && !isList) return unknownFailure("content is not a list");
  const type = custom ? "unstructured.Unstructured" : `${group === "" ? "core" : group.split(".", 1)[0]}.${kind}`;
  const why = isList ? `a list (*${type}List)` : `not a list (*${type})`;
  return new StatusError("NotAcceptable", `you requested ${form}, but the requested object is ${why}`);
}

/** 415; `accepted` are the media types that would do. */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError("UnsupportedMediaType", `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`);
}

/** A resourceVersion of the future: the client asks a server that has forgotten, or has mistyped. */
export function versionTooLarge(asked: number, current: number): StatusError {
  return new StatusError("Timeout", `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }], retryAfterSeconds: 1 },
  });
}

export function expiredVersion(asked: number, current: number): StatusError {
  return new StatusError("Expired", `too old resource version: ${asked} (${current})`);
}

/** Preconditions of deletions name the kind, not the resource. */
export function preconditionFailed(kind: Pick<Kind, "group" | "kind">, name: string, why: string): StatusError {
  return conflict({ group: kind.group, resource: kind.kind }, name, why);
}

/** A new object in a namespace that is going away. */
export function terminating(of: ResourceName, name: string, namespace: string): StatusError {
  const { message, details } = forbidden(of, name, `unable to create new content in namespace ${namespace} because it is being terminated`);
  const causes = [{ reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" }];
  return new StatusError("Forbidden", message, { details: { ...details, causes } });
}

/** A list at a revision that the watch window has lost. */
export function expiredList(): StatusError {
  return new StatusError("Expired", "The resourceVersion for the provided list is too old.");
}

/** A page whose revision the watch window has lost; `token` reads the rest of the list as it is now. */
export function expiredContinue(token: string): StatusError {
  const why = "The provided continue parameter is too old to display a consistent list result.";
  const either =
    "You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results.";
  const then =
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted " +
    "between the time the first chunk was returned and now may show up in the list.";
  return new StatusError("Expired", `${why} ${either} ${then}`, { continue: token });
}

/** As Go's scheme says it, with the place of its source. */
export function notRegistered(kind: string, version: string): string {
  return `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)} in scheme "pkg/runtime/scheme.go:110"`;
}

/** What Go says of JSON that is no object, where it looks for apiVersion and kind. */
export function kindless(json: unknown): string {
  const what = Array.isArray(json) ? "array" : typeof json === "boolean" ? "bool" : typeof json;
  const into = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
  return `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type ${into}`;
}
