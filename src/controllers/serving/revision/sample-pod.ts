// The pod that a dry run tries in place of a Revision's (serving.md §1.3).
import { Pod, Revision, type RevisionTemplate, type ServingConfig } from "#kinds";
import { apiVersionOf, type Draft } from "#schema";
import { podSpecFor } from "./children.ts";
import { revisionSettings } from "./settings.ts";

const GENERATE_NAME = "dry-run-validation";

/** The pod that a Revision of the template would have, for a creation that keeps nothing. */
export function samplePodFor(template: RevisionTemplate, namespace: string, config: ServingConfig): Draft<Pod> {
  const metadata = { name: "", namespace, uid: "", resourceVersion: "", creationTimestamp: "" };
  const revision: Revision = { apiVersion: apiVersionOf(Revision), kind: Revision.kind, metadata, spec: template.spec };
  return {
    apiVersion: apiVersionOf(Pod),
    kind: Pod.kind,
    metadata: { generateName: GENERATE_NAME, namespace },
    spec: podSpecFor(revision, [], revisionSettings(config)),
  };
}
