// Looking into pods: commands, ports, output.
import { join } from "node:path";
import { Readable } from "node:stream";
import { StatusError, type Clock, type Logger } from "#core";
import type { Pod } from "#kinds";
import type { ProcessExit } from "#protocol";
import type { PodStreams } from "../port.ts";
import { startCommand } from "./command-session.ts";
import type { KeeperClient } from "./keeper-client.ts";
import type { PodFolders } from "./pod-folders.ts";
import { addressFor, dial } from "./pod-connect.ts";
import { readLogs, type LogSource } from "./pod-logs.ts";
import type { PodWorker } from "./pod-worker.ts";

export interface PodStreamsOptions {
  readonly keeper: KeeperClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folders: PodFolders;
  readonly exitOf: (processId: string) => Promise<ProcessExit | null>;
  /** Undefined for a pod that does not run here (any more). */
  readonly workerOf: (uid: string) => PodWorker | undefined;
}

export function createPodStreams(options: PodStreamsOptions): PodStreams {
  const { clock, folders, workerOf } = options;
  return {
    async exec(pod, { container, argv, stdin, tty }) {
      const command = await workerOf(pod.metadata.uid)?.commandSpec(container, argv);
      if (command === undefined) throw containerNotFound(container);
      return startCommand({ ...options, fifosDir: folders.fifosDir }, { ...command, stdin, tty });
    },
    async attach(pod, { container, stdin }) {
      const attached = workerOf(pod.metadata.uid)?.attach(container);
      if (attached === undefined) throw containerNotFound(container);
      const over = new AbortController();
      const source = { ...logSource(folders, pod, container), isRunning: () => !attached.over.aborted };
      const chunks = readLogs(source, { container, follow: true, tailLines: 0 }, clock, over.signal)[Symbol.asyncIterator]();
      // From here on output counts; only then may there be input that it answers to.
      await chunks.next();
      const output = Readable.from({ [Symbol.asyncIterator]: () => chunks }, { objectMode: false });
      const input = stdin ? attached.openInput() : undefined;
      return {
        stdin: input,
        stdout: output,
        stderr: undefined,
        ended: Promise.resolve(undefined),
        resize: () => undefined,
        async end() {
          over.abort();
          input?.destroy();
          output.destroy();
        },
      };
    },
    async connect(pod, port) {
      return dial(await addressFor(pod, port, workerOf(pod.metadata.uid)?.pids ?? []), port);
    },
    openLogs(pod, query, signal) {
      const isRunning = (): boolean => workerOf(pod.metadata.uid)?.runs(query.container) === true;
      return readLogs({ ...logSource(folders, pod, query.container), isRunning }, query, clock, signal);
    },
  };
}

function containerNotFound(container: string): StatusError {
  return new StatusError("InternalError", `container not found (${JSON.stringify(container)})`);
}

/** The caller knows that the pod has such a container: the names are no paths. */
function logSource(folders: PodFolders, { metadata, status }: Pod, container: string): Omit<LogSource, "isRunning"> {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return { folder: join(folders.logsDir, metadata.uid, container), podName: metadata.name, status: all.find((each) => each.name === container) };
}
