// The kubelet of the embedded platform: pods of its node run as host processes of the keeper.
import { createInformer, type Change, type Client } from "#client";
import type { Clock, Logger, Rng } from "#core";
import type { ImageStore } from "#images";
import { Pod } from "#kinds";
import type { ProcessExit, ProcessState } from "#protocol";
import type { PodStreams, PodUsage } from "../port.ts";
import { processUsage } from "../process-usage.ts";
import type { KeeperClient } from "./keeper-client.ts";
import { searchPath } from "./launch.ts";
import { podFolders } from "./pod-folders.ts";
import { createPodStreams } from "./pod-streams.ts";
import { PodWorker, type WorkerContext } from "./pod-worker.ts";

export interface ProcessRuntimeOptions {
  readonly client: Client;
  readonly keeper: KeeperClient;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Pods' folders and logs go below it: `pods/`, `logs/`. */
  readonly dataDir: string;
  /** Pods with this `spec.nodeName` are ours. */
  readonly nodeName: string;
  /** The Node binary for images with base `node26`. */
  readonly nodePath: string;
  /** The platform's PATH; pods get its part of the host (`searchPath`). */
  readonly path: string;
  /** Started as root: every namespace gets its own uid. */
  readonly asRoot: boolean;
  readonly onStarted: WorkerContext["onStarted"];
  /** Resolves when all gateways have acknowledged the pod's removal and its requests have drained. */
  readonly beforeStop: (pod: { readonly namespace: string; readonly name: string; readonly uid: string }, signal: AbortSignal) => Promise<void>;
}

export interface ProcessRuntime extends PodStreams, PodUsage {
  /** Watches and runs pods until the signal aborts; running pods are left to their keeper. */
  run(signal: AbortSignal): Promise<void>;
  /** A gateway connected to a starting pod: as good as a passed tcpSocket probe. */
  podReady(uid: string): void;
}

interface Owned {
  readonly uid: string;
  readonly pod: Pod;
}

export function createProcessRuntime(options: ProcessRuntimeOptions): ProcessRuntime {
  const { logger } = options;
  const folders = podFolders(options);
  if (options.asRoot && !folders.ownUsers)
    logger.warn("pods run as the platform's user: other users cannot reach the data folder", { dataDir: options.dataDir });
  const exits = exitsOf(options.keeper);
  const workers = new Map<string, PodWorker>();
  const portsTaken = new Set<number>();
  const running = new Set<Promise<void>>();
  const readTrees = processUsage();
  const context = { ...options, path: searchPath(options.path), folders, portsTaken, exitOf: exits.exitOf };

  const begin = (pod: Pod, adopted: readonly ProcessState[], signal: AbortSignal): void => {
    if (workers.has(pod.metadata.uid) || isOver(pod)) return;
    const worker = new PodWorker(context, pod, adopted);
    workers.set(worker.uid, worker);
    const run = worker
      .run(signal)
      .catch((error: unknown) => logger.error("pod worker failed", { pod: pod.metadata.name, err: error }))
      .finally(() => {
        running.delete(run);
        workers.delete(worker.uid);
        if (!signal.aborted)
          void folders.pruneLogs(new Set(workers.keys())).catch((error: unknown) => logger.warn("old output was not deleted", { err: error }));
      });
    running.add(run);
  };

  const onChange = (change: Change<Owned>, signal: AbortSignal): void => {
    const { before, after } = change;
    if (before !== undefined && before.uid !== after?.uid) workers.get(before.uid)?.gone();
    if (after === undefined) return;
    const worker = workers.get(after.uid);
    if (worker === undefined) begin(after.pod, [], signal);
    else worker.update(after.pod);
  };

  return {
    async run(signal) {
      const pods = podsOf(options);
      const watching = pods.run(signal);
      await pods.synced;
      const { processes = [] } = await options.keeper.call({ do: "list" });
      exits.seed(processes);
      for (const { uid, pod } of pods.list()) {
        begin(
          pod,
          processes.filter((state) => state.id.startsWith(`${uid}/`)),
          signal,
        );
      }
      pods.onChange((change) => onChange(change, signal));
      await endStrays(processes, new Set(pods.list().map((row) => row.uid)), { ...options, exitOf: exits.exitOf });
      await watching;
      await Promise.all(running);
      exits.stop();
    },
    podReady(uid) {
      workers.get(uid)?.portOpened();
    },
    async usageOf(pod) {
      const processes = workers.get(pod.metadata.uid)?.processes;
      if (processes === undefined) return undefined;
      const trees = await readTrees(processes.map(({ pid }) => pid));
      const atMs = options.clock.monotonicMs();
      return trees && processes.flatMap(({ container, pid }) => [trees.get(pid) ?? []].flat().map((tree) => ({ name: container, ...tree, atMs })));
    },
    ...createPodStreams({ ...options, folders, exitOf: exits.exitOf, workerOf: (uid) => workers.get(uid) }),
  };
}

function podsOf({ client, clock, rng, logger, nodeName }: ProcessRuntimeOptions) {
  const query = { fieldSelector: `spec.nodeName=${nodeName}` };
  return createInformer<Pod, Owned>({ client, kind: Pod, query, clock, rng, logger, keep: (pod) => ({ uid: pod.metadata.uid, pod }) });
}

/** Nothing is left to do for it until somebody deletes it. */
function isOver(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed");
}

/** Exits by process id: a notice may come before or after somebody asks. */
function exitsOf(keeper: KeeperClient) {
  const waiting = new Map<string, (exit: ProcessExit | null) => void>();
  const early = new Map<string, ProcessExit | null>();
  const tell = (id: string, exit: ProcessExit | null): void => {
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (waiter === undefined) early.set(id, exit);
    else waiter(exit);
  };
  const stop = keeper.onNotice((notice) => tell(notice.process, notice.exit));
  return {
    stop,
    seed(states: readonly ProcessState[]): void {
      for (const { id, running, exit } of states) if (!running) tell(id, exit ?? null);
    },
    exitOf(id: string): Promise<ProcessExit | null> {
      const known = early.get(id);
      if (known !== undefined || early.has(id)) {
        early.delete(id);
        return Promise.resolve(known ?? null);
      }
      return new Promise((resolve) => waiting.set(id, resolve));
    },
  };
}

/** Processes without a pod, and probes' commands of an earlier platform: nobody wants them any more. */
async function endStrays(
  processes: readonly ProcessState[],
  pods: ReadonlySet<string>,
  { keeper, logger, exitOf }: { readonly keeper: KeeperClient; readonly logger: Logger; readonly exitOf: (id: string) => Promise<ProcessExit | null> },
): Promise<void> {
  const strays = processes.filter(({ id }) => !pods.has(id.split("/")[0] ?? "") || id.split("/").length > 2);
  for (const { id, running } of strays) {
    logger.info("process without a pod is ended", { process: id });
    if (running)
      await keeper
        .call({ do: "signal", process: id, signal: "SIGKILL" })
        .catch((error: unknown) => logger.warn("process was not ended", { process: id, err: error }));
    void exitOf(id)
      .then(() => keeper.call({ do: "forget", process: id }))
      .catch((error: unknown) => logger.warn("process was not forgotten", { process: id, err: error }));
  }
}
