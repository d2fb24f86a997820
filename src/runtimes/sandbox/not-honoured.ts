// What a pod may ask for and a sandbox does not give: stored, shown, and told in a Warning (decision 7).
import type { PodSpec } from "#kinds";
import { filteredArchitecture } from "./seccomp-tools.ts";

type Spec = Pick<PodSpec, "containers" | "initContainers" | "securityContext" | "hostNetwork" | "hostPID" | "hostIPC" | "shareProcessNamespace">;

/** What of the machine matters here. */
export interface Honouring {
  readonly asRoot: boolean;
  readonly networks: object | undefined;
  readonly groups: { readonly missing: readonly ("memory" | "cpu")[] };
}

/** One sentence a field that is set and not honoured; `path` is where the spec lies, for instance `spec.template.spec`. */
export function notHonoured(spec: Spec, path: string, { asRoot, networks, groups }: Honouring): string[] {
  const lists = [
    ["containers", spec.containers],
    ["initContainers", spec.initContainers ?? []],
  ] as const;
  const ofContainers = lists.flatMap(([name, containers]) =>
    containers.flatMap(({ resources, securityContext = {}, tty, volumeDevices = [] }, index) => {
      const at = `${path}.${name}[${index}]`;
      const limits = groups.missing.filter((each) => resources?.limits?.[each] !== undefined);
      const storage = (["limits", "requests"] as const).filter((kind) => resources?.[kind]?.["ephemeral-storage"] !== undefined);
      return [
        ...storage.map((kind) => `${at}.resources.${kind}.ephemeral-storage: stored, but a sandbox's disk space is not limited`),
        ...limits.map((each) => `${at}.resources.limits.${each}: stored, but this machine lets Eider make no control groups for it`),
        ...(tty === true ? [`${at}.tty: stored, but a sandbox has no terminal of its own; \`kubectl exec -t\` has one`] : []),
        ...(volumeDevices.length === 0 ? [] : [`${at}.volumeDevices: stored, but sandboxes get no block devices`]),
        ...ofSecurity(securityContext, `${at}.securityContext`, asRoot),
      ];
    }),
  );
  const shared = (["hostPID", "hostIPC", "shareProcessNamespace"] as const).filter((name) => spec[name] === true);
  return [
    ...ofContainers,
    ...ofSecurity(spec.securityContext ?? {}, `${path}.securityContext`, asRoot),
    ...((spec.securityContext?.sysctls ?? []).length === 0 ? [] : [`${path}.securityContext.sysctls: stored, but not set in sandboxes`]),
    ...(spec.hostNetwork === true && networks !== undefined ? [`${path}.hostNetwork: stored, but a sandbox has a network of its own`] : []),
    ...shared.map((name) => `${path}.${name}: stored, but each container of a sandbox has processes and memory of its own`),
  ];
}

interface Security {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly seccompProfile?: { readonly type: string };
  readonly appArmorProfile?: { readonly type: string };
  readonly seLinuxOptions?: object;
  readonly procMount?: string;
}

function ofSecurity(context: Security, at: string, asRoot: boolean): string[] {
  const { seccompProfile, appArmorProfile, seLinuxOptions } = context;
  const filtered = (profile: { readonly type: string } | undefined): boolean => profile !== undefined && profile.type !== "Unconfined";
  return [
    ...(filtered(seccompProfile) && filteredArchitecture() === undefined
      ? [`${at}.seccompProfile: stored, but system calls of sandboxes are not filtered on this processor`]
      : seccompProfile?.type === "Localhost"
        ? [`${at}.seccompProfile.localhostProfile: stored, but the profile RuntimeDefault is used`]
        : []),
    ...(filtered(appArmorProfile) ? [`${at}.appArmorProfile: stored, but not applied to sandboxes`] : []),
    ...(seLinuxOptions === undefined ? [] : [`${at}.seLinuxOptions: stored, but not applied to sandboxes`]),
    ...(context.procMount === undefined || context.procMount === "Default" ? [] : [`${at}.procMount: stored, but /proc is always the default one`]),
    ...(asRoot || (context.runAsUser ?? 0) === 0 ? [] : [`${at}.runAsUser: stored, but Eider does not run as root: the sandbox has one user`]),
    ...(asRoot || (context.runAsGroup ?? 0) === 0 ? [] : [`${at}.runAsGroup: stored, but Eider does not run as root: the sandbox has one group`]),
  ];
}
