// What a container's program may: capabilities and new privileges. Pure.
import type { CoreContainer, PodSpec } from "#kinds";
import type { Identity } from "./enter.ts";
import type { ContainerUser } from "./image-user.ts";

/** What container engines leave to a container's root. */
export const CAPABILITIES_DEFAULT = [
  "audit_write",
  "chown",
  "dac_override",
  "fowner",
  "fsetid",
  "kill",
  "mknod",
  "net_bind_service",
  "net_raw",
  "setfcap",
  "setgid",
  "setpcap",
  "setuid",
  "sys_chroot",
] as const;

export function identityFor(container: CoreContainer, user: ContainerUser | undefined): Identity {
  const { capabilities, privileged, allowPrivilegeEscalation } = container.securityContext ?? {};
  const add = namesOf(capabilities?.add);
  const drop = namesOf(capabilities?.drop);
  const base = privileged === true || add.has("all") ? ["all"] : drop.has("all") ? [] : CAPABILITIES_DEFAULT.filter((name) => !drop.has(name));
  const all = privileged === true ? ["all"] : [...new Set([...base, ...[...add].filter((name) => name !== "all")])];
  return { user, capabilities: all, noNewPrivileges: allowPrivilegeEscalation === false };
}

/** Whether its system calls are filtered. Profiles of the machine are not read here: who names one gets the usual one. */
export function isFiltered({ securityContext }: CoreContainer, spec: Pick<PodSpec, "securityContext">): boolean {
  const { type = "Unconfined" } = securityContext?.seccompProfile ?? spec.securityContext?.seccompProfile ?? {};
  return type !== "Unconfined" && securityContext?.privileged !== true;
}

/** `CAP_NET_ADMIN` and `NET_ADMIN` are one. */
function namesOf(names: readonly string[] | undefined): Set<string> {
  return new Set((names ?? []).map((name) => name.toLowerCase().replace(/^cap_/, "")));
}
