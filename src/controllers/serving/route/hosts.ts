// Host names and URLs of a Route and its tags (serving.md §2.7).
import { CLUSTER_DOMAIN, domainFor, hostFor, networking, tagNameFor, type Route, type ServingConfig } from "#kinds";
import { without } from "../annotations.ts";

export type HostSettings = Pick<ServingConfig, "domain" | "network">;
export type Visibility = "ExternalIP" | "ClusterLocal";
export type HostResult = { readonly host: string } | { readonly error: string };

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character " +
  "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character " +
  "(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** What Kubernetes says about a host that is not a fully qualified domain name; empty when it is one. */
function complaints(host: string): string[] {
  if (host === "") return ["url: Required value"];
  const invalid = (value: string, rule: string): string => `url: Invalid value: ${JSON.stringify(value)}: ${rule}`;
  const name = host.replace(/\.$/, "");
  const labels = name.split(".");
  const found: string[] = [];
  if (name.length > 253) found.push(invalid(name, "must be no more than 253 characters"));
  if (!SUBDOMAIN.test(name)) found.push(invalid(name, SUBDOMAIN_RULE));
  if (found.length > 0) return found;
  if (labels.length < 2) return [invalid(name, "should be a domain with at least two segments separated by dots")];
  for (const label of labels) {
    if (label.length > 63) found.push(invalid(label, "must be no more than 63 characters"));
    if (!LABEL.test(label)) found.push(invalid(label, LABEL_RULE));
  }
  return found;
}

function checked(host: string): HostResult {
  const found = [...new Set(complaints(host))];
  if (found.length === 0) return { host };
  const text = found.length === 1 ? found[0] : `[${found.join(", ")}]`;
  return { error: `domain name error: invalid domain name ${JSON.stringify(host)}: ${text}` };
}

/** The name that stands for a Route ("" as tag) or one of its tags: in hosts, and of the placeholder Service. */
export function nameFor(route: Route, tag: string, settings: HostSettings): string {
  return tag === "" ? route.metadata.name : tagNameFor(settings.network, { name: route.metadata.name, tag });
}

function render(route: Route, name: string, its: { readonly labels: Readonly<Record<string, string>>; readonly settings: HostSettings }): HostResult {
  const { labels, settings } = its;
  const { namespace = "", annotations } = route.metadata;
  const domain = domainFor(settings.domain, labels);
  // Local hosts do not follow the template: other programs find them by their usual form.
  if (labels[networking.visibility] === networking.clusterLocal) return checked(`${name}.${namespace}.${domain}`);
  return checked(hostFor(settings.network, { name, namespace, domain, annotations, labels }));
}

/** The host under which a tag is reached with the given visibility. */
export function hostOf(route: Route, tag: string, its: { readonly visibility: Visibility; readonly settings: HostSettings }): HostResult {
  const others = without(route.metadata.labels, (key) => key === networking.visibility);
  const labels = its.visibility === "ClusterLocal" ? { ...others, [networking.visibility]: networking.clusterLocal } : others;
  return render(route, nameFor(route, tag, its.settings), { labels, settings: its.settings });
}

/** The host that a placeholder Service names before there is a gateway to point to. */
export function placeholderHostOf(route: Route, tag: string, settings: HostSettings): HostResult {
  return render(route, nameFor(route, tag, settings), { labels: route.metadata.labels ?? {}, settings });
}

/** The forms in which a local host may be written. */
export function localHosts(host: string): string[] {
  const suffix = `.${CLUSTER_DOMAIN}`;
  const short = host.endsWith(suffix) ? host.slice(0, -suffix.length) : host;
  const shortest = short.endsWith(".svc") ? short.slice(0, -".svc".length) : short;
  return [...new Set([host, short, shortest])].sort();
}

/** Whether the Route as a whole is only for the cluster. */
export function routeVisibility(route: Route, settings: HostSettings): Visibility {
  return domainFor(settings.domain, route.metadata.labels) === `svc.${CLUSTER_DOMAIN}` ? "ClusterLocal" : "ExternalIP";
}

/** A URL as users open it; the port is shown where the gateway is not on the scheme's own. */
export function urlOf(
  host: string,
  its: { readonly visibility: Visibility; readonly settings: HostSettings; readonly publicPort: number | undefined },
): string {
  if (its.visibility === "ClusterLocal") return `http://${host}`;
  return `${its.settings.network.defaultExternalScheme}://${host}${its.publicPort === undefined ? "" : `:${its.publicPort}`}`;
}

/** Where other programs of the cluster reach the Route. */
export function addressOf(route: Route): string {
  return `http://${route.metadata.name}.${route.metadata.namespace ?? ""}.svc.${CLUSTER_DOMAIN}`;
}
