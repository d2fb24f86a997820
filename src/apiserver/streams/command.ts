// Commands over a taken-over connection (exec and attach): negotiation, pumping, and the end as a Status.
import type { Readable, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { badRequest, StatusError, statusOf, type Clock } from "#core";
import type { ApiRequest, ApiResponse } from "../port.ts";
import type { ClientStreams, CommandEnd, CommandFailure, TerminalSize, WantedStreams } from "./client-streams.ts";
import { CHANNEL_PROTOCOLS, openChannels } from "./channels.ts";
import { COMMAND_PROTOCOLS, openCommandStreams } from "./command-streams.ts";
import { isSpdyRequest, streamProtocol, switchToSpdy } from "./spdy-upgrade.ts";
import { isWebSocketRequest, subprotocol, switchToWebSocket } from "./websocket.ts";

/** A command that runs; structurally the `RunningCommand` of the runtimes room. */
export interface RunningCommand {
  /** Undefined when nobody may write. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined when it is part of `stdout`. */
  readonly stderr: Readable | undefined;
  /** The exit code, or undefined when the command is somebody else's and goes on (attach). */
  readonly ended: Promise<number | undefined>;
  resize(size: TerminalSize): void;
  /** Ends the command, or lets go of it. Again and again is fine. */
  end(): Promise<void>;
}

/** 400 for a client that asks for nothing. A terminal has one output. */
export function wantedStreams(wanted: WantedStreams): WantedStreams {
  const stderr = wanted.stderr && !wanted.tty;
  if (!wanted.stdin && !wanted.stdout && !stderr) throw badRequest("you must specify at least 1 of stdin, stdout, stderr");
  return { ...wanted, stderr };
}

/** How a command that ended is told: clients take their own exit code from the cause. */
export function endOf(exitCode: number | undefined): CommandEnd {
  if (exitCode === undefined || exitCode === 0) return "success";
  const message = `command terminated with non-zero exit code: exit status ${exitCode}`;
  const details = { causes: [{ reason: "ExitCode", message: String(exitCode) }] };
  return { message, status: { metadata: {}, status: "Failure", message, reason: "NonZeroExitCode", details } };
}

/** Why it was not run, or broke off. */
export function failureOf(error: unknown): CommandFailure {
  const why = (error as Error).message;
  if (error instanceof StatusError && error.reason !== "InternalError") return { message: why, status: statusOf(error) };
  const message = `Internal error occurred: ${why}`;
  return { message, status: statusOf(new StatusError("InternalError", message, { details: { causes: [{ message: why }] } })) };
}

/** Answers a request for a command: a 101 whose connection carries the streams. Throws the refusal. */
export function acceptCommand(
  request: ApiRequest,
  wanted: WantedStreams,
  { clock, start }: { readonly clock: Clock; readonly start: () => Promise<RunningCommand> },
): ApiResponse {
  if (isWebSocketRequest(request)) {
    const protocol = subprotocol(request, Object.keys(CHANNEL_PROTOCOLS));
    return switchToWebSocket(request, protocol, (connection) => converse(openChannels(connection, { protocol, wanted, clock }), start));
  }
  if (isSpdyRequest(request)) {
    const protocol = streamProtocol(request, COMMAND_PROTOCOLS);
    return switchToSpdy(protocol, async (connection) => {
      const client = await openCommandStreams(connection, { protocol, wanted, clock });
      if (client !== undefined) await converse(client, start);
    });
  }
  throw badRequest("Upgrade request required");
}

/** Starts the command, pumps until it has ended or the client has gone, and tells the end. Never rejects. */
async function converse(client: ClientStreams, start: () => Promise<RunningCommand>): Promise<void> {
  let command: RunningCommand;
  try {
    command = await start();
  } catch (error) {
    return client.finish(failureOf(error));
  }
  const end = (): void => void command.end();
  client.gone.addEventListener("abort", end, { once: true });
  if (client.gone.aborted) end();
  void follow(client.sizes, command);
  if (client.stdin !== undefined && command.stdin !== undefined) {
    // A command that reads no further is no failure: the rest of the input is dropped.
    void pipeline(client.stdin, command.stdin).catch(() => undefined);
  } else client.stdin?.resume();
  try {
    await Promise.all([pump(command.stdout, client.stdout), pump(command.stderr, client.stderr)]);
    await client.finish(endOf(await command.ended));
  } catch (error) {
    // Mostly the client is gone, and nobody is told.
    await client.finish(failureOf(error));
  } finally {
    client.gone.removeEventListener("abort", end);
    await command.end();
  }
}

async function pump(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (from === undefined) return void to?.end();
  if (to !== undefined) return pipeline(from, to);
  from.resume();
  await finished(from);
}

async function follow(sizes: AsyncIterable<TerminalSize>, command: RunningCommand): Promise<void> {
  try {
    for await (const size of sizes) command.resize(size);
  } catch {
    // The client has gone, or sends what is no size: the window stays as it is.
  }
}
