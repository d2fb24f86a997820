// Events about pods: recorded by whom they name, written later.
import { Event, type Pod } from "#kinds";
import { createEventRecorder, type EventRecorder, type EventRecorderOptions, type Regarding } from "#reconcile";
import type { RuntimeOptions } from "#runtimes";

/** Those of a start are written when it has long answered (decision 42). */
const GATHER_MS = 1_000;

export function podEventRecorder(tools: Omit<EventRecorderOptions, "kind" | "gatherMs">): {
  readonly recorder: EventRecorder;
  readonly onEvent: RuntimeOptions["onEvent"];
} {
  const recorder = createEventRecorder({ ...tools, kind: Event, gatherMs: GATHER_MS });
  return { recorder, onEvent: (pod, { component = "kubelet", fieldPath, ...event }) => recorder.record(component, regarding(pod, fieldPath), event) };
}

/** The pod, or the part of it that an Event is about. */
function regarding({ metadata: { namespace = "", name, uid } }: Pod, fieldPath: string | undefined): Regarding {
  return { apiVersion: "v1", kind: "Pod", namespace, name, uid, ...(fieldPath === undefined ? {} : { fieldPath }) };
}
