// Process of the crash test: all subscribers, by path, on one port that is written to stdout. Usage: receivers.ts FOLDER
import { appendFileSync, openSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { nowMs, receiptFile, receiptLine } from "./files.ts";
import { isLate, LATE_MS, SLOW_MS, SUBSCRIBERS } from "./story.ts";

const [folder = ""] = process.argv.slice(2);
const FLUSH_MS = 50;

const files = new Map(SUBSCRIBERS.map(({ name }) => [name, { descriptor: openSync(receiptFile(folder, name), "a"), lines: "" }]));
/** What the slow one was late with once: the next time it is not. */
const wasLate = new Set<string>();

function flush(): void {
  for (const file of files.values()) {
    if (file.lines !== "") appendFileSync(file.descriptor, file.lines);
    file.lines = "";
  }
}

function waitFor(name: string, id: string, seq: number): number {
  if (name !== "slow") return 0;
  if (!isLate(seq) || wasLate.has(id)) return SLOW_MS;
  wasLate.add(id);
  return LATE_MS;
}

function take(request: IncomingMessage, response: ServerResponse): void {
  const name = (request.url ?? "").slice(1);
  const id = String(request.headers["ce-id"]);
  const [producer = NaN, seq = NaN] = id.split("-").map(Number);
  const fromMs = nowMs();
  const end = (): void => {
    const status = response.destroyed || request.socket.destroyed ? 0 : name === "failing" ? 500 : 200;
    const file = files.get(name);
    if (file !== undefined) file.lines += receiptLine({ producer, seq, fromMs, toMs: nowMs(), status });
    if (status !== 0) response.writeHead(status, { "content-length": "0" }).end();
  };
  const waitMs = waitFor(name, id, seq);
  if (waitMs === 0) end();
  else setTimeout(end, waitMs);
}

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  request.resume();
  request.on("error", () => undefined);
  request.once("end", () => take(request, response));
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
setInterval(flush, FLUSH_MS);
process.once("SIGTERM", () => {
  flush();
  process.exit(0);
});
