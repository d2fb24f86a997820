// The heads of answers to producers, which have no content.
import type { Clock } from "#core";
import { HANDSHAKE_HEADERS } from "../cloudevents/handshake.ts";
import type { Answer } from "./connection.ts";

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  202: "Accepted",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Payload Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};
const SECOND_MS = 1_000;

export class AnswerText {
  readonly #clock: Pick<Clock, "wallMs">;
  /** Of the second that it is the date of. */
  #second = NaN;
  #date = "";
  /** Of that second: most answers are alike. */
  #taken = "";

  constructor(clock: Pick<Clock, "wallMs">) {
    this.#clock = clock;
  }

  of(answer: Answer, closes: boolean): string {
    this.#look();
    return answer.status === 202 && !closes && answer.headers === undefined ? this.#taken : this.#write(answer, closes);
  }

  #look(): void {
    const second = Math.floor(this.#clock.wallMs() / SECOND_MS);
    if (second === this.#second) return;
    this.#second = second;
    this.#date = new Date(second * SECOND_MS).toUTCString();
    this.#taken = this.#write({ status: 202 }, false);
  }

  #write({ status, headers = {} }: Answer, closes: boolean): string {
    const all = { allow: HANDSHAKE_HEADERS["allow"], ...headers, date: this.#date, ...(closes ? { connection: "close" } : {}), "content-length": "0" };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${lines.join("")}\r\n`;
  }
}
