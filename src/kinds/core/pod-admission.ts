// What happens to pods as they are created: bound to the one node, with a ServiceAccount that exists.
import { forbidden } from "#core";
import type { Admit } from "#schema";
import type { Pod } from "./v1.types.ts";

export interface PodAdmissionOptions {
  /** The embedded platform has one node: pods are bound to it as they are created; without one they wait for a scheduler. */
  readonly nodeName?: string;
  readonly hasServiceAccount: (namespace: string, name: string) => Promise<boolean>;
  /** Waits a moment; a new namespace gets its ServiceAccount `default` from a controller. */
  readonly pause: () => Promise<void>;
}

/** As Kubernetes: nobody else makes an account beside creating pods. */
const DEFAULT = "default";
const DEFAULT_ATTEMPTS = 10;

/** Whether the account is there, for `default` also after a while. */
async function isThere(namespace: string, name: string, { hasServiceAccount, pause }: PodAdmissionOptions): Promise<boolean> {
  for (let left = name === DEFAULT ? DEFAULT_ATTEMPTS : 1; left > 0; left--) {
    if (await hasServiceAccount(namespace, name)) return true;
    if (left > 1) await pause();
  }
  return false;
}

/** Kubernetes refuses before it generates a name, so it only has the prefix to tell. */
function toldName({ name, generateName }: Pod["metadata"]): string {
  return generateName !== undefined && generateName !== "" && name.startsWith(generateName) ? generateName : name;
}

/** Throws Forbidden for a pod whose ServiceAccount does not exist. */
export function podAdmission(options: PodAdmissionOptions): Admit<Pod> {
  return async ({ operation, subresource, object }) => {
    if (operation !== "CREATE" || subresource !== "") return { object, warnings: [] };
    const spec = object.spec ?? { containers: [] };
    const { nodeName = options.nodeName, serviceAccountName = DEFAULT } = spec;
    const account = { serviceAccountName, serviceAccount: serviceAccountName };
    const { namespace = "", creationTimestamp } = object.metadata;
    if (!(await isThere(namespace, serviceAccountName, options))) {
      const why = `error looking up service account ${namespace}/${serviceAccountName}: serviceaccount ${JSON.stringify(serviceAccountName)} not found`;
      throw forbidden({ group: "", resource: "pods" }, toldName(object.metadata), why);
    }
    if (nodeName === undefined) return { object: { ...object, spec: { ...spec, ...account }, status: { ...object.status, phase: "Pending" } }, warnings: [] };
    const bound = { ...spec, nodeName, ...account };
    const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: creationTimestamp };
    return { object: { ...object, spec: bound, status: { ...object.status, phase: "Pending", conditions: [scheduled] } }, warnings: [] };
  };
}
