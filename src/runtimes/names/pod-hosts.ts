// What a pod has as /etc/hosts, where we write it. Pure.

export interface HostsInput {
  readonly podIP: string;
  readonly hostname: string;
  /** Beyond localhost and the pod itself. */
  readonly hosts: readonly { readonly ip: string; readonly names: readonly string[] }[];
}

export function hostsText({ podIP, hostname, hosts }: HostsInput): string {
  const lines = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    `${podIP}\t${hostname}`,
    ...hosts.map(({ ip, names }) => `${ip}\t${names.join(" ")}`),
  ];
  return `${lines.join("\n")}\n`;
}
