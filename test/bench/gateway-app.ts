// Entry file: an application that takes bodies of any size and echoes websocket messages.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Opcode, no extension, short length: what the load sends. */
const HEAD_BYTES = 2;
const MASK_BYTES = 4;

/** Answers each masked text frame of at most 125 octets with the same text, unmasked. */
function echo(socket: Socket): void {
  let ahead: Buffer = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes: Buffer) => {
    ahead = ahead.length === 0 ? bytes : Buffer.concat([ahead, bytes]);
    const answers: Buffer[] = [];
    for (;;) {
      const length = (ahead[1] ?? 0) & 0x7f;
      const whole = HEAD_BYTES + MASK_BYTES + length;
      if (ahead.length < HEAD_BYTES || ahead.length < whole) break;
      const mask = ahead.subarray(HEAD_BYTES, HEAD_BYTES + MASK_BYTES);
      const answer = Buffer.alloc(HEAD_BYTES + length);
      answer[0] = ahead[0] ?? 0;
      answer[1] = length;
      for (let at = 0; at < length; at++) answer[HEAD_BYTES + at] = (ahead[HEAD_BYTES + MASK_BYTES + at] ?? 0) ^ (mask[at % MASK_BYTES] ?? 0);
      answers.push(answer);
      ahead = ahead.subarray(whole);
    }
    if (answers.length > 0) socket.write(Buffer.concat(answers));
  });
}

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => (bytes += chunk.length));
  request.on("end", () => {
    const whole = bytes === Number(request.headers["content-length"] ?? 0);
    response.writeHead(whole ? 200 : 500).end(String(bytes));
  });
});
server.on("upgrade", (request, socket: Socket) => {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${GUID}`).digest("base64");
  socket.setNoDelay(true);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  echo(socket);
});
server.maxRequestsPerSocket = 0;
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
