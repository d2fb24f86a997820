// How a pod's resolver is set up: `dnsPolicy` and `dnsConfig`, as the kubelet reads them. Pure.
import type { Pod } from "#kinds";
import type { HostResolvers } from "./forwarder.ts";

export interface PodDns {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** Kubernetes' limits: more is left out. */
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;

export interface DnsInput {
  /** Our own resolver; undefined where there is none. */
  readonly nameserver: string | undefined;
  readonly domain: string;
  readonly host: HostResolvers;
}

/** Whether the pod asks for the names of the cluster. */
export function asksForCluster({ spec }: Pod): boolean {
  const policy = spec.dnsPolicy ?? "ClusterFirst";
  return policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && spec.hostNetwork !== true);
}

export function dnsFor(pod: Pod, { nameserver, domain, host }: DnsInput): PodDns {
  const { dnsPolicy, dnsConfig = {} } = pod.spec;
  const namespace = pod.metadata.namespace ?? "default";
  const base: PodDns =
    dnsPolicy === "None"
      ? { nameservers: [], searches: [], options: [] }
      : nameserver === undefined || !asksForCluster(pod)
        ? host
        : { nameservers: [nameserver], searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches], options: ["ndots:5"] };
  const asked = (dnsConfig.options ?? []).map(({ name = "", value }) => (value === undefined ? name : `${name}:${value}`));
  const names = new Set(asked.map(nameOf));
  return {
    nameservers: unique([...base.nameservers, ...(dnsConfig.nameservers ?? [])]).slice(0, NAMESERVERS_MAX),
    searches: unique([...base.searches, ...(dnsConfig.searches ?? [])]).slice(0, SEARCHES_MAX),
    options: [...base.options.filter((option) => !names.has(nameOf(option))), ...asked],
  };
}

export function resolvConf({ nameservers, searches, options }: PodDns): string {
  const line = (name: string, words: readonly string[]): string[] => (words.length === 0 ? [] : [`${name} ${words.join(" ")}`]);
  const lines = [...line("search", searches), ...nameservers.map((server) => `nameserver ${server}`), ...line("options", options)];
  return `${lines.join("\n")}\n`;
}

function nameOf(option: string): string {
  return option.split(":")[0] ?? "";
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}
