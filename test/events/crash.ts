// The crash test of events: producers send, the platform is killed every few seconds, receivers write down what they get, and a checker
// in a process of its own reads their files.
import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, createHttpTransport, loadKubeconfigFile, type Client } from "#client";
import { below, SeededRng, silentLogger } from "#core";
import { systemClock } from "#host";
import { Broker, Trigger } from "#kinds";
import type { Draft } from "#schema";
import { isAlive, sleep } from "../e2e/kill-world.ts";
import { eventually, Platform, type State } from "../e2e/platform.ts";
import type { Verdict } from "./facts.ts";
import { killFile, killLine, nowMs } from "./files.ts";
import { DEAD, SUBSCRIBERS } from "./story.ts";

export interface CrashOptions {
  readonly events: number;
  readonly seed: number;
  /** So many kills at most; a busy machine needs long for the next platform. */
  readonly killsMax?: number;
  /** Called with one line a deed. */
  readonly tell: (line: string) => void;
}

export interface CrashReport extends Verdict {
  readonly kills: number;
  readonly producedMs: number;
  readonly deliveredMs: number;
}

const NAMESPACE = "default";
const NAME = "events";
export const BROKER_HOST = "broker-ingress.knative-eventing.svc.cluster.local";
const KILLS_MIN = 3;
/** From a platform that is there to its death. */
const LIFE_MS = { least: 2_000, more: 4_000 };
const SELECTIONS: Readonly<Record<string, object>> = {
  plain: {},
  ordered: {},
  chosen: { filters: [{ cesql: "type IN ('t0', 't2')" }] },
  slow: { filter: { attributes: { type: "t1" } } },
  failing: { filters: [{ exact: { type: "t3" } }] },
};

export async function runCrash({ events, seed, killsMax = Infinity, tell }: CrashOptions): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), "eider-crash-"));
  // A busy machine starts the next platform slowly.
  const platform = await Platform.start({ args: ["--orphan-grace", "60s"] });
  const children: ChildProcess[] = [];
  try {
    const receivers = program("receivers.ts", folder);
    children.push(receivers);
    const port = await new Promise<string>((resolve) => receivers.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString().trim())));
    await makeTriggers(platform, `http://127.0.0.1:${port}`);
    const began = nowMs();
    const producers = program("producers.ts", folder, `${platform.state.internal}/${NAMESPACE}/${NAME}`, BROKER_HOST, String(events));
    children.push(producers);
    const kills = await killWhile(platform, { folder, seed, killsMax, tell, done: ended(producers) });
    const producedMs = nowMs() - began;
    tell(`all is sent after ${Math.round(producedMs)} ms`);
    const checker = program("checker.ts", folder);
    children.push(checker);
    const verdict = JSON.parse(await output(checker)) as Verdict;
    const complaints = verdict.complaints.length + verdict.lost.length === 0 ? [] : [...verdict.complaints, platform.logs()];
    return { ...verdict, complaints, kills, producedMs, deliveredMs: nowMs() - began };
  } catch (error) {
    throw new Error(`the crash test failed: ${(error as Error).message}\n${platform.logs()}`, { cause: error });
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill("SIGKILL");
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function program(name: string, ...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, name), ...args], { stdio: ["ignore", "pipe", "inherit"] });
}

async function output(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => child.once("close", resolve));
  if (child.exitCode !== 0) throw new Error(`a process of the crash test ended with ${child.exitCode ?? child.signalCode ?? ""}`);
  return text;
}

/** Says whether the process has ended. */
function ended(child: ChildProcess): () => boolean {
  return () => {
    if (child.exitCode !== null && child.exitCode !== 0) throw new Error(`the producers ended with ${child.exitCode}`);
    return child.exitCode === 0;
  };
}

interface Killing {
  readonly folder: string;
  readonly seed: number;
  readonly killsMax: number;
  readonly tell: (line: string) => void;
  readonly done: () => boolean;
}

/** How often it was killed. */
async function killWhile(platform: Platform, { folder, seed, killsMax, tell, done }: Killing): Promise<number> {
  const rng = new SeededRng(seed);
  let kills = 0;
  while (!done() || kills < KILLS_MIN) {
    await sleep(LIFE_MS.least + below(rng, LIFE_MS.more));
    if (kills >= killsMax) continue;
    const before = platform.state;
    const fromMs = nowMs();
    process.kill(before.pid, "SIGKILL");
    platform.state = await eventually("the next platform is announced", async () => nextState(platform.data, before));
    const toMs = nowMs();
    appendFileSync(killFile(folder), killLine({ fromMs, toMs }));
    tell(`kill ${++kills} of ${before.pid}, the next one is there after ${Math.round(toMs - fromMs)} ms`);
  }
  return kills;
}

function nextState(data: string, before: State): State | false {
  const found = JSON.parse(readFileSync(join(data, "run/state.json"), "utf8")) as State;
  return found.pid !== before.pid && isAlive(found.pid) && found;
}

async function makeTriggers(platform: Platform, receivers: string): Promise<void> {
  const access = await loadKubeconfigFile(platform.state.kubeconfig);
  const transport = createHttpTransport({ ...access, clock: systemClock, logger: silentLogger, userAgent: "crash", timeoutMs: 10_000 });
  const client = createClient(transport);
  try {
    const apiVersion = "eventing.knative.dev/v1";
    await client.create(Broker, { apiVersion, kind: "Broker", metadata: { name: NAME, namespace: NAMESPACE }, spec: {} } as unknown as Draft<Broker>);
    for (const { name, ordered, timeoutMs, attempts } of SUBSCRIBERS.filter((each) => each.name !== DEAD)) {
      const annotations = ordered === undefined ? {} : { "eider.dev/delivery-order": "key" };
      const delivery = {
        retry: (attempts ?? 1_000) - 1,
        backoffPolicy: "linear",
        backoffDelay: "PT0.1S",
        ...(timeoutMs === undefined ? {} : { timeout: `PT${timeoutMs / 1_000}S` }),
        ...(attempts === undefined ? {} : { deadLetterSink: { uri: `${receivers}/${DEAD}` } }),
      };
      const spec = { broker: NAME, subscriber: { uri: `${receivers}/${name}` }, delivery, ...SELECTIONS[name] };
      await client.create(Trigger, { apiVersion, kind: "Trigger", metadata: { name, namespace: NAMESPACE, annotations }, spec } as unknown as Draft<Trigger>);
    }
    for (const name of Object.keys(SELECTIONS)) await ready(client, name);
  } finally {
    transport.close();
  }
}

function ready(client: Client, name: string): Promise<boolean> {
  return eventually(`Trigger ${name} is ready`, async () => {
    const { status } = await client.get(Trigger, NAMESPACE, name);
    return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  });
}

/** One line of figures. */
export function describeCrash(report: CrashReport): string {
  const { acknowledged, deliveries, kills, doubts, refused, repeated, lost, producedMs, deliveredMs } = report;
  return (
    `${acknowledged} events acknowledged, ${deliveries} deliveries, ${kills} kills; ${lost.length} lost; again: ${repeated.kill} after kills, ` +
    `${repeated.timeout} after time-outs, ${repeated.doubt} sent twice by producers; ${doubts} unanswered, ${refused} refused for now; ` +
    `sent in ${Math.round(producedMs / 1_000)} s, all done after ${Math.round(deliveredMs / 1_000)} s`
  );
}
