// The keeper's Unix socket: calls in, answers and notices out, one JSON object a line.
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "#core";
import {
  decodeCall,
  encodeLine,
  KEEPER_PROTOCOL_VERSION,
  LineSplitter,
  type KeeperAnswer,
  type KeeperCall,
  type KeeperNotice,
  type KeeperRequest,
} from "#protocol";

/** What a request answers beside `ok`. Throwing refuses it with the error's message. */
export type Answer = Omit<KeeperAnswer & { readonly ok: true }, "id" | "ok">;
export type Handler = (request: Exclude<KeeperRequest, { readonly do: "hello" }>) => Answer | Promise<Answer>;

export interface ControlSocket {
  /** To every connection that said hello. */
  notify(notice: KeeperNotice): void;
  close(): Promise<void>;
}

/** A platform and a few commands of a person. */
const CONNECTIONS_MAX = 32;
/** A peer that does not read its notices is cut off. */
const UNREAD_BYTES_MAX = 8 << 20;

/** Listens on `path`, replacing what a dead keeper left there: the caller holds the data folder's lock. */
export async function openControlSocket(path: string, handle: Handler, logger: Logger): Promise<ControlSocket> {
  const greeted = new Set<Socket>();
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      greeted.delete(socket);
    });
    socket.on("error", (error) => logger.debug("connection failed", { err: error }));
    serve(socket, { handle, greeted, logger });
  });
  server.maxConnections = CONNECTIONS_MAX;
  rmSync(path, { force: true });
  await listen(server, path);
  return {
    notify(notice) {
      for (const socket of greeted) send(socket, encodeLine(notice));
    },
    close() {
      for (const socket of open) socket.destroySoon();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // The file is made within this call: nobody else may connect, not even before it could be changed.
    const umask = process.umask(0o177);
    server.listen({ path }, () => {
      server.off("error", reject);
      resolve();
    });
    process.umask(umask);
  });
}

interface Serving {
  readonly handle: Handler;
  readonly greeted: Set<Socket>;
  readonly logger: Logger;
}

function serve(socket: Socket, serving: Serving): void {
  const lines = new LineSplitter();
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const line of lines.push(chunk)) void answer(socket, decodeCall(line), serving);
    } catch (error) {
      serving.logger.warn("connection closed for a line that is too long", { err: error });
      socket.destroy();
    }
  });
}

async function answer(socket: Socket, call: KeeperCall | undefined, { handle, greeted, logger }: Serving): Promise<void> {
  if (call === undefined) {
    logger.warn("connection closed for a line that is no call");
    socket.destroy();
    return;
  }
  const refuse = (error: string): void => send(socket, encodeLine({ id: call.id, ok: false, error }));
  if (call.do === "hello") {
    if (call.version !== KEEPER_PROTOCOL_VERSION) return refuse(`this keeper speaks version ${KEEPER_PROTOCOL_VERSION}, not ${call.version}`);
    greeted.add(socket);
    return send(socket, encodeLine({ id: call.id, ok: true, keeperPid: process.pid }));
  }
  if (!greeted.has(socket)) return refuse("say hello first");
  try {
    send(socket, encodeLine({ ...(await handle(call)), id: call.id, ok: true }));
  } catch (error) {
    refuse((error as Error).message);
  }
}

function send(socket: Socket, line: string): void {
  if (socket.destroyed) return;
  socket.write(line);
  if (socket.writableLength > UNREAD_BYTES_MAX) socket.destroy();
}
