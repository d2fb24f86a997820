// One line of the access log for a request. Nothing that a client sends can end a line or a string in it.
import type { RequestFacts } from "../request/request-facts.ts";
import { traceIdOf } from "./trace-context.ts";

/** Longer targets and hosts are cut. */
const TEXT_MAX = 2_048;

/** Times as JSON has them; the text of a second is kept. */
export class IsoTimes {
  #second = NaN;
  #text = "";

  text(wallMs: number): string {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toISOString().slice(0, 20);
    }
    const rest = Math.floor(wallMs - second * 1000);
    return `${this.#text}${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}Z`;
  }
}

/** JSON with times in milliseconds; a time that was not reached is null. */
export function jsonLine(facts: RequestFacts, time: string): string {
  const { head, backend, pod, arrivedMs, grantedMs, firstByteMs, endedMs, attempts } = facts;
  const total = millis(endedMs - arrivedMs);
  const where = backend === undefined ? "" : `,"revision":"${backend.key}","pod":"${escaped(pod?.name ?? "")}"`;
  const traceId = traceIdOf(facts);
  const end = attempts <= 1 && traceId === "" && facts.outcome === "answered" ? PLAIN_END : endOf(facts, traceId);
  return (
    `{"time":"${time}","client":"${escaped(facts.clientAddress)}","method":"${escaped(head.method)}","host":"${escaped(head.host)}","path":"${escaped(head.target)}"` +
    `,"protocol":"HTTP/1.${head.minor}","status":${facts.status},"requestBytes":${facts.requestBytes},"responseBytes":${facts.responseBytes}` +
    `,"queueMs":${millis(grantedMs - arrivedMs)},"firstByteMs":${firstByteMs === endedMs ? total : millis(firstByteMs - arrivedMs)},"totalMs":${total}` +
    where +
    end
  );
}

/** That of most requests. */
const PLAIN_END = `,"retries":0,"outcome":"answered"}\n`;

function endOf({ attempts, outcome }: RequestFacts, traceId: string): string {
  return `,"retries":${attempts > 1 ? attempts - 1 : 0}${traceId === "" ? "" : `,"traceId":"${traceId}"`},"outcome":"${outcome}"}\n`;
}

/** NCSA's common log format. */
export function commonLine(facts: RequestFacts, time: string): string {
  const { head, status, responseBytes } = facts;
  const request = `${escaped(head.method)} ${escaped(head.target)} HTTP/1.${head.minor}`;
  return `${facts.clientAddress === "" ? "-" : escaped(facts.clientAddress)} - - [${clfTime(time)}] "${request}" ${status === 0 ? "-" : status} ${responseBytes === 0 ? "-" : responseBytes}\n`;
}

const PLAIN = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;

/** Inside a string of JSON; octets beyond ASCII one by one. */
function escaped(text: string): string {
  const short = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}...` : text;
  if (PLAIN.test(short)) return short;
  return short.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (c) =>
    c === '"' || c === "\\" ? `\\${c}` : `\\u${(c.charCodeAt(0) & 0xffff).toString(16).padStart(4, "0")}`,
  );
}

/** With three decimals; `null` for what did not happen. */
function millis(ms: number): string {
  if (!(ms >= 0)) return "null";
  const micros = Math.round(ms * 1000);
  const whole = Math.floor(micros / 1000);
  const rest = micros - whole * 1000;
  return rest === 0 ? `${whole}` : `${whole}.${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function clfTime(text: string): string {
  return `${text.slice(8, 10)}/${MONTHS[Number(text.slice(5, 7)) - 1] ?? ""}/${text.slice(0, 4)}:${text.slice(11, 19)} +0000`;
}
