// A program for tests: uses processor and memory as it is told to.
"use strict";
const { createServer } = require("node:http");

/** So much time of a processor, however long that takes. */
function work(ms) {
  const endMicros = process.cpuUsage().user + ms * 1000;
  while (process.cpuUsage().user < endMicros);
}
let burning;
let held = [];
const server = createServer((request, response) => {
  const url = new URL(request.url, "http://app");
  const amount = (name) => Number(url.searchParams.get(name));
  if (url.pathname === "/burn") {
    burning ??= setInterval(() => work(25), 50);
    return response.end("burning");
  }
  if (url.pathname === "/rest") {
    burning = void clearInterval(burning);
    held = [];
    return response.end("resting");
  }
  if (url.pathname === "/work") work(amount("ms"));
  if (url.pathname === "/hold") held.push(Buffer.alloc(amount("mb") << 20, 1));
  return response.end("done");
});
server.listen(Number(process.env.PORT));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
