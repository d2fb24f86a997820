// One line of the access log for a request. Nothing that a client sends can end a line or a string in it.
import type { RequestFacts } from "../request/request-facts.ts";
import type { ParkedHead } from "../http/parked-heads.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { WrittenLine } from "./line-file.ts";
import { traceIdOf } from "./trace-context.ts";

/** Longer targets and hosts are cut. */
const TEXT_MAX = 2_048;

/** Times as JSON has them; the texts of a second and of a millisecond are kept. */
export class IsoTimes {
  #second = NaN;
  #secondText = "";
  #ms = NaN;
  #text = "";

  text(wallMs: number): string {
    if (wallMs === this.#ms) return this.#text;
    this.#ms = wallMs;
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(second * 1000).toISOString().slice(0, 20);
    }
    const rest = Math.floor(wallMs - second * 1000);
    this.#text = `${this.#secondText}${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}Z`;
    return this.#text;
  }
}

/**
 * The line of one request after the other, in JSON with times in milliseconds; a time that was not reached is null. Written straight into
 * the log's buffer: as text it would be two dozen strings, a quarter of a request's garbage. What most lines share is kept as octets.
 */
export class JsonLine implements WrittenLine {
  #facts!: RequestFacts;
  #time = "";
  #opening = NOTHING;
  #client = "";
  #method = "";
  #asked = NOTHING;
  #status = -1;
  #minor = -1;
  #answered = NOTHING;
  #where = NOTHING;
  #traceId = "";
  #outcome = "";
  #end = NOTHING;

  /** The line of `facts`, until it is asked for the next. */
  of(facts: RequestFacts, time: string): this {
    const { clientAddress, method, minor, status, outcome } = facts;
    this.#facts = facts;
    if (time !== this.#time) {
      this.#time = time;
      this.#opening = octets(`{"time":"${time}","client":"`);
    }
    if (clientAddress !== this.#client || method !== this.#method) {
      this.#client = clientAddress;
      this.#method = method;
      this.#asked = octets(`${escaped(clientAddress)}","method":"${escaped(method)}","host":"`);
    }
    if (status !== this.#status || minor !== this.#minor) {
      this.#status = status;
      this.#minor = minor;
      this.#answered = octets(`","protocol":"HTTP/1.${minor}","status":${status},"requestBytes":`);
    }
    if (outcome !== this.#outcome) {
      this.#outcome = outcome;
      this.#end = octets(`,"outcome":"${outcome}"}\n`);
    }
    this.#where = whereOf(facts);
    this.#traceId = traceIdOf(facts);
    return this;
  }

  get bytesMax(): number {
    const { parked } = this.#facts;
    const texts = parked === undefined ? textsOf(this.#facts.head) : parked.hostTo - parked.hostFrom + parked.targetTo - parked.targetFrom;
    return FIXED_BYTES + this.#asked.length + ESCAPE_BYTES * texts + this.#where.length + this.#traceId.length;
  }

  writeTo(into: Uint8Array, from: number): number {
    const { parked, requestBytes, responseBytes, arrivedMs, grantedMs, firstByteMs, endedMs, attempts } = this.#facts;
    let at = put(into, from, this.#opening);
    at = put(into, at, this.#asked);
    if (parked === undefined) at = putAsked(into, at, this.#facts.head);
    else at = putParked(into, at, parked);
    at = put(into, at, this.#answered);
    at = putNumber(into, at, requestBytes);
    at = put(into, at, RESPONSE_BYTES);
    at = putNumber(into, at, responseBytes);
    at = put(into, at, QUEUE);
    at = putMillis(into, at, grantedMs - arrivedMs);
    at = put(into, at, FIRST_BYTE);
    at = putMillis(into, at, firstByteMs - arrivedMs);
    at = put(into, at, TOTAL);
    at = putMillis(into, at, endedMs - arrivedMs);
    at = put(into, at, this.#where);
    at = put(into, at, RETRIES);
    at = putNumber(into, at, attempts > 1 ? attempts - 1 : 0);
    if (this.#traceId !== "") at = putText(into, put(into, at, TRACE_ID), this.#traceId) + 1;
    if (this.#traceId !== "") into[at - 1] = QUOTE;
    return put(into, at, this.#end);
  }
}

const NOTHING: Uint8Array = octets("");
const PATH = octets('","path":"');
const RESPONSE_BYTES = octets(',"responseBytes":');
const QUEUE = octets(',"queueMs":');
const FIRST_BYTE = octets(',"firstByteMs":');
const TOTAL = octets(',"totalMs":');
const NULL = octets("null");
const RETRIES = octets(',"retries":');
const TRACE_ID = octets(',"traceId":"');
/** Names, numbers and times of a line. */
const FIXED_BYTES = 512;
/** Of one octet in a string: `\u00ff`. */
const ESCAPE_BYTES = 6;
/** Longest text that is not cut, or what is left of one that is. */
const CUT_MAX = TEXT_MAX + 3;

function octets(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function whereOf({ backend, pod }: RequestFacts): Uint8Array {
  if (backend === undefined) return NOTHING;
  if (pod === undefined) return octets(`,"revision":"${backend.key}","pod":""`);
  pod.logged ??= octets(`,"revision":"${backend.key}","pod":"${escaped(pod.name)}"`);
  return pod.logged;
}

function textsOf({ host, target }: RequestHead): number {
  return Math.min(host.length, CUT_MAX) + Math.min(target.length, CUT_MAX);
}

function putAsked(into: Uint8Array, at: number, { host, target }: RequestHead): number {
  return putText(into, put(into, putText(into, at, host), PATH), target);
}

function putParked(into: Uint8Array, at: number, parked: ParkedHead): number {
  const path = putPart(into, at, parked, parked.hostFrom, parked.hostTo);
  return putPart(into, put(into, path, PATH), parked, parked.targetFrom, parked.targetTo);
}

/** As `putText`, from octets; a parked head has none that are too many. */
function putPart(into: Uint8Array, at: number, parked: ParkedHead, from: number, to: number): number {
  const { bytes } = parked;
  const shift = at - from;
  let done = from;
  for (let code = bytes[from] ?? 0; done < to && isPlain(code); code = bytes[++done] ?? 0) into[shift + done] = code;
  return done === to ? shift + to : putText(into, at, parked.text(from, to));
}

function put(into: Uint8Array, at: number, piece: Uint8Array): number {
  into.set(piece, at);
  return at + piece.length;
}

/** Copies as long as nothing has to be escaped or cut; otherwise begins again. */
function putText(into: Uint8Array, at: number, text: string): number {
  const { length } = text;
  if (length <= TEXT_MAX) {
    let done = 0;
    for (let code = text.charCodeAt(0); done < length && isPlain(code); code = text.charCodeAt(++done)) into[at + done] = code;
    if (done === length) return at + length;
  }
  return put(into, at, octets(escaped(text)));
}

/** A whole number that is not negative. */
function putNumber(into: Uint8Array, at: number, value: number): number {
  // Most are small, and then it is arithmetic of 32 bits.
  if (value >= 0x7fff_ffff) return put(into, at, octets(String(value)));
  let rest = value | 0;
  let end = at + 1;
  for (let power = 10; rest >= power && end - at < INT_DIGITS; power = Math.imul(power, 10)) end++;
  for (let place = end - 1; place >= at; place--) {
    const higher = (rest / 10) | 0;
    into[place] = ZERO + rest - 10 * higher;
    rest = higher;
  }
  return end;
}

/** With three decimals, or none; `null` for what did not happen. */
function putMillis(into: Uint8Array, at: number, ms: number): number {
  if (!(ms >= 0)) return put(into, at, NULL);
  const micros = Math.round(ms * 1000);
  const whole = Math.floor(micros / 1000);
  const rest = micros - whole * 1000;
  const point = putNumber(into, at, whole);
  if (rest === 0) return point;
  // Its first digit, which is not told, makes room for the zeros; the point takes its place.
  const end = putNumber(into, point, 1000 + rest);
  into[point] = POINT;
  return end;
}

/** Digits of 2^31. */
const INT_DIGITS = 10;
const ZERO = 48;
const POINT = 46;

/** NCSA's common log format. */
export function commonLine(facts: RequestFacts, time: string): string {
  const { method, minor, parked, status, responseBytes } = facts;
  const target = parked === undefined ? facts.head.target : parked.text(parked.targetFrom, parked.targetTo);
  const request = `${escaped(method)} ${escaped(target)} HTTP/1.${minor}`;
  return `${facts.clientAddress === "" ? "-" : escaped(facts.clientAddress)} - - [${clfTime(time)}] "${request}" ${status === 0 ? "-" : status} ${responseBytes === 0 ? "-" : responseBytes}\n`;
}

/** An octet that stands for itself in a string of JSON. */
function isPlain(code: number): boolean {
  return code >= 0x20 && code < 0x7f && code !== QUOTE && code !== BACKSLASH;
}

const QUOTE = 34;
const BACKSLASH = 92;
const PLAIN = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;

/** Inside a string of JSON; octets beyond ASCII one by one. */
function escaped(text: string): string {
  const short = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}...` : text;
  if (PLAIN.test(short)) return short;
  return short.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (c) =>
    c === '"' || c === "\\" ? `\\${c}` : `\\u${(c.charCodeAt(0) & 0xffff).toString(16).padStart(4, "0")}`,
  );
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function clfTime(text: string): string {
  return `${text.slice(8, 10)}/${MONTHS[Number(text.slice(5, 7)) - 1] ?? ""}/${text.slice(0, 4)}:${text.slice(11, 19)} +0000`;
}
