// A program for tests: sends one event to where its SinkBinding says, until it is taken, and serves on.
"use strict";
const { createServer, request } = require("node:http");
const { K_SINK, K_CE_OVERRIDES, PORT = "0", BEAT = "beat" } = process.env;
const extensions = K_CE_OVERRIDES ? (JSON.parse(K_CE_OVERRIDES).extensions ?? {}) : {};
const more = Object.entries(extensions).map(([name, value]) => [`ce-${name}`, value]);
const headers = { "ce-specversion": "1.0", "ce-type": BEAT, "ce-source": "/beater", "ce-id": String(process.pid), ...Object.fromEntries(more) };

function send() {
  const again = () => setTimeout(send, 200);
  const call = request(K_SINK, { method: "POST", headers }, (response) => {
    response.resume();
    if (response.statusCode >= 300) again();
  });
  call.on("error", again);
  call.end();
}

if (K_SINK) send();
const server = createServer((_, response) => response.end(K_SINK ?? "none"));
server.listen(Number(PORT));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
