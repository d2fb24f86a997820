// Clients of the soak: each keeps a record of every request that it sends, exact enough to say later what died under it.
import { request, type Agent, type ClientRequest } from "node:http";
import type { Socket } from "node:net";
import type { Kind, Outcome, SoakRequest } from "./facts.ts";

/** Longer than any pause that a kill makes; a request that takes so long hangs. */
const LIMIT_MS = 60_000;
const EVENTS = 5;
const EVENTS_EVERY_MS = 100;
const ECHOES = 6;
const ECHO_EVERY_MS = 150;

export interface Call {
  readonly id: string;
  readonly kind: Kind;
  /** `http://ADDRESS:PORT`. */
  readonly at: string;
  readonly host: string;
  readonly agent: Agent;
  readonly sleepMs: number;
  readonly bodyBytes: number;
}

/** When a connection was begun. */
const openedAt = new WeakMap<Socket, number>();
const portOf = new WeakMap<Socket, number>();
const now = (): number => performance.now();

/** Sends one request and resolves with its record, whatever becomes of it. */
export function send(call: Call): Promise<SoakRequest> {
  const startedMs = now();
  let socket: Socket | undefined;
  let bytesBefore = 0;
  let sent = false;
  return new Promise((resolve) => {
    let over = false;
    const end = (outcome: Outcome): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      const { id, kind, host } = call;
      const answerBytes = socket === undefined ? 0 : socket.bytesRead - bytesBefore;
      const openedMs = socket === undefined ? startedMs : (openedAt.get(socket) ?? startedMs);
      const port = socket === undefined ? undefined : portOf.get(socket);
      resolve({ id, kind, host, port, openedMs, startedMs, endedMs: now(), sent, answerBytes, outcome });
    };
    const broken = (text: string, code?: string): void => {
      const begun = socket !== undefined && socket.bytesRead > bytesBefore;
      end({ failed: code === "ECONNREFUSED" ? "refused" : begun ? "cut" : "reset", text });
    };
    const outgoing = begin(call);
    const timer = setTimeout(() => {
      end({ failed: "timeout", text: `no answer in ${LIMIT_MS} ms` });
      outgoing.destroy();
    }, LIMIT_MS);
    outgoing.once("socket", (its) => {
      socket = its;
      bytesBefore = its.bytesRead;
      if (!openedAt.has(its)) openedAt.set(its, startedMs);
      if (its.connecting) its.once("connect", () => its.localPort !== undefined && portOf.set(its, its.localPort));
    });
    outgoing.once("finish", () => (sent = true));
    outgoing.once("error", (error: NodeJS.ErrnoException) => broken(error.message, error.code));
    outgoing.once("upgrade", (_response, its: Socket, head: Buffer) => echo(its, head, end, broken));
    outgoing.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("error", (error: NodeJS.ErrnoException) => broken(error.message, error.code));
      response.once("end", () => {
        if (response.statusCode !== 200) end({ failed: response.statusCode ?? 0, text: text.trim().slice(0, 200) });
        else end(call.kind === "events" ? eventsOf(text) : answerOf(text));
      });
    });
  });
}

function begin({ id, kind, at, host, agent, sleepMs, bodyBytes }: Call): ClientRequest {
  const path = kind === "events" ? `/events?id=${id}&count=${EVENTS}&every=${EVENTS_EVERY_MS}` : `/?id=${id}&sleep=${sleepMs}`;
  const upgrade = kind === "socket" ? { Connection: "Upgrade", Upgrade: "websocket" } : {};
  const outgoing = request(at + path, { agent, method: kind === "post" ? "POST" : "GET", headers: { Host: host, ...upgrade } });
  outgoing.end(kind === "post" ? Buffer.alloc(bodyBytes, 120) : undefined);
  return outgoing;
}

/** The first line says who answers; what is sent then comes back. */
function echo(socket: Socket, head: Buffer, end: (outcome: Outcome) => void, broken: (text: string) => void): void {
  let text = head.toString();
  let sent = 0;
  const look = (): void => {
    const lines = text.split("\n");
    // The first line, one a message, and what is behind the last line feed.
    if (lines.length < 2 + sent) return;
    if (lines.slice(1, 1 + sent).some((line, index) => line !== `message ${index}`)) end({ failed: "garbled", text: text.slice(0, 200) });
    else if (sent < ECHOES) setTimeout(() => socket.write(`message ${sent++}\n`), ECHO_EVERY_MS);
    else {
      end(answerOf(lines[0] ?? ""));
      socket.end();
    }
  };
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
    look();
  });
  socket.on("error", (error) => broken(error.message));
  socket.once("close", () => broken("the tunnel was closed"));
  look();
}

function answerOf(text: string): Outcome {
  try {
    const { id, pid, revision } = JSON.parse(text) as { id: string; pid: number; revision: string };
    return { answered: { id, pid, revision } };
  } catch {
    return { failed: "garbled", text: text.slice(0, 200) };
  }
}

function eventsOf(text: string): Outcome {
  const events = text.split("\n\n").filter((event) => event !== "");
  const counted = events.slice(0, -1).every((event, index) => event === `data: ${EVENTS - 1 - index}`);
  return events.length === EVENTS && counted ? answerOf((events.at(-1) ?? "").slice("data: ".length)) : { failed: "garbled", text: text.slice(0, 200) };
}
