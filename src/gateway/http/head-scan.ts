// The strict core of HTTP/1 head parsing: where a head ends, and where its fields begin and end (RFC 9112).

/** Longest head that is read, of a request and of a response. */
export const HEAD_BYTES_MAX = 64 * 1024;
/** Most fields in one head. */
export const FIELDS_MAX = 200;
/** Longest request target. */
export const TARGET_BYTES_MAX = 32 * 1024;

/** Why a head is refused, with the status that says so to a client. */
export interface HeadFault {
  readonly status: 400 | 405 | 414 | 417 | 431 | 501 | 505;
  readonly reason: string;
}

/** A head as it was read: `bytes[from, to)`. Octets are looked at here and not in a text of them, where each takes three times as long. */
export interface Octets {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** Those of a latin1 text. */
export function octetsOf(text: string): Octets {
  return { bytes: Buffer.from(text, "latin1"), from: 0, to: text.length };
}

const NAME = 1;
const VALUE = 2;
const TARGET = 4;
const PLAIN_HOST = 8;

/**
 * Classes of octets: bit 1 for tchar (RFC 9110 5.6.2), bit 2 for what a field value may hold, bit 4 for what a request target may,
 * bit 8 for what most hosts are made of. Octets beyond ASCII are no valid target, but many clients send them, and nobody ends a target
 * at one; `#` would begin a fragment.
 */
const OCTETS: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) => {
  const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code));
  const value = code === 9 || (code >= 32 && code !== 127);
  const target = code > 32 && code !== 127 && code !== 35;
  const host = /[0-9a-z.-]/.test(String.fromCharCode(code));
  return (token ? NAME : 0) | (value ? VALUE : 0) | (target ? TARGET : 0) | (host ? PLAIN_HOST : 0);
});

export function isTokenOctet(code: number): boolean {
  return ((OCTETS[code] ?? 0) & NAME) !== 0;
}

export function isValueOctet(code: number): boolean {
  return ((OCTETS[code] ?? 0) & VALUE) !== 0;
}

export function isTargetOctet(code: number): boolean {
  return ((OCTETS[code] ?? 0) & TARGET) !== 0;
}

/** Whether `bytes[from, to)` is a host as routes know it: no capital letter, no port, no dot at its end. */
export function isPlainHost(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (((OCTETS[bytes[at] ?? 0] ?? 0) & PLAIN_HOST) === 0) return false;
  return to > from && bytes[to - 1] !== DOT;
}

const CR = 13;
const LF = 10;
const DOT = 46;
const SPACE = 32;
const TAB = 9;
const COLON = 58;

const EMPTY_LINE = Buffer.from("\r\n\r\n", "latin1");

/**
 * The index after the empty line that ends a head, looked for from `from`, -1 when it is not complete, or -2 when a line
 * ends in a bare LF: waiting for more could only end in a refusal.
 */
export function findHeadEnd(bytes: Buffer, from: number, to: number): number {
  const found = bytes.indexOf(EMPTY_LINE, from);
  if (found >= 0 && found + 4 <= to) return found + 4;
  for (let lf = bytes.indexOf(LF, from); lf >= 0 && lf < to; lf = bytes.indexOf(LF, lf + 1)) {
    if (lf === 0 || bytes[lf - 1] !== CR) return -2;
  }
  return -1;
}

/** Filled anew by each scan: an array that grows would leave its smaller selves behind. */
const found: number[] = Array.from({ length: 4 * FIELDS_MAX }, () => 0);

/**
 * Checks the field lines of a head from its octet `first` up to its final empty line. Answers four indexes a field (name start and end,
 * value start and end, white space trimmed), counted from where the head begins, or the fault. Folded lines, bare CR or LF and control
 * characters are faults.
 */
export function scanFields({ bytes, from, to }: Octets, first: number): number[] | HeadFault {
  let size = 0;
  const end = to - 2;
  let at = from + first;
  while (at < end) {
    const nameStart = at;
    let code = bytes[at] ?? 0;
    while (isTokenOctet(code)) code = bytes[++at] ?? 0;
    if (code !== COLON || at === nameStart) return { status: 400, reason: "invalid header name" };
    const nameEnd = at++;
    code = bytes[at] ?? 0;
    while (code === SPACE || code === TAB) code = bytes[++at] ?? 0;
    const valueStart = at;
    while (isValueOctet(code)) code = bytes[++at] ?? 0;
    if (code !== CR || bytes[at + 1] !== LF) return { status: 400, reason: "invalid header value" };
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--;
    if (size === 4 * FIELDS_MAX) return { status: 431, reason: "too many header fields" };
    found[size] = nameStart - from;
    found[size + 1] = nameEnd - from;
    found[size + 2] = valueStart - from;
    found[size + 3] = valueEnd - from;
    size += 4;
    at += 2;
  }
  return found.slice(0, size);
}

/** Whether the token in `text[from, to)` is `name`, which has lower-case letters, digits and `-` only. */
export function isNamed(text: string, span: { readonly from: number; readonly to: number }, name: string): boolean {
  const { from, to } = span;
  if (to - from !== name.length) return false;
  // In a token nothing but a capital letter becomes one of these by this bit.
  for (let at = from; at < to; at++) if ((text.charCodeAt(at) | 0x20) !== name.charCodeAt(at - from)) return false;
  return true;
}

/** The first field `name` (lower case), as an index into `fields`; -1 when there is none. */
export function fieldNamed(text: string, fields: readonly number[], name: string): number {
  for (let i = 0; i < fields.length; i += 4) {
    if (isNamed(text, { from: fields[i] ?? 0, to: fields[i + 1] ?? 0 }, name)) return i;
  }
  return -1;
}

/** All values of the field `name` (lower case), in order. */
export function valuesOf(text: string, fields: readonly number[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 4) {
    if (isNamed(text, { from: fields[i] ?? 0, to: fields[i + 1] ?? 0 }, name)) values.push(text.slice(fields[i + 2], fields[i + 3]));
  }
  return values;
}

/** Values of a field that frames the message; a tab beside one is a part of it: llhttp and nginx do not take it for white space there. */
export function framingValues(text: string, fields: readonly number[], name: "content-length" | "transfer-encoding"): string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 4) {
    const nameEnd = fields[i + 1] ?? 0;
    if (!isNamed(text, { from: fields[i] ?? 0, to: nameEnd }, name)) continue;
    const line = text.slice(nameEnd + 1, text.indexOf("\r", nameEnd));
    values.push(line.includes("\t") ? line : text.slice(fields[i + 2], fields[i + 3]));
  }
  return values;
}

/** The lines of the fields that `drop` does not name, as they came, each with its CRLF; whole runs are copied at once. */
export function keepLines(text: string, fields: readonly number[], drop: (index: number) => boolean): string {
  if (fields.length === 0) return "";
  let kept = "";
  let runStart = fields[0] ?? 0;
  for (let i = 0; i < fields.length; i += 4) {
    if (!drop(i)) continue;
    kept += text.slice(runStart, fields[i]);
    runStart = i + 4 < fields.length ? (fields[i + 4] ?? 0) : text.length - 2;
  }
  return kept + text.slice(runStart, text.length - 2);
}

/** Members of a comma-separated list, trimmed, in lower case, without empty ones. */
export function listMembers(value: string): string[] {
  return value
    .toLowerCase()
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
}

/** A Content-Length, or undefined when it is not a plain decimal number of at most 15 digits. */
export function parseContentLength(value: string): number | undefined {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}
