// A program for tests: greets, tells its pid and revision, prints, waits, echoes what it was asked.
"use strict";
const { createServer } = require("node:http");
const server = createServer((request, response) => {
  const url = new URL(request.url, "http://app");
  if (url.pathname === "/pid") return response.end(String(process.pid));
  if (url.pathname === "/revision") return response.end(`${process.env.K_REVISION}\n`);
  if (url.pathname === "/print") return console.log(url.searchParams.get("line")) ?? response.end("printed\n");
  if (url.pathname === "/headers") return response.end(JSON.stringify(request.headers));
  // Answered before: a request whose pod dies of it is sent to the next one.
  if (url.pathname === "/exit") return response.end("bye\n", () => process.exit(Number(url.searchParams.get("code") ?? 1)));
  setTimeout(() => response.end(`Hello ${process.env.TARGET ?? "World"}!\n`), Number(url.searchParams.get("sleep") ?? 0));
});
server.listen(Number(process.env.PORT));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
