// A request as templates of Knative's request log see it: the members of Go's http.Request that make sense here, and what is beside it.
import { TemplateFault, type TemplateObject, type TemplateValue } from "#core";
import { valuesOf } from "../http/head-scan.ts";
import type { RequestFacts } from "../request/request-facts.ts";
import type { RequestHead } from "../http/request-head.ts";
import { traceIdOf } from "./trace-context.ts";

type Members = Readonly<Record<string, (args: readonly TemplateValue[]) => TemplateValue>>;

function object(type: string, members: Members, text: () => string): TemplateObject {
  return {
    member(name, args) {
      const found = Object.hasOwn(members, name) ? members[name] : undefined;
      if (found === undefined) throw new TemplateFault(`can't evaluate field ${name} in type ${type}`);
      return found(args);
    },
    text,
  };
}

function nameOf(value: TemplateValue): string {
  return typeof value === "string" ? value : "";
}

/** `.Request.Header`: names in any case; Go keeps Host out of it. */
function headerOf(head: RequestHead): TemplateObject {
  const all = (name: TemplateValue): readonly string[] => valuesOf(head.text, head.fields, nameOf(name).toLowerCase());
  const one = ([name]: readonly TemplateValue[]): readonly string[] => {
    if (typeof name !== "string") throw new TemplateFault("wrong number of args for Get: want 1 got 0");
    return all(name);
  };
  const members: Members = { Get: (args) => one(args)[0] ?? "", Values: one };
  return {
    ...object("http.Header", members, () => headerText(head)),
    // Keys of the map are canonical names; others are not found.
    index: (key) => (typeof key === "string" && key === canonical(key) && key !== "Host" ? all(key) : []),
  };
}

function headerText(head: RequestHead): string {
  const values = new Map<string, string[]>();
  for (let i = 0; i < head.fields.length; i += 4) {
    const name = canonical(head.text.slice(head.fields[i], head.fields[i + 1]));
    if (name === "Host") continue;
    values.set(name, [...(values.get(name) ?? []), head.text.slice(head.fields[i + 2], head.fields[i + 3])]);
  }
  return `map[${[...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, its]) => `${name}:[${its.join(" ")}]`)
    .join(" ")}]`;
}

function canonical(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function urlOf(head: RequestHead): TemplateObject {
  const query = head.target.slice(head.path.length + 1);
  const members: Members = {
    Path: () => decoded(head.path),
    RawPath: () => "",
    EscapedPath: () => head.path,
    RawQuery: () => query,
    RequestURI: () => head.target,
    String: () => head.target,
    Scheme: () => "",
    Host: () => "",
    Query: () => queryOf(query),
  };
  return object("*url.URL", members, () => head.target);
}

function decoded(path: string): string {
  try {
    return Buffer.from(decodeURIComponent(path), "utf8").toString("latin1");
  } catch {
    return path;
  }
}

function queryOf(query: string): TemplateObject {
  const values = new URLSearchParams(query);
  const octets = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
  const members: Members = { Get: ([name]) => octets(values.get(nameOf(name)) ?? ""), Has: ([name]) => values.has(nameOf(name)) };
  return { ...object("url.Values", members, () => octets(query)), index: (key) => values.getAll(nameOf(key)).map(octets) };
}

function requestOf({ head, clientAddress }: RequestFacts): TemplateObject {
  const field = (name: string): string => valuesOf(head.text, head.fields, name)[0] ?? "";
  const members: Members = {
    Method: () => head.method,
    URL: () => urlOf(head),
    RequestURI: () => head.target,
    Proto: () => `HTTP/1.${head.minor}`,
    ProtoMajor: () => 1,
    ProtoMinor: () => head.minor,
    Header: () => headerOf(head),
    ContentLength: () => (typeof head.framing === "number" ? head.framing : -1),
    TransferEncoding: () => (head.framing === "chunked" ? ["chunked"] : []),
    Host: () => head.authority,
    RemoteAddr: () => clientAddress,
    UserAgent: () => field("user-agent"),
    Referer: () => field("referer"),
  };
  return object("*http.Request", members, () => `${head.method} ${head.target}`);
}

function responseOf(facts: RequestFacts): TemplateObject {
  const members: Members = { Code: () => facts.status, Size: () => facts.responseBytes, Latency: () => latencySeconds(facts) };
  return object("*http.RequestLogResponse", members, () => `&{${facts.status} ${facts.responseBytes} ${latencySeconds(facts)}}`);
}

/** With nanoseconds at most, as Go has them. */
export function latencySeconds({ arrivedMs, endedMs }: RequestFacts): number {
  return Number(((endedMs - arrivedMs) / 1000).toFixed(9));
}

function revisionOf({ backend, pod }: RequestFacts): TemplateObject {
  const [namespace = "", name = ""] = (backend?.key ?? "").split("/");
  const members: Members = {
    Name: () => name,
    Namespace: () => namespace,
    Service: () => backend?.entry.service ?? "",
    Configuration: () => backend?.entry.configuration ?? "",
    PodName: () => pod?.name ?? "",
    PodIP: () => pod?.address.host ?? "",
  };
  return object("*http.RequestLogRevision", members, () => `&{${name} ${namespace}}`);
}

/** The dot of a request log's template. */
export function requestValues(facts: RequestFacts): TemplateObject {
  const members: Members = {
    Request: () => requestOf(facts),
    Response: () => responseOf(facts),
    Revision: () => revisionOf(facts),
    TraceID: () => traceIdOf(facts),
  };
  return object("*http.RequestLogTemplateInput", members, () => "");
}
