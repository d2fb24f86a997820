// JSON as Go's encoder writes an Ingress' spec: hashes of it are compared with those of Knative's own programs.
import type { Ingress, IngressPath, IngressRule, IngressSplit, IngressTls } from "#kinds";

type Fields = readonly (readonly [name: string, text: string])[];

/** Members in the order of Go's struct; those marked omitempty are left out when they are empty. */
export function ingressSpecJson(spec: NonNullable<Ingress["spec"]>): string {
  return object([list("tls", spec.tls, tlsJson), list("rules", spec.rules, ruleJson), text("httpOption", spec.httpOption)]);
}

function tlsJson({ hosts, secretName, secretNamespace }: IngressTls): string {
  return object([list("hosts", hosts, quoted), text("secretName", secretName), text("secretNamespace", secretNamespace)]);
}

function ruleJson({ hosts, visibility, http }: IngressRule): string {
  const paths = http === undefined ? [] : [["http", object([[["paths", array(http.paths, pathJson)]]])] as const];
  return object([list("hosts", hosts, quoted), text("visibility", visibility), paths]);
}

function pathJson({ path, rewriteHost, headers, splits, appendHeaders }: IngressPath): string {
  return object([
    text("path", path),
    text("rewriteHost", rewriteHost),
    sorted("headers", headers, (match) => object([[["exact", quoted(match.exact ?? "")]]])),
    [["splits", array(splits, splitJson)]],
    sorted("appendHeaders", appendHeaders, quoted),
  ]);
}

function splitJson({ serviceNamespace, serviceName, servicePort, percent, appendHeaders }: IngressSplit): string {
  return object([
    [
      ["serviceNamespace", quoted(serviceNamespace)],
      ["serviceName", quoted(serviceName)],
      ["servicePort", typeof servicePort === "number" ? String(servicePort) : quoted(servicePort)],
    ],
    percent === undefined || percent === 0 ? [] : [["percent", String(percent)]],
    sorted("appendHeaders", appendHeaders, quoted),
  ]);
}

function object(members: readonly Fields[]): string {
  return `{${members
    .flat()
    .map(([name, value]) => `"${name}":${value}`)
    .join(",")}}`;
}

function array<T>(items: readonly T[], write: (item: T) => string): string {
  return `[${items.map(write).join(",")}]`;
}

function text(name: string, value: string | undefined): Fields {
  return value === undefined || value === "" ? [] : [[name, quoted(value)]];
}

function list<T>(name: string, items: readonly T[] | undefined, write: (item: T) => string): Fields {
  return items === undefined || items.length === 0 ? [] : [[name, array(items, write)]];
}

/** A map: Go sorts its keys by their octets. */
function sorted<T>(name: string, map: Readonly<Record<string, T>> | undefined, write: (value: T) => string): Fields {
  const entries = Object.entries(map ?? {}).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return entries.length === 0 ? [] : [[name, `{${entries.map(([key, value]) => `${quoted(key)}:${write(value)}`).join(",")}}`]];
}

/** Go also escapes what could end a script element, and the line ends that JavaScript once minded. */
function quoted(value: string): string {
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
