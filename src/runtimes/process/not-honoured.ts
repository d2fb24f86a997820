// What a pod may ask for and a process pod does not get: stored, shown, and told in a Warning (decisions 7 and 12).
import type { PodSpec } from "#kinds";

type Spec = Pick<PodSpec, "containers" | "initContainers" | "securityContext">;

/** One sentence a field that is set and not honoured; `path` is where the spec lies, for instance `spec.template.spec`. */
export function notHonoured(spec: Spec, path: string): string[] {
  const lists = [
    ["containers", spec.containers],
    ["initContainers", spec.initContainers ?? []],
  ] as const;
  const ofContainers = lists.flatMap(([name, containers]) =>
    containers.flatMap(({ resources, securityContext, tty }, index) => {
      const at = `${path}.${name}[${index}]`;
      const limits = Object.keys(resources?.limits ?? {});
      return [
        ...(limits.length === 0 ? [] : [`${at}.resources.limits: stored, but process pods run without limits of ${limits.sort().join(" and ")}`]),
        ...(tty === true ? [`${at}.tty: stored, but a process pod has no terminal of its own; \`kubectl exec -t\` has one`] : []),
        ...(isEmpty(securityContext) ? [] : [`${at}.securityContext: stored, but process pods are not isolated; run code that you trust`]),
      ];
    }),
  );
  return [
    ...ofContainers,
    ...(isEmpty(spec.securityContext) ? [] : [`${path}.securityContext: stored, but process pods are not isolated; run code that you trust`]),
  ];
}

function isEmpty(value: object | undefined): boolean {
  return Object.keys(value ?? {}).length === 0;
}
