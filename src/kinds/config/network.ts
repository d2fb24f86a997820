// config-network: classes, host names and TLS (serving.md §7).
import { parseGoTemplate, renderGoTemplate, type GoTemplate, type TemplateValues } from "./go-template.ts";
import { ConfigReader, parseBool, parseIntText, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

export interface NetworkConfig {
  readonly ingressClass: string;
  readonly certificateClass: string;
  readonly domainTemplate: GoTemplate;
  readonly tagTemplate: GoTemplate;
  readonly externalDomainTls: boolean;
  readonly clusterLocalDomainTls: boolean;
  readonly systemInternalTls: boolean;
  readonly httpProtocol: "Enabled" | "Redirected" | "Disabled";
  /** YAML text of a label selector; "" selects nothing. */
  readonly namespaceWildcardCertSelector: string;
  readonly rolloutDurationSeconds: number;
  readonly autocreateClusterDomainClaims: boolean;
  readonly defaultExternalScheme: string;
  readonly meshCompatibilityMode: "auto" | "enabled" | "disabled";
  readonly enableMeshPodAddressability: boolean;
}

/** The ingress class of our own gateway. */
export const EIDER_INGRESS_CLASS = "eider.ingress.networking.knative.dev";

/** What a domain template may name: of the Route, with the domain chosen for it. */
export interface DomainValues {
  readonly name: string;
  readonly namespace: string;
  readonly domain: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

const domainTemplateValues = (of: DomainValues): TemplateValues => ({
  Name: of.name,
  Namespace: of.namespace,
  Domain: of.domain,
  Annotations: of.annotations ?? {},
  Labels: of.labels ?? {},
});

const DOMAIN_TYPE = "config.DomainTemplateValues";
const TAG_TYPE = "config.TagTemplateValues";

/** The host of a Route. */
export function hostFor(config: NetworkConfig, of: DomainValues): string {
  const rendered = renderGoTemplate(config.domainTemplate, domainTemplateValues(of), DOMAIN_TYPE);
  return "text" in rendered ? rendered.text : "";
}

/** The name that takes the Route's place for a tag: in hosts and in the placeholder Service. */
export function tagNameFor(config: NetworkConfig, of: { readonly name: string; readonly tag: string }): string {
  const rendered = renderGoTemplate(config.tagTemplate, { Name: of.name, Tag: of.tag }, TAG_TYPE);
  return "text" in rendered ? rendered.text : "";
}

function domainTemplate(reader: ConfigReader): GoTemplate {
  const fallback: GoTemplate = { name: "domain-template", parts: [] };
  const parsed = parseGoTemplate("domain-template", reader.text(["domain-template", "domainTemplate"], "{{.Name}}.{{.Namespace}}.{{.Domain}}"));
  if ("error" in parsed) {
    reader.fail(parsed.error);
    return fallback;
  }
  const tried = renderGoTemplate(parsed, domainTemplateValues({ name: "foo", namespace: "bar", domain: "baz.com" }), DOMAIN_TYPE);
  if ("error" in tried) {
    reader.fail(tried.error);
    return fallback;
  }
  const slash = tried.text.indexOf("/");
  if (tried.text === "" || slash === 0) reader.fail("empty hostname");
  else if (slash > 0) reader.fail(`domain template has url path: ${tried.text.slice(slash)}`);
  return parsed;
}

function tagTemplate(reader: ConfigReader): GoTemplate {
  const parsed = parseGoTemplate("tag-template", reader.text(["tag-template", "tagTemplate"], "{{.Tag}}-{{.Name}}"));
  if ("error" in parsed) {
    reader.fail(parsed.error);
    return { name: "tag-template", parts: [] };
  }
  const tried = renderGoTemplate(parsed, { Name: "foo", Tag: "v1" }, TAG_TYPE);
  if ("error" in tried) reader.fail(tried.error);
  return parsed;
}

function rolloutDuration(reader: ConfigReader): number {
  const key = ["rollout-duration", "rolloutDuration"].find((name) => reader.data[name] !== undefined);
  if (key === undefined) return 0;
  const text = reader.data[key] ?? "";
  const parsed = parseIntText(text);
  if ("error" in parsed) reader.fail(`failed to parse ${JSON.stringify(key)}: ${parsed.error}`);
  else if (parsed.value < 0) reader.fail(`${key} must be a positive integer, but was ${parsed.value}`);
  else return parsed.value;
  return 0;
}

function httpProtocol(reader: ConfigReader): NetworkConfig["httpProtocol"] {
  const text = reader.text(["http-protocol", "httpProtocol"], "Enabled");
  const known = (["Enabled", "Redirected", "Disabled"] as const).find((value) => value.toLowerCase() === text.toLowerCase());
  if (known === undefined && text !== "") reader.fail(`httpProtocol ${text} in config-network ConfigMap is not supported`);
  return known ?? "Enabled";
}

const isEnabled = (text: string): boolean => text.toLowerCase() === "enabled";

function systemInternalTls(reader: ConfigReader): boolean {
  const old = parseBool(reader.data["internal-encryption"] ?? "");
  const text = reader.data["system-internal-tls"];
  if (text === undefined) return old ?? false;
  if (!["enabled", "disabled", ""].includes(text.toLowerCase())) {
    reader.fail(`system-internal-tls with value: ${JSON.stringify(text)} in config-network ConfigMap is not supported`);
  }
  return isEnabled(text);
}

function meshMode(text: string): NetworkConfig["meshCompatibilityMode"] {
  return (["auto", "enabled", "disabled"] as const).find((mode) => mode === text.toLowerCase()) ?? "auto";
}

/** Settings from the data of `config-network`; the error is the webhook's text. */
export function parseNetworkConfig(data: ConfigData): NetworkConfig | ConfigError {
  const reader = new ConfigReader(data);
  const config: NetworkConfig = {
    ingressClass: reader.text(["ingress-class", "ingress.class"], EIDER_INGRESS_CLASS),
    certificateClass: reader.text(["certificate-class", "certificate.class"], "cert-manager.certificate.networking.knative.dev"),
    rolloutDurationSeconds: rolloutDuration(reader),
    autocreateClusterDomainClaims: reader.boolean(["autocreate-cluster-domain-claims", "autocreateClusterDomainClaims"], false),
    enableMeshPodAddressability: reader.boolean("enable-mesh-pod-addressability", false),
    meshCompatibilityMode: meshMode(reader.text("mesh-compatibility-mode", "auto")),
    defaultExternalScheme: reader.text(["default-external-scheme", "defaultExternalScheme"], "http"),
    namespaceWildcardCertSelector: reader.text("namespace-wildcard-cert-selector", ""),
    domainTemplate: domainTemplate(reader),
    tagTemplate: tagTemplate(reader),
    externalDomainTls: isEnabled(reader.text(["external-domain-tls", "auto-tls", "autoTLS"], "Disabled")),
    clusterLocalDomainTls: isEnabled(reader.text("cluster-local-domain-tls", "Disabled")),
    systemInternalTls: systemInternalTls(reader),
    httpProtocol: httpProtocol(reader),
  };
  return resultOf(reader, config);
}
