// The platform's end of the keeper's Unix socket.
import { connect, type Socket } from "node:net";
import type { Clock, Logger } from "#core";
import {
  decodeKeeperLine,
  encodeLine,
  KEEPER_LINE_BYTES_MAX,
  KEEPER_PROTOCOL_VERSION,
  keeperSocketPath,
  LineSplitter,
  type KeeperAnswer,
  type KeeperNotice,
  type KeeperRequest,
} from "#protocol";

export type KeeperSuccess = KeeperAnswer & { readonly ok: true };

export interface KeeperClient {
  /** Sends one request; rejects with KeeperError when the keeper refuses it or is gone. */
  call(request: KeeperRequest): Promise<KeeperSuccess>;
  /** Calls back for every notice from now on; returns the unsubscriber. */
  onNotice(listener: (notice: KeeperNotice) => void): () => void;
  /** Resolves when the connection is lost. */
  readonly closed: Promise<void>;
  close(): void;
}

/** The keeper refused a request, or is gone. */
export class KeeperError extends Error {
  readonly reason: "Refused" | "Gone";

  constructor(reason: "Refused" | "Gone", message: string) {
    super(message);
    this.name = "KeeperError";
    this.reason = reason;
  }
}

/** A keeper that is just starting listens within this time. */
const CONNECT_TRIES = 50;
const CONNECT_PAUSE_MS = 20;
const CALLS_MAX = 10_000;
/** An answer may list every process of a keeper. */
const ANSWER_BYTES_MAX = 16 << 20;

/** Connects to `<dataDir>/keeper.sock` and says hello; retries for a second, since a keeper may just be starting. */
export async function connectKeeper(
  options: { readonly dataDir: string; readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<KeeperClient> {
  const path = keeperSocketPath(options.dataDir, process.cwd());
  if (path === undefined) throw new KeeperError("Gone", `the path of ${options.dataDir} is too long for a Unix socket: change into that folder first`);
  for (let attempt = 1; ; attempt++) {
    try {
      const client = clientOver(await open(path), options.logger);
      await client.call({ do: "hello", version: KEEPER_PROTOCOL_VERSION });
      return client;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (attempt >= CONNECT_TRIES || (code !== "ENOENT" && code !== "ECONNREFUSED")) throw error;
      await options.clock.sleep(CONNECT_PAUSE_MS, signal);
    }
  }
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path }, () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

interface Waiting {
  readonly resolve: (answer: KeeperSuccess) => void;
  readonly reject: (error: KeeperError) => void;
}

function clientOver(socket: Socket, logger: Logger): KeeperClient {
  const lines = new LineSplitter(ANSWER_BYTES_MAX);
  const waiting = new Map<number, Waiting>();
  const listeners = new Set<(notice: KeeperNotice) => void>();
  let lastId = 0;
  const take = (line: string): void => {
    const message = decodeKeeperLine(line);
    if (message === undefined) return logger.warn("line of the keeper is not understood");
    if ("notice" in message) {
      for (const listener of listeners) listener(message);
      return;
    }
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.ok) call?.resolve(message);
    else call?.reject(new KeeperError("Refused", message.error));
  };
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const line of lines.push(chunk)) take(line);
    } catch (error) {
      logger.error("connection to the keeper is closed", { err: error });
      socket.destroy();
    }
  });
  socket.on("error", (error) => logger.debug("connection to the keeper failed", { err: error }));
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      for (const { reject } of waiting.values()) reject(new KeeperError("Gone", "the keeper is gone"));
      waiting.clear();
      resolve();
    });
  });
  return {
    call(request) {
      if (socket.destroyed) return Promise.reject(new KeeperError("Gone", "the keeper is gone"));
      if (waiting.size >= CALLS_MAX) return Promise.reject(new KeeperError("Refused", "too many calls wait for the keeper"));
      const id = ++lastId;
      const line = encodeLine({ id, ...request });
      // The keeper would close the connection, and with it every other call.
      const bytes = Buffer.byteLength(line);
      if (bytes > KEEPER_LINE_BYTES_MAX) {
        const why = `the request "${request.do}" has ${bytes} bytes, the limit is ${KEEPER_LINE_BYTES_MAX}`;
        return Promise.reject(new KeeperError("Refused", request.do === "start" ? `${why}: command and environment are too large` : why));
      }
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        socket.write(line);
      });
    },
    onNotice(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    closed,
    close: () => socket.destroy(),
  };
}
