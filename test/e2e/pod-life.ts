// Hooks, sidecars, deadlines and Events on a real platform, the same story for each runtime.
import assert from "node:assert/strict";
import { eventually, type Platform } from "./platform.ts";

interface ContainerShown {
  readonly name: string;
  readonly ready: boolean;
  readonly state: { readonly terminated?: { readonly exitCode: number; readonly startedAt: string } };
}

export interface PodShown {
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly message?: string;
    readonly containerStatuses?: readonly ContainerShown[];
    readonly initContainerStatuses?: readonly ContainerShown[];
  };
}

export interface LifeWorld {
  readonly platform: Platform;
  /** Also the end of its pods' names. */
  readonly runtime: "process" | "sandbox";
  readonly image: string;
  /** A program that runs until it is told to end. */
  readonly stays: object;
  /** One that ends with 0 after a moment. */
  readonly ends: object;
  /** A command that ends with 0, and one that ends with another code. */
  readonly yes: readonly string[];
  readonly no: readonly string[];
}

const pod = (name: string, spec: object): object => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" }, spec });

async function shown({ platform }: LifeWorld, name: string): Promise<PodShown> {
  return JSON.parse(await platform.kubectl("get", "pod", name, "-o", "json")) as PodShown;
}

const described = ({ platform }: LifeWorld, name: string): Promise<string> => platform.kubectl("describe", "pod", name);

/** `kubectl describe` shows what became of a pod, once it was written. */
async function saying(w: LifeWorld, name: string, words: readonly RegExp[]): Promise<void> {
  await eventually(`describe ${name} says ${words.join(", ")}`, async () => {
    const text = await described(w, name);
    return words.every((each) => each.test(text));
  });
}

export async function hooksStory(w: LifeWorld): Promise<void> {
  const lifecycle = { postStart: { exec: { command: w.yes } }, preStop: { exec: { command: w.no } } };
  await w.platform.apply(
    pod(`greets-${w.runtime}`, { terminationGracePeriodSeconds: 5, containers: [{ name: "app", image: w.image, ...w.stays, lifecycle }] }),
  );
  await eventually("the pod runs", async () => (await shown(w, `greets-${w.runtime}`)).status.containerStatuses?.[0]?.ready === true);
  await saying(w, `greets-${w.runtime}`, [
    /Scheduled .*Successfully assigned default\/greets-/,
    /Pulled .*already present on machine/,
    /Created container: app/,
    /Started container app/,
  ]);
  await w.platform.kubectl("delete", "pod", `greets-${w.runtime}`, "--wait=false");
  const told = async (): Promise<string> =>
    w.platform.kubectl("get", "events", "-o", 'jsonpath={range .items[*]}{.involvedObject.name} {.reason} {.message}{"\\n"}{end}');
  await eventually("the hook that failed is told", async () => (await told()).includes(`greets-${w.runtime} FailedPreStopHook PreStopHook failed`));
  assert.ok((await told()).includes(`greets-${w.runtime} Killing Stopping container app`));

  const failing = { postStart: { exec: { command: w.no } } };
  await w.platform.apply(
    pod(`stumbles-${w.runtime}`, {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "app", image: w.image, ...w.stays, lifecycle: failing }],
    }),
  );
  await eventually(
    "the container has ended",
    async () => (await shown(w, `stumbles-${w.runtime}`)).status.containerStatuses?.[0]?.state.terminated !== undefined,
  );
  await saying(w, `stumbles-${w.runtime}`, [/FailedPostStartHook .*PostStartHook failed/, /Killing .*FailedPostStartHook/]);
}

export async function sidecarStory(w: LifeWorld): Promise<void> {
  const initContainers = [{ name: "beside", image: w.image, ...w.stays, restartPolicy: "Always" }];
  const spec = { restartPolicy: "Never", terminationGracePeriodSeconds: 2, initContainers, containers: [{ name: "app", image: w.image, ...w.ends }] };
  await w.platform.apply(pod(`once-${w.runtime}`, spec));
  await eventually("the pod is done though the sidecar would run on", async () => (await shown(w, `once-${w.runtime}`)).status.phase === "Succeeded");
  const { status } = await shown(w, `once-${w.runtime}`);
  const [sidecar, app] = [status.initContainerStatuses?.[0]?.state.terminated, status.containerStatuses?.[0]?.state.terminated];
  assert.ok(sidecar?.startedAt !== undefined && app?.startedAt !== undefined);
  assert.ok(sidecar.startedAt <= app.startedAt, `the sidecar began at ${sidecar.startedAt}, the program at ${app.startedAt}`);
  assert.equal(app.exitCode, 0);
}

export async function deadlineStory(w: LifeWorld): Promise<void> {
  await w.platform.apply(
    pod(`late-${w.runtime}`, { activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 1, containers: [{ name: "app", image: w.image, ...w.stays }] }),
  );
  await eventually("the pod's time is over", async () => (await shown(w, `late-${w.runtime}`)).status.phase === "Failed");
  const { reason, message } = (await shown(w, `late-${w.runtime}`)).status;
  assert.deepEqual([reason, message], ["DeadlineExceeded", "Pod was active on the node longer than the specified deadline"]);
}
