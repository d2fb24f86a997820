// config-domain: which domain a Route's hosts end in, by its labels (serving.md §7).
import { parse as parseYaml } from "yaml";
import type { ConfigData, ConfigError } from "./reader.ts";

/** The cluster's own domain: hosts under it are never public. */
export const CLUSTER_DOMAIN = "cluster.local";
const LOCAL_DOMAIN = `svc.${CLUSTER_DOMAIN}`;

export interface DomainEntry {
  readonly domain: string;
  /** Labels that a Route must have; empty matches all. */
  readonly selector: Readonly<Record<string, string>>;
  readonly wildcard: boolean;
}

export interface DomainConfig {
  readonly domains: readonly DomainEntry[];
}

/** go-yaml's text for input that breaks off; the parsers agree on what is wrong, not on the words. */
export const YAML_ERROR = "error converting YAML to JSON: yaml: line 1: did not find expected node content";

function entryOf(domain: string, text: string): DomainEntry | ConfigError {
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : parseYaml(text);
  } catch {
    return { error: YAML_ERROR };
  }
  if (typeof value !== "object" || value === null)
    return { error: "error unmarshaling JSON: json: cannot unmarshal string into Go value of type config.domainInternalConfig" };
  const { selector, type } = value as { selector?: Record<string, string>; type?: string };
  return { domain, selector: selector ?? {}, wildcard: type !== "domain" && type !== "none" };
}

/** Settings from the data of `config-domain`; with no default entry Routes are cluster-local. */
export function parseDomainConfig(data: ConfigData): DomainConfig | ConfigError {
  const domains: DomainEntry[] = [];
  for (const domain of Object.keys(data)
    .filter((key) => key !== "_example")
    .sort()) {
    const entry = entryOf(domain, data[domain] ?? "");
    if ("error" in entry) return entry;
    domains.push(entry);
  }
  return { domains };
}

/** The domain for an object with these labels: the most specific selector wins, ties by order of names. */
export function domainFor(config: DomainConfig, labels: Readonly<Record<string, string>> | undefined): string {
  if (labels?.["networking.knative.dev/visibility"] === "cluster-local") return LOCAL_DOMAIN;
  let best: DomainEntry | undefined;
  for (const entry of config.domains) {
    const pairs = Object.entries(entry.selector);
    if (!pairs.every(([key, value]) => labels?.[key] === value)) continue;
    if (best === undefined || pairs.length > Object.keys(best.selector).length) best = entry;
  }
  return best?.domain ?? LOCAL_DOMAIN;
}
