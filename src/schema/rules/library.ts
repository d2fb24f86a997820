// Kubernetes' own functions of CEL: lists, patterns, addresses, quantities, URLs, sets, texts.
import { BlockList, isIP, isIPv4 } from "node:net";
import { Environment } from "@marcbachmann/cel-js";
import { formatQuantity, parseQuantity, quantityNumber } from "../quantity.ts";
import { replaceable } from "./pattern.ts";

type Handler = (...args: never[]) => unknown;

class Quantity {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  get number(): number {
    const parsed = parseQuantity(this.text);
    return parsed === undefined ? 0 : quantityNumber(parsed);
  }
}

class Url {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  get parsed(): URL | undefined {
    return URL.canParse(this.text) ? new URL(this.text) : undefined;
  }
}

class Ip {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

class Cidr {
  readonly text: string;
  readonly address: string;
  readonly bits: number;
  constructor(text: string) {
    this.text = text;
    const [address = "", bits = ""] = text.split("/");
    this.address = address;
    this.bits = Number(bits);
  }
  contains(address: string): boolean {
    if (isIP(address) !== isIP(this.address)) return false;
    const list = new BlockList();
    const family = isIPv4(this.address) ? "ipv4" : "ipv6";
    list.addSubnet(this.address, this.bits, family);
    return list.check(address, family);
  }
}

const fail = (message: string): never => {
  throw new Error(message);
};

function less(a: unknown, b: unknown): boolean {
  if (typeof a === "string" || typeof a === "bigint" || typeof a === "number" || a instanceof Date) return (a as number) < (b as number);
  return a === false && b === true;
}

const extreme = (name: string, better: (a: unknown, b: unknown) => boolean) => (list: readonly unknown[]) => {
  if (list.length === 0) return fail(`${name} called on empty list`);
  return list.reduce((kept, one) => (better(one, kept) ? one : kept));
};

const isQuantity = (text: string): boolean => parseQuantity(text) !== undefined;
const isUrl = (text: string): boolean => (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && URL.canParse(text)) || text.startsWith("/");
const isIpText = (text: string): boolean => isIP(text) !== 0 && !text.includes("%") && !/^::ffff:\d/i.test(text);
const isCidrText = (text: string): boolean => {
  const [address = "", bits = "", ...more] = text.split("/");
  return more.length === 0 && isIpText(address) && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128);
};

const quantityOf = (a: Quantity, b: Quantity | bigint): number => (typeof b === "bigint" ? Number(b) : b.number) - a.number;
const sum = (a: Quantity, b: number): Quantity => {
  const parsed = parseQuantity(String(a.number + b));
  return new Quantity(parsed === undefined ? "0" : formatQuantity(parsed));
};

const LISTS: Readonly<Record<string, Handler>> = {
  "list<A>.isSorted(): bool": (list: readonly unknown[]) => list.every((item, index) => index === 0 || !less(item, list[index - 1])),
  "list<int>.sum(): int": (list: readonly bigint[]) => list.reduce((total, one) => total + one, 0n),
  "list<double>.sum(): double": (list: readonly number[]) => list.reduce((total, one) => total + one, 0),
  "list<A>.min(): A": extreme("min", (a, b) => less(a, b)),
  "list<A>.max(): A": extreme("max", (a, b) => less(b, a)),
  "list<A>.indexOf(A): int": (list: readonly unknown[], item: unknown) => BigInt(list.indexOf(item)),
  "list<A>.lastIndexOf(A): int": (list: readonly unknown[], item: unknown) => BigInt(list.lastIndexOf(item)),
};

const TEXTS: Readonly<Record<string, Handler>> = {
  "string.find(string): string": (text: string, source: string) => replaceable(source).find(text)[0] ?? "",
  "string.findAll(string): list<string>": (text: string, source: string) => replaceable(source).find(text),
  "string.findAll(string, int): list<string>": (text: string, source: string, limit: bigint) =>
    limit < 0n ? replaceable(source).find(text) : replaceable(source).find(text).slice(0, Number(limit)),
  "string.charAt(int): string": (text: string, at: bigint) =>
    at < 0n || at > BigInt([...text].length) ? fail(`index out of range: ${at}`) : ([...text][Number(at)] ?? ""),
  "string.replace(string, string): string": (text: string, from: string, to: string) => text.replaceAll(from, () => to),
  "string.replace(string, string, int): string": (text: string, from: string, to: string, count: bigint) => {
    if (count < 0n) return text.replaceAll(from, () => to);
    const parts = text.split(from);
    const kept = Math.min(Number(count), parts.length - 1);
    return (
      parts
        .slice(0, kept)
        .map((part) => part + to)
        .join("") + parts.slice(kept).join(from)
    );
  },
  "string.reverse(): string": (text: string) => [...text].toReversed().join(""),
  "string.format(list<dyn>): string": (text: string, args: readonly unknown[]) => {
    let next = 0;
    return text.replaceAll(/%(%|(?:\.(\d+))?([sdfxXbeo]))/g, (_whole, plain: string, digits: string | undefined, verb: string | undefined) => {
      if (plain === "%") return "%";
      const value = args[next++];
      if (verb === "f") return Number(value).toFixed(Number(digits ?? 6));
      if (verb === "x" || verb === "X")
        return verb === "X"
          ? BigInt(value as bigint)
              .toString(16)
              .toUpperCase()
          : BigInt(value as bigint).toString(16);
      if (verb === "b") return BigInt(value as bigint).toString(2);
      return shown(value);
    });
  },
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  return typeof value === "string" ? value : String(value);
}

const QUANTITIES: Readonly<Record<string, Handler>> = {
  "isQuantity(string): bool": isQuantity,
  "quantity(string): kubernetes.Quantity": (text: string) =>
    isQuantity(text) ? new Quantity(text) : fail(`quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`),
  "kubernetes.Quantity.sign(): int": (a: Quantity) => BigInt(Math.sign(a.number)),
  "kubernetes.Quantity.isInteger(): bool": (a: Quantity) => Number.isSafeInteger(a.number),
  "kubernetes.Quantity.asInteger(): int": (a: Quantity) => (Number.isSafeInteger(a.number) ? BigInt(a.number) : fail("cannot convert value to integer")),
  "kubernetes.Quantity.asApproximateFloat(): double": (a: Quantity) => a.number,
  "kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool": (a: Quantity, b: Quantity) => a.number > b.number,
  "kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool": (a: Quantity, b: Quantity) => a.number < b.number,
  "kubernetes.Quantity.compareTo(kubernetes.Quantity): int": (a: Quantity, b: Quantity) => BigInt(Math.sign(-quantityOf(a, b))),
  "kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity": (a: Quantity, b: Quantity) => sum(a, b.number),
  "kubernetes.Quantity.add(int): kubernetes.Quantity": (a: Quantity, b: bigint) => sum(a, Number(b)),
  "kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity": (a: Quantity, b: Quantity) => sum(a, -b.number),
  "kubernetes.Quantity.sub(int): kubernetes.Quantity": (a: Quantity, b: bigint) => sum(a, -Number(b)),
};

const URLS: Readonly<Record<string, Handler>> = {
  "isURL(string): bool": isUrl,
  "url(string): kubernetes.URL": (text: string) =>
    isUrl(text) ? new Url(text) : fail(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`),
  "kubernetes.URL.getScheme(): string": (url: Url) => url.parsed?.protocol.slice(0, -1) ?? "",
  "kubernetes.URL.getHost(): string": (url: Url) => /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/?#]*@)?([^/?#]*)/i.exec(url.text)?.[1] ?? "",
  "kubernetes.URL.getHostname(): string": (url: Url) => (url.parsed?.hostname ?? "").replaceAll(/^\[|\]$/g, ""),
  "kubernetes.URL.getPort(): string": (url: Url) => /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*:(\d+)(?:[/?#]|$)/i.exec(url.text)?.[1] ?? "",
  "kubernetes.URL.getEscapedPath(): string": (url: Url) => /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(url.text)?.[1] ?? "",
  "kubernetes.URL.getQuery(): map<string, list<string>>": (url: Url) => {
    const query = new URLSearchParams(url.text.split("?")[1]?.split("#")[0] ?? "");
    return new Map([...query.keys()].map((key) => [key, query.getAll(key)]));
  },
};

const ADDRESSES: Readonly<Record<string, Handler>> = {
  "isIP(string): bool": isIpText,
  "ip(string): kubernetes.IP": (text: string) =>
    isIpText(text)
      ? new Ip(text)
      : fail(`IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`),
  "kubernetes.IP.family(): int": (ip: Ip) => BigInt(isIP(ip.text)),
  "kubernetes.IP.isLoopback(): bool": (ip: Ip) => ip.text.startsWith("127.") || ip.text === "::1",
  "kubernetes.IP.isUnspecified(): bool": (ip: Ip) => ip.text === "0.0.0.0" || ip.text === "::",
  "isCIDR(string): bool": isCidrText,
  "cidr(string): kubernetes.CIDR": (text: string) =>
    isCidrText(text) ? new Cidr(text) : fail(`network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): no '/'`),
  "kubernetes.CIDR.containsIP(string): bool": (cidr: Cidr, text: string) => cidr.contains(text),
  "kubernetes.CIDR.containsIP(kubernetes.IP): bool": (cidr: Cidr, ip: Ip) => cidr.contains(ip.text),
  "kubernetes.CIDR.containsCIDR(string): bool": (cidr: Cidr, text: string) => new Cidr(text).bits >= cidr.bits && cidr.contains(new Cidr(text).address),
  "kubernetes.CIDR.containsCIDR(kubernetes.CIDR): bool": (cidr: Cidr, other: Cidr) => other.bits >= cidr.bits && cidr.contains(other.address),
  "kubernetes.CIDR.prefixLength(): int": (cidr: Cidr) => BigInt(cidr.bits),
  "kubernetes.CIDR.ip(): kubernetes.IP": (cidr: Cidr) => new Ip(cidr.address),
};

/** What stands before the dot of `sets.contains`. */
class Sets {
  readonly name = "sets";
}
const SETS: Readonly<Record<string, Handler>> = {
  "Sets.contains(list<A>, list<A>): bool": (_sets: Sets, list: readonly unknown[], other: readonly unknown[]) => other.every((item) => list.includes(item)),
  "Sets.intersects(list<A>, list<A>): bool": (_sets: Sets, list: readonly unknown[], other: readonly unknown[]) => other.some((item) => list.includes(item)),
  "Sets.equivalent(list<A>, list<A>): bool": (_sets: Sets, list: readonly unknown[], other: readonly unknown[]) =>
    other.every((item) => list.includes(item)) && list.every((item) => other.includes(item)),
};

/** An environment with CEL's and Kubernetes' functions, to be extended by the types of a schema. */
export function baseEnvironment(): Environment {
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false, unlistedVariablesAreDyn: false });
  for (const [name, ctor] of [
    ["kubernetes.Quantity", Quantity],
    ["kubernetes.URL", Url],
    ["kubernetes.IP", Ip],
    ["kubernetes.CIDR", Cidr],
    ["Sets", Sets],
  ] as const) {
    environment.registerType(name, { ctor, fields: {} } as never);
  }
  environment.registerConstant("sets", "Sets", new Sets() as never);
  for (const functions of [LISTS, TEXTS, QUANTITIES, URLS, ADDRESSES, SETS]) {
    for (const [signature, handler] of Object.entries(functions)) environment.registerFunction(signature, handler as never);
  }
  environment.registerOperator("kubernetes.Quantity == kubernetes.Quantity", ((a: Quantity, b: Quantity) => a.number === b.number) as never);
  environment.registerOperator("kubernetes.IP == kubernetes.IP", ((a: Ip, b: Ip) => a.text === b.text) as never);
  environment.registerOperator("kubernetes.CIDR == kubernetes.CIDR", ((a: Cidr, b: Cidr) => a.text === b.text) as never);
  environment.registerOperator("kubernetes.URL == kubernetes.URL", ((a: Url, b: Url) => a.text === b.text) as never);
  return environment;
}
