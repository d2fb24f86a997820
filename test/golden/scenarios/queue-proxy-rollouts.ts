// The mask "Rollouts of queue-proxy": Deployments that the real thing rolled out again for nothing but a new queue-proxy.
import { isDeepStrictEqual } from "node:util";
import type { Json, RecordedEvent, RecordedObject, Scenario } from "./recording.ts";

const REVISION = "deployment.kubernetes.io/revision";

/** The spec in two parts: queue-proxy, and everything else. */
function partsOf(deployment: RecordedObject): { readonly queueProxy: unknown; readonly other: unknown } {
  const spec = structuredClone(deployment["spec"]) as Json;
  const pod = (spec["template"] as Json)["spec"] as Json;
  const containers = pod["containers"] as readonly Json[];
  const isQueueProxy = ({ name }: Json): boolean => name === "queue-proxy";
  pod["containers"] = containers.filter((container) => !isQueueProxy(container));
  return { queueProxy: containers.filter(isQueueProxy), other: spec };
}

/** Names of the Deployments that changed in their queue-proxy and in nothing else from one step to another. */
export function queueProxyRollouts({ steps }: Scenario): ReadonlySet<string> {
  const found = new Set<string>();
  const before = new Map<string, RecordedObject>();
  for (const object of steps.flatMap(({ objects = [] }) => objects)) {
    if (object.kind !== "Deployment" || object.unchangedSinceStep !== undefined) continue;
    const { name } = object.metadata;
    const [was, is] = [partsOf(before.get(name) ?? object), partsOf(object)];
    before.set(name, object);
    if (!isDeepStrictEqual(was.other, is.other)) found.delete(name);
    else if (!isDeepStrictEqual(was.queueProxy, is.queueProxy)) found.add(name);
  }
  return found;
}

const belongsTo = (name: string, rollouts: ReadonlySet<string>): boolean => rollouts.has(name.replace(/-<hash\d*>$/, ""));

/** Without the number of the rollout, which Deployment and ReplicaSet carry. */
export function withoutRollout(object: RecordedObject, rollouts: ReadonlySet<string>): RecordedObject {
  if ((object.kind !== "Deployment" && object.kind !== "ReplicaSet") || !belongsTo(object.metadata.name, rollouts)) return object;
  const { [REVISION]: _number, ...annotations } = object.metadata["annotations"] as Json;
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** The old pods go, which only a rollout does. */
export function tellsOfRollout({ involvedObject, message }: RecordedEvent, rollouts: ReadonlySet<string>): boolean {
  return belongsTo(involvedObject.name, rollouts) && /^(Scaled down replica set|Deleted pod:) /.test(message);
}
