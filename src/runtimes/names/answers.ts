// What names of the cluster mean (Kubernetes' "DNS-Based Service Discovery", 1.1.0). Pure.
import type { EndpointFacts, ServiceBook } from "./service-book.ts";

export const TTL_SECONDS = 5;
const DNS_VERSION = "1.1.0";
/** An ExternalName may stand for a Service that stands for another one. */
const HOPS_MAX = 8;

export type NameRecord =
  | { readonly type: "A"; readonly name: string; readonly data: string }
  | { readonly type: "CNAME" | "PTR"; readonly name: string; readonly data: string }
  | { readonly type: "TXT"; readonly name: string; readonly data: string }
  | { readonly type: "SRV"; readonly name: string; readonly data: { readonly port: number; readonly target: string; readonly weight: number } };

export interface NameQuestion {
  /** Lower case, without a dot at its end. */
  readonly name: string;
  readonly type: string;
}

export type NameAnswer =
  | { readonly is: "known"; readonly records: readonly NameRecord[]; readonly additional: readonly NameRecord[]; readonly services: readonly string[] }
  /** There is no such name in the cluster. */
  | { readonly is: "unknown" }
  /** It stands for a name outside: the records so far, and what is to be asked elsewhere. */
  | { readonly is: "alias"; readonly records: readonly NameRecord[]; readonly target: string }
  | { readonly is: "elsewhere" };

const NOTHING: NameAnswer = { is: "known", records: [], additional: [], services: [] };

/** `services` of the answer are the keys of those whose addresses were given away. */
export function answerFor(question: NameQuestion, book: ServiceBook, domain: string): NameAnswer {
  const { name } = question;
  if (name === domain || name === `svc.${domain}` || name === `pod.${domain}`) return NOTHING;
  if (name.endsWith(".in-addr.arpa")) return pointer(question, book, domain);
  if (!name.endsWith(`.${domain}`)) return { is: "elsewhere" };
  const labels = name.slice(0, -domain.length - 1).split(".");
  if (labels.length === 1 && labels[0] === "dns-version") return question.type === "TXT" ? known([{ type: "TXT", name, data: DNS_VERSION }]) : NOTHING;
  const kind = labels.pop();
  const namespace = labels.pop() ?? "";
  if (kind === "pod") return ofPod(question, labels);
  if (kind !== "svc") return { is: "unknown" };
  if (labels.length === 0) return book.hasNamespace(namespace) ? NOTHING : { is: "unknown" };
  return ofService(question, { labels, namespace }, book, domain);
}

interface Path {
  /** What stands before the namespace. */
  readonly labels: readonly string[];
  readonly namespace: string;
}

function ofService(question: NameQuestion, { labels, namespace }: Path, book: ServiceBook, domain: string): NameAnswer {
  const key = `${namespace}/${labels.at(-1) ?? ""}`;
  const service = book.service(key);
  if (service === undefined) return { is: "unknown" };
  if (service.externalName !== undefined) return labels.length === 1 ? alias(question, key, book, domain) : { is: "unknown" };
  if (labels.length === 1) {
    if (service.address !== undefined) return addresses(question, [service.address], [key]);
    return addresses(question, [...new Set(book.endpoints(key).map(({ address }) => address))], []);
  }
  if (labels.length === 2 && service.address === undefined) {
    const found = book.endpoints(key).filter((endpoint) => labelOf(endpoint) === labels[0]);
    return found.length === 0 ? { is: "unknown" } : addresses(question, [...new Set(found.map(({ address }) => address))], []);
  }
  const [port = "", protocol = ""] = labels;
  if (labels.length !== 3 || !port.startsWith("_") || !protocol.startsWith("_")) return { is: "unknown" };
  return ports(question, { key, port: port.slice(1), protocol: protocol.slice(1).toUpperCase(), base: `${labels[2] ?? ""}.${namespace}.svc.${domain}` }, book);
}

function ports(
  { name, type }: NameQuestion,
  { key, port, protocol, base }: { readonly key: string; readonly port: string; readonly protocol: string; readonly base: string },
  book: ServiceBook,
): NameAnswer {
  const service = book.service(key);
  const rows =
    service?.address === undefined
      ? book
          .endpoints(key)
          .flatMap((endpoint) =>
            endpoint.ports
              .filter((each) => each.name === port && each.protocol === protocol)
              .map((each) => ({ port: each.port, target: `${labelOf(endpoint)}.${base}`, address: endpoint.address })),
          )
      : service.ports
          .filter((each) => each.name === port && each.protocol === protocol)
          .map((each) => ({ port: each.port, target: base, address: service.address ?? "" }));
  if (rows.length === 0) return { is: "unknown" };
  if (type !== "SRV") return NOTHING;
  const weight = Math.floor(100 / rows.length) || 1;
  return {
    is: "known",
    records: rows.map((row) => ({ type: "SRV", name, data: { port: row.port, target: row.target, weight } })),
    additional: rows.map((row) => ({ type: "A", name: row.target, data: row.address })),
    services: service?.address === undefined ? [] : [key],
  };
}

/** Follows names within the cluster to their end. */
function alias({ name, type }: NameQuestion, start: string, book: ServiceBook, domain: string): NameAnswer {
  const records: NameRecord[] = [];
  let key = start;
  let at = name;
  for (let hop = 0; hop < HOPS_MAX; hop++) {
    const { externalName: target = "" } = book.service(key) ?? {};
    records.push({ type: "CNAME", name: at, data: target });
    if (type === "CNAME") return known(records);
    const [service, namespace, svc, ...more] = target.endsWith(`.${domain}`) ? target.slice(0, -domain.length - 1).split(".") : [];
    if (svc === undefined) return { is: "alias", records, target };
    key = `${namespace ?? ""}/${service ?? ""}`;
    at = target;
    const next = svc === "svc" && more.length === 0 ? book.service(key) : undefined;
    if (next === undefined) return known(records);
    if (next.externalName !== undefined) continue;
    const last = next.address === undefined ? [...new Set(book.endpoints(key).map(({ address }) => address))] : [next.address];
    const answer = addresses({ name: at, type }, last, next.address === undefined ? [] : [key]);
    return answer.is === "known" ? { ...answer, records: [...records, ...answer.records] } : answer;
  }
  return { is: "unknown" };
}

/** `10-88-0-7.default.pod.cluster.local`: the address that the name says. */
function ofPod(question: NameQuestion, labels: readonly string[]): NameAnswer {
  const address = (labels[0] ?? "").replaceAll("-", ".");
  return labels.length === 1 && /^(?:\d{1,3}\.){3}\d{1,3}$/.test(address) ? addresses(question, [address], []) : { is: "unknown" };
}

function pointer({ name, type }: NameQuestion, book: ServiceBook, domain: string): NameAnswer {
  const address = name.slice(0, -".in-addr.arpa".length).split(".").toReversed().join(".");
  const key = book.keyOf(address);
  if (key === undefined) return { is: "elsewhere" };
  const [namespace = "", service = ""] = key.split("/");
  return type === "PTR" ? known([{ type: "PTR", name, data: `${service}.${namespace}.svc.${domain}` }]) : NOTHING;
}

function addresses({ name, type }: NameQuestion, found: readonly string[], services: readonly string[]): NameAnswer {
  if (type !== "A" && type !== "ANY") return NOTHING;
  return { is: "known", records: found.filter((each) => !each.includes(":")).map((data) => ({ type: "A", name, data })), additional: [], services };
}

function known(records: readonly NameRecord[]): NameAnswer {
  return { is: "known", records, additional: [], services: [] };
}

function labelOf({ hostname, address }: EndpointFacts): string {
  return hostname ?? address.replaceAll(".", "-");
}
