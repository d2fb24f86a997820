// What a pod may ask for and a container of a Docker-compatible daemon does not get: stored, shown, and told in a Warning (decision 7).
import type { PodSpec } from "#kinds";

/** One sentence a field that is set and not honoured; `path` is where the spec lies, for instance `spec.template.spec`. */
export function notHonoured(spec: PodSpec, path: string): string[] {
  const lists = [
    ["containers", spec.containers],
    ["initContainers", spec.initContainers ?? []],
  ] as const;
  const ofContainers = lists.flatMap(([name, containers]) =>
    containers.flatMap(({ resources, securityContext, volumeDevices }, index) => {
      const at = `${path}.${name}[${index}]`;
      const storage = ["limits", "requests"].filter((kind) => resources?.[kind as "limits" | "requests"]?.["ephemeral-storage"] !== undefined);
      return [
        ...storage.map((kind) => `${at}.resources.${kind}.ephemeral-storage: stored, but a container's disk space is not limited`),
        ...(securityContext?.seccompProfile?.type === "Localhost"
          ? [`${at}.securityContext.seccompProfile.localhostProfile: stored, but the daemon's own profile is used`]
          : []),
        ...(securityContext?.procMount === undefined || securityContext.procMount === "Default"
          ? []
          : [`${at}.securityContext.procMount: stored, but /proc is mounted as the daemon does it`]),
        ...(securityContext?.seLinuxOptions === undefined ? [] : [`${at}.securityContext.seLinuxOptions: stored, but labels are the daemon's`]),
        ...((volumeDevices ?? []).length === 0 ? [] : [`${at}.volumeDevices: stored, but there are no block volumes`]),
      ];
    }),
  );
  return [
    ...ofContainers,
    ...(spec.securityContext?.seccompProfile?.type === "Localhost"
      ? [`${path}.securityContext.seccompProfile.localhostProfile: stored, but the daemon's own profile is used`]
      : []),
    ...(spec.hostUsers === false ? [`${path}.hostUsers: stored, but user namespaces are the daemon's to set`] : []),
    ...((spec.subdomain ?? "") === "" ? [] : [`${path}.subdomain: stored, but pods have no names of their own in DNS`]),
  ];
}
