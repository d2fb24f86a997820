// A program for tests: answers each event with another one of type "answer", which has the first one's data.
"use strict";
const { createServer } = require("node:http");
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const id = `${request.headers["ce-id"]}-answer`;
    response.writeHead(200, { "ce-specversion": "1.0", "ce-type": "answer", "ce-source": "/replier", "ce-id": id, "content-type": "application/json" });
    response.end(Buffer.concat(chunks));
  });
});
server.listen(Number(process.env.PORT));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
