// The kubelet of the embedded platform: pods of its node, each on one of the machine's engines.
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { createInformer, type Change, type Client } from "#client";
import type { Clock, Logger, Rng } from "#core";
import type { ImageStore } from "#images";
import { hasEnded, Pod, type PodSpec } from "#kinds";
import type { EngineFactory, EngineTools } from "../engine.ts";
import type { PodStreams, PodUsage } from "../port.ts";
import { Engines } from "./engines.ts";
import { FollowedObjects } from "./followed-objects.ts";
import { logFolders } from "./log-folders.ts";
import { createPodStreams } from "./pod-streams.ts";
import { PodWorker, type WorkerContext } from "./pod-worker.ts";
import type { MintToken } from "./volumes/pod-tokens.ts";
import { sweepVolumes } from "./volumes/pod-volumes.ts";
import { VolumeScanner } from "./volumes/volume-scanner.ts";

export interface RuntimeOptions {
  readonly client: Client;
  /** Those that this machine has. */
  readonly engines: readonly EngineFactory[];
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Pods' logs and volumes go below it: `logs/`, `volumes/`. */
  readonly dataDir: string;
  /** Pods with this `spec.nodeName` are ours. */
  readonly nodeName: string;
  readonly onStarted: WorkerContext["onStarted"];
  readonly onEvent: WorkerContext["onEvent"];
  readonly mintToken: MintToken;
  /** Where the API listens on the machine's loopback. */
  readonly apiPort?: number;
  /** Resolves when all gateways have acknowledged the pod's removal and its requests have drained. */
  readonly beforeStop: (pod: { readonly namespace: string; readonly name: string; readonly uid: string }, signal: AbortSignal) => Promise<void>;
}

export interface Runtime extends PodStreams, PodUsage {
  /** Watches and runs pods until the signal aborts; running pods are left to their engine. */
  run(signal: AbortSignal): Promise<void>;
  /** A gateway connected to a starting pod: as good as a passed tcpSocket probe. */
  podReady(uid: string): void;
  /** What will not be honoured of such a pod, one sentence a field; `path` is where the spec lies. */
  notHonoured(spec: PodSpec, path: string): Promise<readonly string[]>;
}

interface Owned {
  readonly uid: string;
  readonly pod: Pod;
}

export function createRuntime(options: RuntimeOptions): Runtime {
  const { logger, clock } = options;
  const folders = logFolders(options.dataDir);
  const workers = new Map<string, PodWorker>();
  const engines = enginesOf(options, folders.outputFile, (uid) => workers.get(uid));
  const running = new Set<Promise<void>>();
  const scanner = new VolumeScanner(options);
  const objects = new FollowedObjects(options);
  const volumesDir = join(options.dataDir, "volumes");
  const context: WorkerContext = {
    ...options,
    outputFile: folders.outputFile,
    volumesDir,
    node: { cpuNanos: BigInt(availableParallelism()) * 1_000_000_000n, memoryBytes: BigInt(totalmem()) },
    objects,
    soleUsers: new Map(),
    chooseEngine: (pod, fetch) => engines.choose(pod, fetch),
  };

  const begin = (pod: Pod, signal: AbortSignal): void => {
    if (workers.has(pod.metadata.uid) || isOver(pod)) return;
    const worker = new PodWorker(context, pod, { adopted: engines.adopted(pod), signal });
    workers.set(worker.uid, worker);
    const unwatch = hasLimits(pod) ? scanner.watch(worker) : undefined;
    const run = worker
      .run()
      .catch((error: unknown) => logger.error("pod worker failed", { pod: pod.metadata.name, err: error }))
      .finally(() => {
        unwatch?.();
        running.delete(run);
        workers.delete(worker.uid);
        if (!signal.aborted) void folders.prune(new Set(workers.keys())).catch((error: unknown) => logger.warn("old output was not deleted", { err: error }));
      });
    running.add(run);
  };

  const onChange = (change: Change<Owned>, signal: AbortSignal): void => {
    const { before, after } = change;
    if (before !== undefined && before.uid !== after?.uid) workers.get(before.uid)?.gone();
    if (after === undefined) return;
    const worker = workers.get(after.uid);
    if (worker === undefined) begin(after.pod, signal);
    else worker.update(after.pod);
  };

  return {
    async run(signal) {
      const pods = podsOf(options);
      const watching = pods.run(signal);
      await pods.synced;
      await engines.list();
      for (const { pod } of pods.list()) begin(pod, signal);
      pods.onChange((change) => onChange(change, signal));
      const uids = new Set(pods.list().map((row) => row.uid));
      await engines.sweep(uids);
      await sweepVolumes(volumesDir, (uid) => uids.has(uid) || workers.has(uid)).catch((error: unknown) =>
        logger.warn("old volumes were not removed", { err: error }),
      );
      await Promise.all([watching, scanner.run(signal)]);
      await Promise.all([...running, objects.ended()]);
    },
    podReady(uid) {
      workers.get(uid)?.portOpened();
    },
    usageOf: async (pod) => workers.get(pod.metadata.uid)?.usage(),
    notHonoured: (spec, path) => engines.notHonoured(spec, path),
    ...createPodStreams({ clock, logsDir: folders.logsDir, workerOf: (uid) => workers.get(uid) }),
  };
}

function enginesOf(options: RuntimeOptions, outputFile: EngineTools["outputFile"], workerOf: (uid: string) => PodWorker | undefined): Engines {
  const tools: EngineTools = {
    clock: options.clock,
    outputFile,
    imageProgress: (uid, container, message) => workerOf(uid)?.imageProgress(container, message),
  };
  return new Engines(
    options.engines.map((make) => make(tools)),
    options,
  );
}

function podsOf({ client, clock, rng, logger, nodeName }: RuntimeOptions) {
  const query = { fieldSelector: `spec.nodeName=${nodeName}` };
  return createInformer<Pod, Owned>({ client, kind: Pod, query, clock, rng, logger, keep: (pod) => ({ uid: pod.metadata.uid, pod }) });
}

/** Somebody has to look how much is in its volumes. */
function hasLimits({ spec }: Pod): boolean {
  return spec.volumes?.some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) === true;
}

/** Nothing is left to do for it until somebody deletes it. */
function isOver(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && hasEnded(pod);
}
