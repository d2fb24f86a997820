// Labels and annotations that a Revision hands down (serving.md §1.10).
import { autoscaling, serving, servingContainerOf, type Revision } from "#kinds";
import { without } from "../annotations.ts";

const APP = "app";
const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";

/** Keys that concern the Revision itself. */
const OWN_LABELS: readonly string[] = [serving.route, serving.routingState];
const OWN_ANNOTATIONS: readonly string[] = [serving.lastPinned, serving.noGc, serving.routingStateModified, serving.routes];

/** Labels of Deployment, Pods, PodAutoscaler and Images. */
export function labelsFor(revision: Revision): Record<string, string> {
  const { name, uid, labels } = revision.metadata;
  return { [APP]: name, ...without(labels, (key) => OWN_LABELS.includes(key)), [serving.revision]: name, [serving.revisionUid]: uid };
}

/** The only label that selects a Revision's pods. */
export function selectorFor(revision: Revision): { matchLabels: Record<string, string> } {
  return { matchLabels: { [serving.revisionUid]: revision.metadata.uid } };
}

/** Annotations of Deployment, Pods and Images: nothing about routing and scaling. */
export function annotationsFor(revision: Revision): Record<string, string> {
  return without(revision.metadata.annotations, (key) => OWN_ANNOTATIONS.includes(key) || key.startsWith(autoscaling.prefix));
}

export function podAnnotationsFor(revision: Revision): Record<string, string> {
  const name = servingContainerOf(revision)?.name ?? "";
  return { ...annotationsFor(revision), ...(name === "" ? {} : { [DEFAULT_CONTAINER]: name }) };
}

/** Annotations of the PodAutoscaler: those about scaling too. */
export function autoscalerAnnotationsFor(revision: Revision): Record<string, string> {
  return without(revision.metadata.annotations, (key) => OWN_ANNOTATIONS.includes(key));
}

/** Whether an annotation or label on a Deployment is ours to remove; others' keys stay. */
export function isOurKey(key: string): boolean {
  return key === APP || key.includes("knative.dev/");
}
