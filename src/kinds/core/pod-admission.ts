// What happens to pods as they are created: bound to the one node, with a ServiceAccount that exists.
import { forbidden } from "#core";
import type { Admit } from "#schema";
import { checkRuntimeClass, prioritized, tolerant } from "./pod-scheduling.ts";
import type { Pod } from "./v1.types.ts";

export interface PodAdmissionOptions {
  /** The embedded platform has one node: pods are bound to it as they are created; without one they wait for a scheduler. */
  readonly nodeName?: string;
  /** What `runtimeClassName` may say; default: nothing. */
  readonly runtimeClasses?: readonly string[];
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

/** A new pod with its account, its priority, and the node where there is only one. */
async function placed(pod: Pod, options: PodAdmissionOptions): Promise<Pod> {
  const spec = pod.spec ?? { containers: [] };
  const { nodeName = options.nodeName, serviceAccountName = DEFAULT } = spec;
  const { namespace = "", creationTimestamp } = pod.metadata;
  if (!(await isThere(namespace, serviceAccountName, options))) {
    const why = `error looking up service account ${namespace}/${serviceAccountName}: serviceaccount ${JSON.stringify(serviceAccountName)} not found`;
    throw forbidden({ group: "", resource: "pods" }, toldName(pod.metadata), why);
  }
  const own = prioritized({ ...spec, serviceAccountName, serviceAccount: serviceAccountName }, toldName(pod.metadata));
  checkRuntimeClass(spec, toldName(pod.metadata), options.runtimeClasses ?? []);
  if (options.nodeName === undefined || nodeName === undefined) return { ...pod, spec: own };
  const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: creationTimestamp };
  return { ...pod, spec: { ...own, nodeName }, status: { ...pod.status, phase: "Pending", conditions: [scheduled] } };
}

/** Throws Forbidden for a pod whose ServiceAccount or PriorityClass does not exist. */
export function podAdmission(options: PodAdmissionOptions): Admit<Pod> {
  return async ({ operation, subresource, object, old }) => {
    // What class a pod is of was decided when it was made.
    if (subresource === "status" && old?.status?.qosClass !== undefined) {
      return { object: { ...object, status: { ...object.status, qosClass: old.status.qosClass } }, warnings: [] };
    }
    if (operation === "DELETE" || subresource !== "") return { object, warnings: [] };
    return { object: tolerant(operation === "CREATE" ? await placed(object, options) : object), warnings: [] };
  };
}
