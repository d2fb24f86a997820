// Looking into pods: commands, ports, output.
import { join } from "node:path";
import type { Client } from "#client";
import { badRequest, notFound, StatusError, type Clock, type Logger } from "#core";
import { Pod } from "#kinds";
import type { ProcessExit } from "#protocol";
import type { PodStreams } from "../port.ts";
import { startCommand } from "./command-session.ts";
import type { KeeperClient } from "./keeper-client.ts";
import type { PodFolders } from "./pod-folders.ts";
import { addressFor, dial } from "./pod-connect.ts";
import { readLogs, type LogQuery } from "./pod-logs.ts";
import type { PodWorker } from "./pod-worker.ts";

export interface PodStreamsOptions {
  readonly client: Client;
  readonly keeper: KeeperClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folders: PodFolders;
  readonly exitOf: (processId: string) => Promise<ProcessExit | null>;
  /** Undefined for a pod that does not run here (any more). */
  readonly workerOf: (uid: string) => PodWorker | undefined;
}

const PODS = { group: "", resource: "pods" };

export function createPodStreams(options: PodStreamsOptions): PodStreams {
  const { client, clock, folders, workerOf } = options;
  return {
    async exec(pod, { container, argv, stdin, tty }) {
      const command = await workerOf(pod.metadata.uid)?.commandSpec(container, argv);
      if (command === undefined) throw new StatusError("InternalError", `container not found (${JSON.stringify(container)})`);
      return startCommand({ ...options, fifosDir: folders.fifosDir }, { ...command, stdin, tty });
    },
    async connect(pod, port) {
      return dial(await addressFor(pod, port, workerOf(pod.metadata.uid)?.pids ?? []), port);
    },
    async *openLogs(target, query, signal) {
      const found = await client.find(Pod, target.namespace, target.name);
      if (found === undefined && target.uid === undefined) throw notFound(PODS, target.name);
      const uid = target.uid ?? found?.metadata.uid ?? "";
      const source = logSource(folders, { uid, name: target.name, pod: found }, query);
      yield* readLogs({ ...source, isRunning: () => workerOf(uid)?.isRunning === true }, query, clock, signal);
    },
  };
}

function logSource(folders: PodFolders, { uid, name, pod }: { readonly uid: string; readonly name: string; readonly pod: Pod | undefined }, query: LogQuery) {
  const known = pod === undefined ? undefined : [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((each) => each.name);
  const mains = pod?.spec.containers.map((each) => each.name) ?? [];
  if (query.container === undefined && mains.length > 1) {
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${mains.join(" ")}]`);
  }
  const container = query.container ?? mains[0] ?? "user-container";
  if (known !== undefined && !known.includes(container)) throw badRequest(`container ${container} is not valid for pod ${name}`);
  // A uid comes from outside: only what looks like one names a folder.
  if (!/^[\w-]+$/.test(uid) || !/^[\w-]+$/.test(container)) throw badRequest(`container ${container} is not valid for pod ${name}`);
  return { folder: join(folders.logsDir, uid, container), container, podName: name };
}
