// `eider controllers` against a real kube-apiserver (variables KUBE_APISERVER and ETCD): refusals, a Service with Knative's
// webhooks, a second process that stands by and takes over, and an end that leaves nothing behind.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createClient, createHttpTransport, type Client, type HttpTransport } from "#client";
import { isReason, silentLogger } from "#core";
import { systemClock } from "#host";
import { Deployment, Lease, Namespace, Service, WRITTEN } from "#kinds";
import type { Draft, Kind, KubeObject } from "#schema";
import { realPaths, startReal, type Started } from "../oracle/real-server.ts";
import { TOKENS } from "../oracle/server.ts";
import { eider, eventually, root } from "./platform.ts";

const programs = realPaths();
const skip = typeof programs === "string" ? programs : false;
let home: string;
let started: Started | undefined;
let transport: HttpTransport;
let client: Client;
const running: ChildProcess[] = [];

before(async () => {
  if (typeof programs === "string") return;
  home = mkdtempSync(join(tmpdir(), "eider-controllers-"));
  started = await startReal(programs);
  const { caPem, port } = started.running;
  const server = `https://127.0.0.1:${port}`;
  transport = createHttpTransport({ server, ca: caPem, token: TOKENS["admin"] ?? "", clock: systemClock, logger: silentLogger, userAgent: "test" });
  client = createClient(transport);
  for (const user of ["admin", "user", "stranger"]) writeFileSync(kubeconfig(user), kubeconfigText(server, caPem, TOKENS[user] ?? ""));
});
after(async () => {
  for (const child of running) child.kill("SIGKILL");
  transport?.close();
  await started?.end();
  if (home !== undefined) rmSync(home, { recursive: true, force: true });
});

const kubeconfig = (user: string): string => join(home, user);

function kubeconfigText(server: string, caPem: string, token: string): string {
  return JSON.stringify({
    clusters: [{ name: "c", cluster: { server, "certificate-authority-data": Buffer.from(caPem).toString("base64") } }],
    users: [{ name: "u", user: { token } }],
    contexts: [{ name: "main", context: { cluster: "c", user: "u" } }],
    "current-context": "main",
  });
}

/** A process in the foreground, and what it has said. */
class Controllers {
  readonly child: ChildProcess;
  text = "";

  constructor() {
    this.child = spawn(join(root, "bin/eider"), ["controllers", "--kubeconfig", kubeconfig("admin"), "--workloads"], {
      env: { PATH: process.env["PATH"], HOME: home },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.push(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on("data", (chunk: Buffer) => (this.text += chunk.toString()));
  }

  says(line: string): Promise<boolean> {
    return eventually(`it says "${line}"`, async () => {
      assert.equal(this.child.exitCode, null, this.text);
      return this.text.includes(line);
    });
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const ended = once(this.child, "exit");
    this.child.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  }
}

const service = (name: string, concurrency: number): Draft<Service> => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { template: { spec: { containerConcurrency: concurrency, containers: [{ image: "dev.local/hello" }] } } },
});

const refusals = [
  {
    name: "a user without permissions",
    user: "user",
    code: 5,
    text: /may not get, create, update, patch, delete customresourcedefinitions\.apiextensions\.k8s\.io; .*Try: a kubeconfig of a cluster administrator/s,
  },
  { name: "a user that nobody knows", user: "stranger", code: 5, text: /does not know the kubeconfig's user/ },
] as const;
for (const { name, user, code, text } of refusals) {
  test(`eider controllers: ${name} is told so`, { skip }, async () => {
    const ran = await eider(["controllers", "--kubeconfig", kubeconfig(user)], { PATH: process.env["PATH"], HOME: home });
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, text);
  });
}

test("eider controllers: a cluster that is not there is exit code 10", { skip }, async () => {
  writeFileSync(kubeconfig("gone"), kubeconfigText("https://127.0.0.1:1", "", "t"));
  const ran = await eider(["controllers", "--kubeconfig", kubeconfig("gone")], { PATH: process.env["PATH"], HOME: home });
  assert.equal(ran.code, 10);
  assert.match(ran.stderr, /the cluster cannot be reached: .*ECONNREFUSED/);
});

test("eider controllers: a Service gets its children and Knative's checks, a second process takes over, and Ctrl-C takes leave", { skip }, async () => {
  const first = new Controllers();
  await first.says("controllers run, also those of workloads");
  for (const line of [
    "Kubernetes v1.34",
    "applied the definitions of 11 kinds",
    "made the namespace knative-serving",
    "webhooks are answered at https://127.0.0.1:",
  ]) {
    assert.ok(first.text.includes(line), `${line}: ${first.text}`);
  }
  const made = await eventually("the cluster asks the webhooks", async () => {
    const object = await client.create(Service, service("hello", 7));
    if (object.spec.traffic !== undefined) return object;
    await client.delete(Service, { namespace: "default", name: "hello" });
    return undefined;
  });
  assert.equal(made.metadata.annotations?.["serving.knative.dev/creator"], "admin");
  await assert.rejects(client.create(Service, service("bad", -1)), (error) => {
    const text =
      /^admission webhook "validation\.webhook\.serving\.knative\.dev" denied the request: validation failed: expected 0 <= -1 <= 1000: spec\.template\.spec\.containerConcurrency$/;
    return isReason(error, "BadRequest") && text.test(error.message);
  });
  const deployment = (): Promise<Deployment | undefined> => client.find(Deployment, "default", "hello-00001-deployment");
  assert.equal((await eventually("the Deployment is there", deployment)).spec?.replicas, 1);

  const second = new Controllers();
  await second.says("leads; this process stands by");
  await first.end("SIGKILL");
  await second.says("controllers run, also those of workloads");
  const again = await eventually("the second answers reviews", async () => client.create(Service, service("again", 1)).catch(() => undefined));
  await eventually("the second makes children", async () => client.find(Deployment, "default", "again-00001-deployment"));
  assert.deepEqual(again.spec.traffic, [{ latestRevision: true, percent: 100 }]);

  assert.equal(await second.end("SIGINT"), 0, second.text);
  assert.match(second.text, /ending \.\.\.\nthe controllers have ended\n$/);
  assert.equal(
    (await client.get(Lease as unknown as Kind<KubeObject & { spec?: { holderIdentity?: string } }>, "knative-serving", "eider-controllers")).spec
      ?.holderIdentity,
    "",
  );
  for (const kind of [WRITTEN.MutatingWebhookConfiguration, WRITTEN.ValidatingWebhookConfiguration]) {
    assert.deepEqual((await client.list(kind)).items, [], "nobody is asked who is not there");
  }
  assert.notEqual(await client.find(Namespace, "", "knative-serving"), undefined);
});
