// What a writer of pods and templates is told although the object is taken.
import type { Container, PodSpec } from "./v1.types.ts";

/** Ports that two containers, or one of them twice, declare alike. */
function portWarnings(field: string, containers: readonly Container[]): string[] {
  const seen = new Map<string, string>();
  return containers.flatMap(({ ports = [] }, at) =>
    ports.flatMap(({ containerPort, protocol, hostPort }, index) => {
      const key = `${containerPort}/${protocol ?? "TCP"}/${hostPort ?? 0}`;
      const here = `${field}.containers[${at}].ports[${index}]`;
      const before = seen.get(key);
      if (before === undefined) seen.set(key, here);
      return before === undefined ? [] : [`${here}: duplicate port definition with ${before}`];
    }),
  );
}

/** For the spec at `field`. */
export function podSpecWarnings(field: string, spec: PodSpec): string[] {
  const secrets = (spec.imagePullSecrets ?? []).flatMap(({ name = "" }, index) =>
    name === "" ? [`${field}.imagePullSecrets[${index}].name: invalid empty name ""`] : [],
  );
  return [...secrets, ...portWarnings(field, spec.containers ?? [])];
}
