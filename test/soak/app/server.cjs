// The soak's program: writes down what it begins and ends, and answers with who it is. Lines are appended whole, so their order over all pods is true.
"use strict";
const { appendFileSync } = require("node:fs");
const { createServer } = require("node:http");
const note = (what, id = "-") => appendFileSync(process.env.SOAK_LOG, `${what} ${process.pid} ${id}\n`);
note("begin");
const server = createServer((request, response) => {
  const url = new URL(request.url, "http://app");
  const number = (name) => Number(url.searchParams.get(name) ?? 0);
  const id = url.searchParams.get("id") ?? "-";
  note("start", id);
  const end = (text) => {
    note("end", id);
    response.end(text);
  };
  const about = (more) => JSON.stringify({ id, pid: process.pid, revision: process.env.K_REVISION, ...more });
  if (url.pathname === "/events") {
    let left = number("count");
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const timer = setInterval(() => {
      if (--left > 0) return response.write(`data: ${left}\n\n`);
      clearInterval(timer);
      end(`data: ${about({})}\n\n`);
    }, number("every"));
    response.on("close", () => clearInterval(timer));
    return;
  }
  let bytes = 0;
  request.on("data", (chunk) => (bytes += chunk.length));
  request.on("end", () => setTimeout(() => end(about({ bytes })), number("sleep")));
});
server.on("upgrade", (request, socket) => {
  const id = new URL(request.url, "http://app").searchParams.get("id") ?? "-";
  note("start", id);
  socket.on("error", () => undefined);
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  socket.write(`${JSON.stringify({ id, pid: process.pid, revision: process.env.K_REVISION })}\n`);
  socket.pipe(socket);
  socket.on("end", () => note("end", id));
});
server.listen(Number(process.env.PORT));
process.on("SIGTERM", () => {
  note("term");
  server.close(() => process.exit(0));
});
