// One container from its start to its end: its output is followed into our file, and when there is no more, its end is looked at.
import type { Clock, Logger } from "#core";
import type { EngineExit } from "../engine.ts";
import { DaemonError, type DaemonClient } from "./daemon-client.ts";
import { copyOutput, OutputWriter } from "./output.ts";
import { inspect, type ContainerState } from "./pod-network.ts";

export interface WatchedContainer {
  readonly client: DaemonClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dockerId: string;
  readonly tty: boolean;
  readonly outputFile: string;
}

/** A daemon that is away is asked again after this long, then twice as long, and so on. */
const RETRY_MS = { first: 200, max: 5_000 } as const;

/**
 * Resolves with the end, null when the container is gone without one; never while the daemon is away, and never once the signal aborts.
 * The output is in the file by then.
 */
export async function watchContainer(container: WatchedContainer, signal: AbortSignal): Promise<EngineExit | null> {
  const { client, clock, logger, dockerId } = container;
  let pauseMs: number = RETRY_MS.first;
  while (!signal.aborted) {
    try {
      const followed = await follow(container, signal);
      const state = await inspect(client, dockerId);
      if (state === undefined) return null;
      if (!state.State.Running) return exitOf(state);
      // The log ended and the container did not: the daemon went away and came back.
      if (followed) pauseMs = RETRY_MS.first;
    } catch (err) {
      if (signal.aborted) break;
      logger.debug("container is out of sight for now", { container: dockerId, err });
    }
    await clock.sleep(pauseMs, signal).catch(() => undefined);
    pauseMs = Math.min(RETRY_MS.max, pauseMs * 2);
  }
  return new Promise(() => undefined);
}

/** True when there was something to follow. */
async function follow({ client, logger, dockerId, tty, outputFile }: WatchedContainer, signal: AbortSignal): Promise<boolean> {
  const writer = new OutputWriter(outputFile);
  const { sinceSeconds } = await writer.resume();
  const query = { follow: "true", stdout: "true", stderr: "true", timestamps: "true", ...(sinceSeconds === 0 ? {} : { since: String(sinceSeconds) }) };
  try {
    await copyOutput(await client.open({ method: "GET", path: `/containers/${dockerId}/logs`, query }, signal), writer, { tty });
    return true;
  } catch (err) {
    if (err instanceof DaemonError && err.isGone) throw err;
    // Without its output a container is still a container.
    if (!signal.aborted) logger.warn("output of a container is not followed", { container: dockerId, err });
    return false;
  }
}

function exitOf({ State }: ContainerState): EngineExit {
  const startedAtWallMs = Date.parse(State.StartedAt ?? "");
  const atWallMs = Date.parse(State.FinishedAt ?? "");
  return {
    exitCode: State.ExitCode,
    oomKilled: State.OOMKilled === true,
    ...(Number.isNaN(startedAtWallMs) ? {} : { startedAtWallMs }),
    atWallMs,
  };
}
