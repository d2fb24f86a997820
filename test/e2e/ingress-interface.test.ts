// Ingress as an interface: our gateway serves Ingresses and Services of whomever, and another ingress serves ours.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EIDER_INGRESS_CLASS } from "#kinds";
import { eventually, findProgram, Platform, root, type Answer } from "./platform.ts";

const IMAGE = "dev.local/hello";
const skip = findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false;
let platform: Platform;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface IngressShown {
  readonly metadata: { readonly generation: number; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { readonly rules: readonly { readonly http: { readonly paths: readonly { readonly splits: readonly Split[] }[] } }[] };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[]; readonly privateLoadBalancer?: unknown };
}

interface Split {
  readonly serviceName: string;
  readonly appendHeaders: Readonly<Record<string, string>>;
}

const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse(await platform.kubectl(...args, "-o", "json"));
const kingress = async (name: string): Promise<IngressShown> => (await json("get", "king", name)) as IngressShown;
const conditionOf = ({ status }: Pick<IngressShown, "status">, type: string): Condition | undefined => status?.conditions?.find((one) => one.type === type);

async function readyIngress(name: string): Promise<IngressShown> {
  return eventually(`${name} is ready for its generation`, async () => {
    const shown = await kingress(name);
    return shown.status?.observedGeneration === shown.metadata.generation && conditionOf(shown, "Ready")?.status === "True" && shown;
  });
}

/** One request to `base` for the name `host`. */
function ask(base: string, host: string, path = "/", headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(base + path, { headers: { ...headers, Host: host }, agent: false }, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    call.once("error", reject).end();
  });
}

function ingress(name: string, rules: readonly object[], ingressClass = EIDER_INGRESS_CLASS): object {
  const metadata = { name, namespace: "default", annotations: { "networking.knative.dev/ingress-class": ingressClass } };
  return { apiVersion: "networking.internal.knative.dev/v1alpha1", kind: "Ingress", metadata, spec: { httpOption: "Enabled", rules } };
}

function rule(host: string, serviceName: string, over: { readonly path?: object; readonly split?: object; readonly visibility?: string } = {}): object {
  const splits = [{ serviceName, serviceNamespace: "default", servicePort: 80, percent: 100, ...over.split }];
  return { hosts: [host], visibility: over.visibility ?? "ExternalIP", http: { paths: [{ ...over.path, splits }] } };
}

const service = (name: string, spec: object): object => ({ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "default" }, spec });

/** A pod of nobody and a Service in front of it. */
function podAndService(name: string): readonly object[] {
  const container = { name: "app", image: IMAGE, env: [{ name: "TARGET", value: name }], ports: [{ containerPort: 8080 }] };
  return [
    { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default", labels: { app: name } }, spec: { containers: [container] } },
    service(name, { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] }),
  ];
}

before(async () => {
  if (skip !== false) return;
  platform = await Platform.start({ args: ["--internal-port", "0"] });
  const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", IMAGE);
  assert.equal(built.code, 0, built.stderr);
  for (const object of ["web-a", "web-b"].flatMap(podAndService)) await platform.apply(object);
});
after(() => (skip === false ? platform.stop() : undefined));

test("pods of nobody answer through their Service; a cluster-local name only inside", { skip }, async () => {
  await platform.apply(ingress("web", [rule("web.test", "web-a"), rule("web.default.svc", "web-a", { visibility: "ClusterLocal" })]));
  await readyIngress("web");
  const { http, internal } = platform.state;
  assert.deepEqual([(await ask(http, "web.test")).body, (await ask(internal, "web.test")).body], ["Hello web-a!\n", "Hello web-a!\n"]);
  assert.deepEqual([(await ask(http, "web.default.svc")).status, (await ask(internal, "web.default.svc")).body], [404, "Hello web-a!\n"]);
});

test("twenty changes under way: every request is answered, and once an Ingress is ready all see what is new", { skip }, async () => {
  const { http } = platform.state;
  const seen: number[] = [];
  const stop = new AbortController();
  const prober = (async () => {
    while (!stop.signal.aborted) seen.push((await ask(http, "web.test", "/headers")).status);
  })();
  for (let change = 0; change < 20; change++) {
    const target = change % 2 === 0 ? "web-b" : "web-a";
    const path = { appendHeaders: { "X-Change": String(change) } };
    await platform.apply(ingress("web", [rule("web.test", target, { path })]));
    await readyIngress("web");
    for (let each = 0; each < 5; each++) {
      assert.equal((JSON.parse((await ask(http, "web.test", "/headers")).body) as IncomingHttpHeaders)["x-change"], String(change));
      assert.equal((await ask(http, "web.test")).body, `Hello ${target}!\n`);
    }
  }
  stop.abort();
  await prober;
  assert.ok(seen.length > 20);
  assert.deepEqual([...new Set(seen)], [200]);
});

test("a host that an older Ingress has is refused until that one goes", { skip }, async () => {
  await platform.apply(ingress("younger", [rule("web.test", "web-b")]));
  const refused = await eventually("the conflict is told", async () => {
    const condition = conditionOf(await kingress("younger"), "LoadBalancerReady");
    return condition?.status === "False" && condition;
  });
  assert.deepEqual([refused.reason, refused.message], ["DomainConflict", 'Ingress rejected: the host "web.test" belongs to the Ingress "default/web"']);
  await platform.kubectl("delete", "king", "web");
  await readyIngress("younger");
  assert.equal((await ask(platform.state.http, "web.test")).body, "Hello web-b!\n");
});

test("a missing Service is waited for, which the status tells", { skip }, async () => {
  await platform.apply(ingress("early", [rule("early.test", "late")]));
  const waiting = await eventually("the status tells of it", async () => {
    const condition = conditionOf(await kingress("early"), "NetworkConfigured");
    return condition?.reason === "BackendNotRoutable" && condition;
  });
  assert.equal(waiting.message, 'Waiting for a backend: Service "default/late" does not exist');
  await platform.apply(service("late", { selector: { app: "web-a" }, ports: [{ port: 80, targetPort: 8080 }] }));
  await readyIngress("early");
  assert.equal((await ask(platform.state.http, "early.test")).body, "Hello web-a!\n");
});

test("our gateway serves another control plane: its activator is reached by hand-written Endpoints, with the headers it routes by", { skip }, async () => {
  const activator = createServer((incoming, response) => response.end(JSON.stringify(incoming.headers))).listen(0, "127.0.0.1");
  await once(activator, "listening");
  try {
    const { port } = activator.address() as AddressInfo;
    const endpoints = { apiVersion: "v1", kind: "Endpoints", metadata: { name: "foreign-00001", namespace: "default" } };
    await platform.apply(service("foreign-00001", { ports: [{ name: "http", port: 80, targetPort: 8012 }] }));
    await platform.apply({ ...endpoints, subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ name: "http", port }] }] });
    const appendHeaders = { "Knative-Serving-Namespace": "default", "Knative-Serving-Revision": "foreign-00001" };
    await platform.apply(ingress("foreign", [rule("foreign.test", "foreign-00001", { split: { appendHeaders } })]));
    await readyIngress("foreign");
    const answer = await ask(platform.state.http, "foreign.test", "/", { "Knative-Serving-Revision": "of-somebody-else" });
    const headers = JSON.parse(answer.body) as IncomingHttpHeaders;
    assert.deepEqual([headers["knative-serving-namespace"], headers["knative-serving-revision"], headers.host], ["default", "foreign-00001", "foreign.test"]);
  } finally {
    activator.close();
  }
});

test("another ingress takes our gateway's place: its Ingress is left to it, and it reaches revisions by their Service's endpoints", { skip }, async () => {
  const config = ["configmap", "config-network", "-n", "knative-serving", "--type", "merge", "-p"];
  await platform.kubectl("patch", ...config, JSON.stringify({ data: { "ingress-class": "other.example" } }));
  const template = { metadata: { annotations: { "autoscaling.knative.dev/initial-scale": "1" } }, spec: { containers: [{ image: IMAGE }] } };
  await platform.apply({ apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name: "theirs", namespace: "default" }, spec: { template } });
  const shown = await eventually("the Route has made an Ingress", async () => kingress("theirs").catch(() => undefined));
  assert.deepEqual([shown.metadata.annotations["networking.knative.dev/ingress.class"], shown.status?.privateLoadBalancer], ["other.example", undefined]);
  assert.equal((await ask(platform.state.http, "theirs.default.localhost")).status, 404);

  // What an ingress does: take a split, find its Service's endpoints, send with the split's headers.
  const split = shown.spec.rules[0]?.http.paths[0]?.splits[0] as Split;
  type Endpoints = {
    readonly subsets?: readonly { readonly addresses: readonly { readonly ip: string }[]; readonly ports: readonly { readonly port: number }[] }[];
  };
  const subset = await eventually("the revision's Service has endpoints", async () => {
    const { subsets } = (await json("get", "endpoints", split.serviceName)) as Endpoints;
    return subsets?.[0];
  });
  const base = `http://${subset.addresses[0]?.ip}:${subset.ports[0]?.port}`;
  assert.equal(base, platform.state.internal);
  const answer = await ask(base, "theirs.default.localhost", "/revision", split.appendHeaders);
  assert.deepEqual([answer.status, answer.body], [200, "theirs-00001\n"]);
  const unknown = await ask(base, "theirs.default.localhost", "/", { ...split.appendHeaders, "Knative-Serving-Revision": "gone" });
  assert.deepEqual([unknown.status, unknown.body], [404, 'Error getting active endpoint: revisions.serving.knative.dev "gone" not found\n']);

  const status = {
    observedGeneration: shown.metadata.generation,
    conditions: ["LoadBalancerReady", "NetworkConfigured", "Ready"].map((type) => ({ type, status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" })),
    publicLoadBalancer: { ingress: [{ domainInternal: "gateway.other.svc.cluster.local" }] },
    privateLoadBalancer: { ingress: [{ domainInternal: "gateway.other.svc.cluster.local" }] },
  };
  await platform.kubectl("patch", "king", "theirs", "--subresource", "status", "--type", "merge", "-p", JSON.stringify({ status }));
  await platform.kubectl("wait", "ksvc", "theirs", "--for=condition=Ready", "--timeout=60s");
});
