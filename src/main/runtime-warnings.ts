// Warnings about what the platform's runtime will not honour, on every kind that holds a pod's spec.
import type { ServedKind } from "#apiserver";
import type { Deployment, Pod, PodSpec, Revision, Service } from "#kinds";
import type { KubeObject } from "#schema";

/** Where the spec of the pods lies. */
const TEMPLATE = { path: "spec.template.spec", of: (object: KubeObject) => (object as Deployment | Service).spec?.template.spec };
const OWN = { path: "spec", of: (object: KubeObject) => (object as Pod | Revision).spec };
const HOLDERS: Readonly<Record<string, { readonly path: string; readonly of: (object: KubeObject) => object | undefined }>> = {
  "/pods": OWN,
  "apps/deployments": TEMPLATE,
  "apps/replicasets": TEMPLATE,
  "serving.knative.dev/services": TEMPLATE,
  "serving.knative.dev/configurations": TEMPLATE,
  "serving.knative.dev/revisions": OWN,
};

/** `tell` gives one sentence a field. Users of the platform hear them, its own controllers do not. */
export function withRuntimeWarnings(
  served: ServedKind,
  options: { readonly ownUser: string; readonly tell: (spec: PodSpec, path: string) => Promise<readonly string[]> },
): ServedKind {
  const holder = HOLDERS[`${served.kind.group}/${served.kind.plural}`];
  if (holder === undefined) return served;
  return {
    ...served,
    async admit(request) {
      const admitted = (await served.admit?.(request)) ?? { object: request.object, warnings: [] };
      const spec = holder.of(admitted.object) as PodSpec | undefined;
      if (request.operation === "DELETE" || request.subresource !== "" || request.user.name === options.ownUser || spec === undefined) return admitted;
      return { ...admitted, warnings: [...admitted.warnings, ...(await options.tell(spec, holder.path))] };
    },
  };
}
