// The PROXY protocol, versions 1 and 2: what a load balancer says about the client before the client's own octets.
import { isIPv4, isIPv6 } from "node:net";

/** Longest header of version 1, with its CRLF. */
const TEXT_BYTES_MAX = 107;
/** Longest header of version 2 with its extra fields. */
const BINARY_BYTES_MAX = 4096;
const BINARY_START = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const TEXT_START = Buffer.from("PROXY ", "latin1");
const BINARY_HEAD_BYTES = 16;

export interface ProxyHeader {
  /** Index of the first octet of the client. */
  readonly end: number;
  /** The client's address; undefined when the balancer speaks for itself, or does not know. */
  readonly address: string | undefined;
}

/** The header at the start of `bytes`; `incomplete` asks for more, of which there is a limit. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | "incomplete" | "malformed" {
  if (startsLike(bytes, BINARY_START)) return parseBinary(bytes);
  if (startsLike(bytes, TEXT_START)) return parseText(bytes);
  return "malformed";
}

/** Whether the octets so far are those of `start`. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function parseText(bytes: Buffer): ProxyHeader | "incomplete" | "malformed" {
  const lineEnd = bytes.indexOf("\r\n");
  if (lineEnd < 0) return bytes.length < TEXT_BYTES_MAX ? "incomplete" : "malformed";
  if (lineEnd + 2 > TEXT_BYTES_MAX) return "malformed";
  const line = bytes.toString("latin1", 0, lineEnd);
  if (/^PROXY UNKNOWN(?: [\x21-\x7e ]*)?$/.test(line)) return { end: lineEnd + 2, address: undefined };
  const [, family, source = "", destination = "", ...ports] = line.split(" ");
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : () => false;
  const valid = isAddress(source) && isAddress(destination) && !source.includes("%") && ports.length === 2 && ports.every(isPort);
  return valid ? { end: lineEnd + 2, address: source } : "malformed";
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseBinary(bytes: Buffer): ProxyHeader | "incomplete" | "malformed" {
  if (bytes.length < BINARY_HEAD_BYTES) return "incomplete";
  const command = bytes[12];
  const family = bytes[13] ?? 0;
  const length = bytes.readUInt16BE(14);
  const end = BINARY_HEAD_BYTES + length;
  // Version 2 with the command LOCAL or PROXY; there are no others.
  if ((command !== 0x20 && command !== 0x21) || end > BINARY_BYTES_MAX) return "malformed";
  if (bytes.length < end) return "incomplete";
  if (command === 0x20) return { end, address: undefined };
  if (family === 0x11) return length < 12 ? "malformed" : { end, address: [...bytes.subarray(16, 20)].join(".") };
  if (family === 0x21) return length < 36 ? "malformed" : { end, address: textOfIPv6(bytes) };
  // Datagrams and Unix sockets have no address that could be passed on.
  return { end, address: undefined };
}

/** IPv4 in IPv6 form becomes IPv4, as the addresses of sockets do. */
function textOfIPv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(BINARY_HEAD_BYTES + 2 * index));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return [...bytes.subarray(28, 32)].join(".");
  const text = groups.map((group) => group.toString(16)).join(":");
  const zeros = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) return text;
  return `${text.slice(0, zeros.index)}::${text.slice(zeros.index + zeros[0].length).replace(/^:/, "")}`;
}
