// The subresources that need what runs here: logs, commands and ports of pods, and what requests are passed on to.
import type { SubresourceHandler } from "#apiserver";
import type { Client } from "#client";
import type { Clock } from "#core";
import type { PodStreams } from "#runtimes";
import { podLog } from "./pod-log.ts";
import { podStreams } from "./pod-streams.ts";
import { nodeProxy, podProxy, serviceProxy } from "./proxies.ts";

type Handlers = Readonly<Record<string, SubresourceHandler>>;

export interface Subresources {
  readonly pods: Handlers;
  readonly services: Handlers;
  readonly nodes: Handlers;
}

export interface SubresourceTools {
  readonly runtime: () => PodStreams;
  readonly client: () => Client;
  readonly clock: Clock;
}

export function subresources(tools: SubresourceTools): Subresources {
  const { runtime, clock } = tools;
  return {
    pods: { log: podLog(runtime, clock), ...podStreams(runtime, clock), proxy: podProxy(tools) },
    services: { proxy: serviceProxy(tools) },
    nodes: { proxy: nodeProxy(tools) },
  };
}
