// Where an object belongs: the namespace and the name of its URL.
import { badRequest } from "#core";
import type { KubeObject } from "#schema";
import type { Target } from "./writing.ts";

/** Refuses an object that is not the one of the URL; what is missing is taken from there. */
export function placed({ resource, namespace, name }: Target, object: KubeObject): KubeObject {
  const metadata = { ...object.metadata };
  if (!resource.namespaced) delete metadata.namespace;
  else if ((metadata.namespace ?? "") === "") metadata.namespace = namespace;
  if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if ((metadata.name ?? "") === "") throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (metadata.name !== name) throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  return { ...object, metadata };
}
