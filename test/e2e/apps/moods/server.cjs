// A program for tests of the runtime: behaves as badly as MOOD says.
"use strict";
const { createServer } = require("node:http");
const mood = process.env.MOOD;
let sick = false;
const server = createServer((request, response) => {
  const url = new URL(request.url, "http://app");
  if (url.pathname === "/pid") return response.end(String(process.pid));
  if (url.pathname === "/sicken") sick = true;
  if (url.pathname === "/healthz") return response.writeHead(sick ? 500 : 200).end();
  setTimeout(() => response.end("done\n"), Number(url.searchParams.get("sleep") ?? 0));
});
process.on("SIGTERM", () => {
  console.log("told to end");
  if (mood !== "stubborn") server.close(() => process.exit(0));
});
console.log(`mood ${mood}`);
if (mood === "crash") {
  console.error("the last words");
  process.exitCode = 7;
} else {
  server.listen(mood === "deaf" ? 0 : Number(process.env.PORT));
}
if (mood === "talk") {
  const line = `${"x".repeat(1023)}\n`;
  let left = 13 * 1024;
  const timer = setInterval(() => {
    for (let count = 0; count < 1024 && left > 0; count++, left--) process.stdout.write(line);
    if (left === 0) clearInterval(timer);
  }, 100);
  setTimeout(() => setInterval(() => console.log("still here"), 200), 3000);
}
