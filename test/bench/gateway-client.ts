// Entry file: connections that wrk cannot make. `websocket`: messages there and back; `idle`: connections that wait after one request.
import { connect, type Socket } from "node:net";
import { medianOf } from "./figures.ts";
import { hostName } from "./gateway-requests.ts";

export interface ClientOptions {
  readonly mode: "websocket" | "idle";
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Header lines that this contender needs. */
  readonly lines: readonly string[];
}

/** `failed`: connections that were refused, broke, or were answered wrongly. */
export interface ClientResult {
  readonly answers: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
}

const TEXT = Buffer.from("a short message, as people in a chat send them");
const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78]);
const FRAME = Buffer.concat([Buffer.from([0x81, 0x80 | TEXT.length]), MASK, TEXT.map((octet, at) => octet ^ (MASK[at % 4] ?? 0))]);
const ECHO = Buffer.concat([Buffer.from([0x81, TEXT.length]), TEXT]);
/** Connections that are made at once: a queue of a listener is not what is measured. */
const AT_ONCE = 50;
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

function headOf({ mode, lines }: ClientOptions): string {
  const upgrade = mode === "idle" ? [] : ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", `Sec-WebSocket-Key: ${KEY}`];
  return `GET /${mode} HTTP/1.1\r\n${[`Host: ${hostName(0)}`, "User-Agent: bench", ...upgrade, ...lines].join("\r\n")}\r\n\r\n`;
}

/** Connects and resolves with the head of the answer and what came behind it. */
function opened(options: ClientOptions): Promise<{ readonly socket: Socket; readonly head: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: options.port, host: "127.0.0.1", noDelay: true });
    let text = "";
    const failed = (): void => reject(new Error(`closed after ${JSON.stringify(text.slice(0, 200))}`));
    const read = (bytes: Buffer): void => {
      text += bytes.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end + 2))?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      socket.removeListener("data", read).removeListener("close", failed);
      resolve({ socket, head: text });
    };
    socket.once("error", () => {
      // `close` follows.
    });
    socket.on("close", failed);
    socket.on("data", read);
    socket.write(headOf(options));
  });
}

/** All connections, a few at a time; a `status` other than the wanted one is a failure. */
async function openAll(options: ClientOptions, wanted: number): Promise<{ readonly sockets: Socket[]; readonly failed: number }> {
  const sockets: Socket[] = [];
  let failed = 0;
  let left = options.connections;
  const some = async (): Promise<void> => {
    while (left-- > 0) {
      try {
        const { socket, head } = await opened(options);
        sockets.push(socket);
        if (Number(head.slice(9, 12)) !== wanted) failed++;
      } catch {
        failed++;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, options.connections) }, some));
  return { sockets, failed };
}

async function websocket(options: ClientOptions): Promise<ClientResult> {
  const { sockets, failed: refused } = await openAll(options, 101);
  const fromMs = performance.now();
  const untilMs = fromMs + options.seconds * 1000;
  const latencies: number[] = [];
  let failed = refused;
  const talk = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      let sentMs = performance.now();
      let seen = 0;
      let isOver = false;
      const over = (): void => {
        if (!isOver && performance.now() < untilMs) failed++;
        isOver = true;
        resolve();
      };
      socket.on("error", over);
      socket.on("close", over);
      socket.on("data", (bytes: Buffer) => {
        if (bytes.compare(ECHO, seen, seen + bytes.length) !== 0) failed++;
        seen += bytes.length;
        if (seen < ECHO.length) return;
        seen = 0;
        const nowMs = performance.now();
        latencies.push(nowMs - sentMs);
        sentMs = nowMs;
        if (nowMs < untilMs) return void socket.write(FRAME);
        isOver = true;
        socket.destroy();
        resolve();
      });
      socket.write(FRAME);
    });
  await Promise.all(sockets.map(talk));
  return { answers: latencies.length, failed, seconds: (performance.now() - fromMs) / 1000, p50Ms: medianOf(latencies) };
}

/** Says when all are open, and keeps them until its input ends. */
async function idle(options: ClientOptions): Promise<ClientResult> {
  const { sockets, failed } = await openAll(options, 200);
  let closed = 0;
  for (const socket of sockets) socket.on("close", () => closed++);
  console.log(JSON.stringify({ answers: sockets.length, failed, seconds: 0, p50Ms: 0 } satisfies ClientResult));
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once("end", resolve));
  // Those that the other side gave up were not idle connections.
  const result = { answers: sockets.length, failed: failed + closed, seconds: 0, p50Ms: 0 };
  for (const socket of sockets) socket.destroy();
  return result;
}

const options = JSON.parse(process.argv[2] ?? "") as ClientOptions;
console.log(JSON.stringify(await (options.mode === "websocket" ? websocket(options) : idle(options))));
