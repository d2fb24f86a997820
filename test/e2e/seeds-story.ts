// The seeds' story with the real kubectl and kn: deploy, zero, first request, 500 clients, zero again, wake, delete.
import assert from "node:assert/strict";
import { get as httpsGet } from "node:https";
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { loadKubeconfigFile } from "#client";
import { load, type LoadResult } from "./load.ts";
import { eventually, findProgram, Platform, root } from "./platform.ts";
import { differences, type Decision } from "./scale-formula.ts";

export interface StorySettings {
  readonly clients: number;
  readonly loadMs: number;
  /** Undefined: Knative's own, 60 s and 30 s. */
  readonly short: { readonly window: string; readonly grace: string } | undefined;
  readonly stableWindowMs: number;
  readonly graceMs: number;
  /** Also without the cap of three pods. */
  readonly uncapped: boolean;
  /** The image is pushed into the platform's registry and deployed by kn, instead of built and applied. */
  readonly inContainers?: { readonly skip: string | false; readonly push: (registry: string) => Promise<string> };
}

const NAME = "devops-toolkit";
const NAMESPACE = "production";
const HOST = `${NAME}.${NAMESPACE}.localhost`;
/** 70 % of containerConcurrency 100. */
const TARGET = 70;
const LOAD_PATH = "/?sleep=500";
/** What it may take after window and grace until the last pod is gone: two ticks, the pods' ends, a busy machine. */
const SLACK_MS = 15_000;
const EVERYTHING =
  "ksvc,configurations,revisions,routes,podautoscalers,metrics.autoscaling.internal.knative.dev,serverlessservices,ingresses.networking.internal.knative.dev,images.caching.internal.knative.dev,deployments,replicasets,pods,services,endpoints,endpointslices";

function manifest(settings: StorySettings, maxScale: string | undefined): object {
  const annotations = {
    "autoscaling.knative.dev/minScale": "0",
    ...(maxScale === undefined ? {} : { "autoscaling.knative.dev/maxScale": maxScale }),
    ...(settings.short === undefined ? {} : { "autoscaling.knative.dev/window": settings.short.window }),
  };
  const containers = [{ image: "dev.local/autoscale", resources: { limits: { memory: "256Mi", cpu: "100m" } } }];
  const template = { metadata: { annotations }, spec: { containerConcurrency: 100, containers } };
  return { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name: NAME, namespace: NAMESPACE }, spec: { template } };
}

/** One platform and the questions that the story asks of it. */
class Story {
  readonly platform: Platform;
  readonly settings: StorySettings;

  constructor(platform: Platform, settings: StorySettings) {
    this.platform = platform;
    this.settings = settings;
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return this.platform.kubectl("-n", NAMESPACE, ...args);
  }

  async pods(): Promise<string[]> {
    return (await this.kubectl("get", "pods", "-o", "name")).trim().split("\n").filter(Boolean);
  }

  async noPods(): Promise<void> {
    const limitMs = this.settings.stableWindowMs + this.settings.graceMs + SLACK_MS;
    await eventually("no pod is left", async () => (await this.pods()).length === 0, limitMs);
  }

  async revision(): Promise<string> {
    return (await this.kubectl("get", "ksvc", NAME, "-o", "jsonpath={.status.latestReadyRevisionName}")).trim();
  }

  ask(path = "/"): ReturnType<Platform["request"]> {
    return this.platform.request(HOST, path);
  }

  /** The same Service as the manifest's, with another image. */
  async createByKn(image: string): Promise<void> {
    const window = this.settings.short === undefined ? [] : ["--scale-window", this.settings.short.window];
    const scale = ["--scale-min", "0", "--scale-max", "3", "--concurrency-limit", "100", ...window];
    const limits = ["--limit", "memory=256Mi,cpu=100m"];
    const { code, stderr } = await this.platform.kn("service", "create", NAME, "-n", NAMESPACE, "--image", image, ...scale, ...limits, "--wait-timeout", "60");
    assert.equal(code, 0, stderr);
  }

  /** How many requests the revision's pods have answered: running ones are asked past the gateway, ended ones said so in their last line. */
  async servedAtPods(revision: string): Promise<number> {
    const running = await this.#served(await this.kubectl("get", "pods", "-l", `serving.knative.dev/revision=${revision}`, "-o", "json"));
    return [...running.values(), ...this.#servedByEnded(new Set(running.keys()))].reduce((sum, count) => sum + count, 0);
  }

  async #served(pods: string): Promise<Map<string, number>> {
    const { items } = JSON.parse(pods) as { items: { metadata: { uid: string; annotations: Record<string, string> } }[] };
    const counts = items.map(async ({ metadata }): Promise<[string, number]> => {
      const addresses = JSON.parse(metadata.annotations["eider.dev/addresses"] ?? "{}") as Record<string, string>;
      return [metadata.uid, await servedAt(addresses["8080"] ?? "")];
    });
    return new Map(await Promise.all(counts));
  }

  /** Output stays readable after a pod is gone. */
  #servedByEnded(running: ReadonlySet<string>): number[] {
    const logs = join(this.platform.data, "logs");
    return readdirSync(logs)
      .filter((uid) => !running.has(uid) && !this.endedBefore.has(uid))
      .map((uid) => Number(/served (\d+) requests/.exec(readFileSync(join(logs, uid, "user-container/0.log"), "utf8"))?.[1] ?? 0));
  }

  /** Pods that ended before the count began do not count. */
  readonly endedBefore = new Set<string>();

  async forgetEnded(): Promise<void> {
    const alive = (await this.kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")).split(" ");
    for (const uid of readdirSync(join(this.platform.data, "logs"))) if (!alive.includes(uid)) this.endedBefore.add(uid);
  }

  async explain(revision: string): Promise<readonly Decision[]> {
    const { server, ca, token } = await loadKubeconfigFile(this.platform.state.kubeconfig);
    return new Promise((resolve, reject) => {
      const options = { ca, agent: false as const, headers: { Authorization: `Bearer ${token ?? ""}` } };
      httpsGet(`${server}/debug/eider/explain?revision=${NAMESPACE}/${revision}`, options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve((JSON.parse(text) as { decisions?: Decision[] }).decisions ?? []));
      }).once("error", reject);
    });
  }
}

function servedAt(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(`http://${address}/served`, { agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve(Number(text)));
    });
    call.once("error", reject);
    call.end();
  });
}

interface Run {
  readonly result: LoadResult;
  readonly decisions: readonly Decision[];
  /** Names of all pods that were seen. */
  readonly podsSeen: ReadonlySet<string>;
  /** `spec.replicas` wanted by the PodAutoscaler at the end. */
  readonly desiredScale: number;
}

/** Load, with all decisions and pods on the way. */
async function underLoad(story: Story, revision: string): Promise<Run> {
  const decisions = new Map<number, Decision>();
  const podsSeen = new Set<string>();
  let over = false;
  const watching = (async () => {
    for (;;) {
      const last = over;
      for (const decision of await story.explain(revision)) decisions.set(decision.sinceMs, decision);
      for (const pod of await story.pods()) podsSeen.add(pod);
      if (last) return;
      await new Promise((resume) => setTimeout(resume, 1000));
    }
  })();
  const { clients, loadMs } = story.settings;
  const result = await load({ at: story.platform.state.http, host: HOST, path: LOAD_PATH, clients, durationMs: loadMs });
  over = true;
  await watching;
  const desiredScale = Number(await story.kubectl("get", "podautoscaler", revision, "-o", "jsonpath={.status.desiredScale}"));
  return { result, decisions: [...decisions.values()].sort((a, b) => a.sinceMs - b.sinceMs), podsSeen, desiredScale };
}

/** No failure, every answer counted at a pod, and each decision as the formula gives it. */
async function checkLoad(t: TestContext, story: Story, run: Run, revision: string, servedBefore: number): Promise<void> {
  const { result, decisions } = run;
  t.diagnostic(
    `${result.answered} answers, ${result.perSecond}/s, p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms, longest ${result.longestMs} ms, ${run.podsSeen.size} pods, ${decisions.length} decisions`,
  );
  assert.deepEqual(result.failures, {});
  assert.ok(result.answered > story.settings.clients, "every client got answers");
  const served = await story.servedAtPods(revision);
  assert.equal(served - servedBefore, result.answered, "served at the pods");
  assert.ok(
    decisions.some(({ values }) => (values?.stable ?? 0) > 0),
    "the decisions tell the load",
  );
  assert.deepEqual(differences(decisions, { target: TARGET, stableWindowMs: story.settings.stableWindowMs }), []);
}

const columns = (table: string): string[] =>
  table
    .split("\n")
    .filter((line) => line.startsWith("NAME "))
    .map((line) =>
      line
        .trim()
        .split(/\s{2,}/)
        .join("|"),
    );

/** Defines the story as tests of the calling file. */
export function seedsStory(settings: StorySettings): void {
  const kn = findProgram("kn", "KN");
  const { inContainers } = settings;
  const hasNone = inContainers !== undefined && kn === undefined ? "kn is not there: set KN to its path" : (inContainers?.skip ?? false);
  const needsKubectl = findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : hasNone;
  const needsKn = needsKubectl !== false ? needsKubectl : kn === undefined ? "kn is not there: set KN to its path" : false;
  let story: Story;

  before(async () => {
    if (hasNone === false) story = new Story(await Platform.start(), settings);
  });
  after(async () => {
    await story?.platform.stop();
  });

  test("kubectl apply of the seed's YAML: ready, and all lists show their columns at zero", { skip: needsKubectl }, async () => {
    if (inContainers === undefined) {
      const built = await story.platform.eider("build", join(root, "samples/autoscale"), "--image", "dev.local/autoscale");
      assert.equal(built.code, 0, built.stderr);
    }
    await story.platform.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    if (settings.short !== undefined) {
      const patch = JSON.stringify({ data: { "scale-to-zero-grace-period": settings.short.grace } });
      await story.platform.kubectl("-n", "knative-serving", "patch", "configmap", "config-autoscaler", "--type=merge", "-p", patch);
    }
    if (inContainers === undefined) await story.platform.apply(manifest(settings, "3"));
    else await story.createByKn(await inContainers.push(story.platform.state.registry ?? ""));
    await story.kubectl("wait", "ksvc", NAME, "--for=condition=Ready", "--timeout=30s");
    await story.noPods();
    const lists = await story.kubectl("get", "kservice,configuration,revisions,deployments,services,podautoscalers,routes");
    assert.deepEqual(columns(lists), [
      "NAME|URL|LATESTCREATED|LATESTREADY|READY|REASON",
      "NAME|LATESTCREATED|LATESTREADY|READY|REASON",
      "NAME|CONFIG NAME|GENERATION|READY|REASON|ACTUAL REPLICAS|DESIRED REPLICAS",
      "NAME|READY|UP-TO-DATE|AVAILABLE|AGE",
      "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|AGE",
      "NAME|DESIREDSCALE|ACTUALSCALE|READY|REASON",
      "NAME|URL|READY|REASON",
    ]);
    assert.match(lists, new RegExp(`^podautoscaler\\S+/${NAME}-00001 +0 +0 +False +NoTraffic *$`, "m"));
    assert.match(lists, new RegExp(`^deployment.apps/${NAME}-00001-deployment +0/0 `, "m"));
    for (const line of [`${NAME} +ExternalName`, `${NAME}-00001 +ClusterIP`, `${NAME}-00001-private +ClusterIP`])
      assert.match(lists, new RegExp(`^service/${line} `, "m"));
    assert.match(lists, new RegExp(`^service.serving.knative.dev/${NAME} +http://${HOST}:\\d+ +${NAME}-00001 +${NAME}-00001 +True *$`, "m"));
  });

  test("the first request is answered from zero", { skip: needsKubectl }, async (t) => {
    const from = performance.now();
    const cold = await story.ask();
    const coldMs = performance.now() - from;
    const warmFrom = performance.now();
    await story.ask();
    t.diagnostic(`cold ${coldMs.toFixed(0)} ms, warm ${(performance.now() - warmFrom).toFixed(1)} ms`);
    assert.deepEqual([cold.status, cold.body], [200, "Hello World!\n"]);
  });

  test(
    `${settings.clients} clients for ${settings.loadMs / 1000} s: exactly 3 pods, none failed, each answer served by a pod`,
    { skip: needsKubectl },
    async (t) => {
      const revision = await story.revision();
      await story.forgetEnded();
      const before = await story.servedAtPods(revision);
      const run = await underLoad(story, revision);
      assert.equal(run.podsSeen.size, 3);
      assert.equal((await story.pods()).length, 3);
      assert.equal(run.desiredScale, 3);
      await checkLoad(t, story, run, revision, before);
    },
  );

  test("after the load: zero within window and grace, and the next request wakes it", { skip: needsKubectl }, async (t) => {
    const from = performance.now();
    await story.noPods();
    t.diagnostic(
      `zero after ${((performance.now() - from) / 1000).toFixed(1)} s (window ${settings.stableWindowMs / 1000} s, grace ${settings.graceMs / 1000} s)`,
    );
    assert.equal((await story.ask()).status, 200);
    assert.equal((await story.pods()).length, 1);
  });

  test(
    "without the cap the desired scale is what the formula gives",
    { skip: needsKubectl !== false ? needsKubectl : settings.uncapped ? false : "only in npm run e2e" },
    async (t) => {
      await story.platform.apply(manifest(settings, undefined));
      await eventually("the second revision is ready", async () => (await story.revision()) === `${NAME}-00002`);
      const firstHasPods = async (): Promise<boolean> => (await story.pods()).some((pod) => pod.includes(`${NAME}-00001-`));
      await eventually("the first revision's pods are gone", async () => !(await firstHasPods()), 120_000);
      await story.forgetEnded();
      const revision = await story.revision();
      const before = await story.servedAtPods(revision);
      const run = await underLoad(story, revision);
      await checkLoad(t, story, run, revision, before);
      // A client between two requests counts for nothing, so it is a little less than all at once: the most pods are those of the panic at the start.
      const most = Math.max(...run.decisions.map(({ desired }) => desired));
      assert.deepEqual([most, run.podsSeen.size], [Math.ceil(settings.clients / TARGET), most]);
      assert.equal(run.desiredScale, run.decisions.at(-1)?.desired);
    },
  );

  test("kn service delete leaves nothing", { skip: needsKn }, async () => {
    const { code, stdout } = await story.platform.kn("service", "delete", NAME, "-n", NAMESPACE);
    assert.deepEqual([code, stdout], [0, `Service '${NAME}' successfully deleted in namespace '${NAMESPACE}'.\n`]);
    await eventually("nothing is left", async () => (await story.kubectl("get", EVERYTHING, "-o", "name")).trim() === "");
    const platformLog = readFileSync(join(story.platform.data, "log/platform.log"), "utf8");
    assert.deepEqual(
      platformLog.split("\n").filter((line) => line.includes('"level":"error"')),
      [],
    );
  });
}
