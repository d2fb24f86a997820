// Looking into pods: commands, ports, output.
import { join } from "node:path";
import { Readable } from "node:stream";
import { StatusError, type Clock } from "#core";
import type { Pod } from "#kinds";
import type { PodStreams } from "../port.ts";
import { addressFor, dial } from "./pod-connect.ts";
import { readLogs, type LogSource } from "./pod-logs.ts";
import type { PodWorker } from "./pod-worker.ts";

export interface PodStreamsOptions {
  readonly clock: Clock;
  readonly logsDir: string;
  /** Undefined for a pod that does not run here (any more). */
  readonly workerOf: (uid: string) => PodWorker | undefined;
}

export function createPodStreams({ clock, logsDir, workerOf }: PodStreamsOptions): PodStreams {
  return {
    async exec(pod, { container, argv, stdin, tty }) {
      const found = workerOf(pod.metadata.uid)?.running(container);
      if (found === undefined) throw containerNotFound(container);
      return found.engine.exec(found.at, { argv, stdin, tty });
    },
    async attach(pod, { container, stdin }) {
      const found = workerOf(pod.metadata.uid)?.running(container);
      if (found === undefined) throw containerNotFound(container);
      const over = new AbortController();
      const source = { ...logSource(logsDir, pod, container), isRunning: () => !found.at.over.aborted };
      const chunks = readLogs(source, { container, follow: true, tailLines: 0 }, clock, over.signal)[Symbol.asyncIterator]();
      // From here on output counts; only then may there be input that it answers to.
      await chunks.next();
      const output = Readable.from({ [Symbol.asyncIterator]: () => chunks }, { objectMode: false });
      const input = stdin ? await found.engine.openInput(found.at) : undefined;
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
      return readLogs({ ...logSource(logsDir, pod, query.container), isRunning }, query, clock, signal);
    },
  };
}

function containerNotFound(container: string): StatusError {
  return new StatusError("InternalError", `container not found (${JSON.stringify(container)})`);
}

/** The caller knows that the pod has such a container: the names are no paths. */
function logSource(logsDir: string, { metadata, status }: Pod, container: string): Omit<LogSource, "isRunning"> {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return { folder: join(logsDir, metadata.uid, container), podName: metadata.name, status: all.find((each) => each.name === container) };
}
