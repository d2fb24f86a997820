// Process of the crash test: eight writers, each with a connection and a file of its own. An event is acknowledged when it was answered
// with 202; one that was not is sent again. Usage: producers.ts FOLDER URL HOST EVENTS
import { closeSync, openSync, writeSync } from "node:fs";
import { Agent, request } from "node:http";
import { ackFile, ackLine, nowMs } from "./files.ts";
import { keyOf, PRODUCERS, typeOf } from "./story.ts";

const [folder = "", url = "", host = "", events = "0"] = process.argv.slice(2);
/** Longer than any pause that a kill makes. */
const LIMIT_MS = 60_000;
const PAUSE_MS = 20;
const BODY = Buffer.from(JSON.stringify({ text: "x".repeat(200) }));

/** The status; 0 when nobody answered. `sent`: it may have been taken. */
function send(agent: Agent, producer: number, seq: number): Promise<{ readonly status: number; readonly sent: boolean }> {
  return new Promise((resolve) => {
    const headers = {
      host,
      "ce-specversion": "1.0",
      "ce-id": `${producer}-${seq}`,
      "ce-source": `/producers/${producer}`,
      "ce-type": typeOf(seq),
      "ce-partitionkey": keyOf(seq),
      "content-type": "application/json",
      "content-length": BODY.length,
    };
    const call = request(url, { method: "POST", agent, headers, timeout: LIMIT_MS }, (response) => {
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode ?? 0, sent: true }));
      response.on("error", () => resolve({ status: 0, sent: true }));
    });
    call.on("timeout", () => call.destroy());
    call.on("error", ({ code }: NodeJS.ErrnoException) => resolve({ status: 0, sent: code !== "ECONNREFUSED" }));
    call.end(BODY);
  });
}

/** The gateway's own word that the one behind it did not answer. */
const isDoubt = (status: number, sent: boolean): boolean => (status === 0 && sent) || status === 502 || status === 504;

async function produce(producer: number, count: number): Promise<void> {
  const file = openSync(ackFile(folder, producer), "a");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let seq = 0; seq < count;) {
    const fromMs = nowMs();
    const { status, sent } = await send(agent, producer, seq);
    const what = status === 202 ? "acked" : isDoubt(status, sent) ? "doubt" : "refused";
    writeSync(file, ackLine({ seq, what, fromMs, toMs: nowMs(), status: status === 0 ? (sent ? 0 : 503) : status }));
    if (what === "acked") seq++;
    else await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
  agent.destroy();
  closeSync(file);
}

await Promise.all(Array.from({ length: PRODUCERS }, (_, producer) => produce(producer, Math.ceil(Number(events) / PRODUCERS))));
