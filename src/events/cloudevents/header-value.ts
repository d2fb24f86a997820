// Values of attributes in HTTP headers (HTTP binding 1.0, 3.1.3.2): percent-encoded UTF-8. What is written has printable characters only,
// so no value can end a header or begin another.
import { TextDecoder } from "node:util";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Characters that stand for themselves: U+0021 to U+007E without `"` and `%`. */
const PLAIN = /^[!#$&-~]*$/;

export function encodeHeaderValue(text: string): string {
  if (PLAIN.test(text)) return text;
  let encoded = "";
  for (const octet of Buffer.from(text)) {
    encoded +=
      octet > 0x20 && octet < 0x7f && octet !== 0x22 && octet !== 0x25 ? String.fromCharCode(octet) : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** `value` has one character an octet, as headers are read. Undefined: its octets are no UTF-8. */
export function decodeHeaderValue(value: string): string | undefined {
  const plain = unquoted(value.trim());
  if (PLAIN.test(plain)) return plain;
  // A sign that begins no encoding is itself: older producers wrote it so.
  const octets = plain.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    return UTF8.decode(Buffer.from(octets, "latin1"));
  } catch {
    return undefined;
  }
}

/** Quoted strings of RFC 7230, which older versions of the binding had. */
function unquoted(value: string): string {
  if (!value.includes('"')) return value;
  return value.replaceAll(/"((?:\\[^]|[^"\\])*)"/g, (_, inner: string) => inner.replaceAll(/\\([^])/g, "$1"));
}
