// The threads of "digest resolution fails" (knative/serving, wants.md pain 16) as stories on a real platform and a registry with faults; all end Ready.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { servingCertificate } from "../../src/host/certificates.ts";
import { RegistryServer } from "../../src/images/pull/registry-server.test-suite.ts";
import { eventually, findProgram, Platform, root } from "./platform.ts";

const skip = findProgram("kubectl") === undefined && "no kubectl";
const USER = { username: "me", password: "secret" };

const SERVER = `require("http").createServer((_, response) => response.end("pulled " + process.env.K_SERVICE)).listen(process.env.PORT)`;
/** As `eider build` makes them. */
const image = (repository: string) => ({
  repository,
  tag: "v1",
  layers: [{ "workspace/server.js": SERVER }, { "workspace/other": "o" }],
  config: { Entrypoint: ["node", "server.js"], WorkingDir: "/workspace", Labels: { "dev.eider.base": "node26" } },
});

const service = (name: string, imageName: string, spec: object = {}, container: object = {}) => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { template: { spec: { containers: [{ image: imageName, ...container }], ...spec } } },
});

const secret = (name: string, host: string, password: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  type: "kubernetes.io/dockerconfigjson",
  metadata: { name, namespace: "default" },
  stringData: { ".dockerconfigjson": JSON.stringify({ auths: { [host]: { auth: Buffer.from(`${USER.username}:${password}`).toString("base64") } } }) },
});

const settings = (data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "config-eider-images", namespace: "knative-serving" },
  data,
});

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

async function conditionsOf(platform: Platform, kind: string, name: string): Promise<readonly Condition[]> {
  const text = await platform.kubectl("get", kind, name, "-o", "json").catch(() => "{}");
  return (JSON.parse(text) as { status?: { conditions?: readonly Condition[] } }).status?.conditions ?? [];
}

const ready = (platform: Platform, name: string): Promise<unknown> =>
  eventually(
    `${name} is Ready: ${platform.data}`,
    async () => {
      const conditions = await conditionsOf(platform, "ksvc", name);
      return conditions.find(({ type }) => type === "Ready")?.status === "True";
    },
    120_000,
  );

/** Waits until the first revision says that it cannot have its image, and answers its words. */
const refused = (platform: Platform, name: string): Promise<string> =>
  eventually(`${name} has no image`, async () => {
    const healthy = (await conditionsOf(platform, "revision", `${name}-00001`)).find(({ type }) => type === "ContainerHealthy");
    return healthy?.reason === "ContainerMissing" && (healthy.message ?? "");
  });

async function answersFrom(platform: Platform, name: string): Promise<void> {
  const { status, body } = await platform.request(`${name}.default.localhost`);
  assert.deepEqual([status, body], [200, `pulled ${name}`]);
}

async function started(t: TestContext, server: RegistryServer): Promise<RegistryServer> {
  await server.up();
  t.after(() => server.down());
  return server;
}

test("digests are found where Knative does not find them", { skip }, async (t) => {
  // Nobody's logins: those of the user who runs the tests stay out.
  const home = mkdtempSync(join(tmpdir(), "eider-home-"));
  const platform = await Platform.start({ env: { ...process.env, HOME: home, DOCKER_CONFIG: join(home, ".docker") } });
  t.after(async () => {
    await platform.stop();
    rmSync(home, { recursive: true, force: true });
  });

  await t.test("serving#16282: a private registry with imagePullSecrets, first with an old password, and tokens that end at once", async (sub) => {
    const server = await started(sub, new RegistryServer({ auth: { kind: "token", ...USER, expiresInS: 1 } }));
    const digest = await server.add(image("team/private"));
    await platform.apply(secret("pull", server.host, "an old password"));
    await platform.apply(service("private", `${server.host}/team/private:v1`, { imagePullSecrets: [{ name: "pull" }] }));
    assert.match(await refused(platform, "private"), /failed to resolve image to digest: GET http:.*\/token\?.*: unexpected status code 401 Unauthorized/);
    await platform.apply(secret("pull", server.host, USER.password));
    await ready(platform, "private");
    await answersFrom(platform, "private");
    const revision = JSON.parse(await platform.kubectl("get", "revision", "private-00001", "-o", "json")) as {
      status: { containerStatuses: { imageDigest: string }[] };
    };
    assert.equal(revision.status.containerStatuses[0]?.imageDigest, `${server.host}/team/private@${digest}`);
    // They are gathered for a second.
    const events = await eventually("the pod's events are written", async () => {
      const told = await platform.kubectl("get", "events", "-o", "jsonpath={range .items[?(@.involvedObject.kind=='Pod')]}{.reason}: {.message}{'\\n'}{end}");
      return told.includes("Pulled: ") && told;
    });
    assert.match(events, /^Pulling: Pulling image ".*team\/private@sha256:/m);
    assert.match(events, /^Pulled: Successfully pulled image ".*" in .*s \(.* including waiting\)\. Image size: \d+ bytes\.$/m);
  });

  await t.test("serving#14117: the Secret hangs on the service account, in the old form", async (sub) => {
    const server = await started(sub, new RegistryServer({ auth: { kind: "basic", ...USER } }));
    await server.add(image("app"));
    const auths = JSON.stringify({ [`http://${server.host}/v2/`]: USER });
    const metadata = { name: "old", namespace: "default" };
    await platform.apply({ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/dockercfg", metadata, stringData: { ".dockercfg": auths } });
    await platform.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "puller", namespace: "default" }, imagePullSecrets: [{ name: "old" }] });
    await platform.apply(service("account", `${server.host}/app:v1`, { serviceAccountName: "puller" }));
    await ready(platform, "account");
    await answersFrom(platform, "account");
  });

  await t.test("serving#12446: localhost is this machine, and plain HTTP is spoken there", async (sub) => {
    const server = await started(sub, new RegistryServer());
    await server.add(image("hello-app"));
    await platform.apply(service("micro", `localhost:${server.host.split(":")[1]}/hello-app:v1`));
    await ready(platform, "micro");
    await answersFrom(platform, "micro");
  });

  await t.test("kn-plugin-quickstart#467: a registry that is not up yet, and comes", async (sub) => {
    const server = await started(sub, new RegistryServer());
    await server.add({ ...image("dashboard"), tag: "latest" });
    await server.down();
    const name = `localhost:${server.host.split(":")[1]}/dashboard`;
    await platform.apply(service("dashboard", name, {}, { ports: [{ containerPort: 3000 }] }));
    const words = await refused(platform, "dashboard");
    assert.match(words, /: Get "https:\/\/localhost:\d+\/v2\/": dial tcp .*: connect: connection refused; Get "http:.*connect: connection refused$/);
    await server.up();
    await ready(platform, "dashboard");
    await answersFrom(platform, "dashboard");
  });

  await t.test("serving#5410: the message says what was tried, and a push later is found", async (sub) => {
    const server = await started(sub, new RegistryServer());
    await platform.apply(service("later", `${server.host}/later:v1`));
    const head = `HEAD http://${server.host}/v2/later/manifests/v1: unexpected status code 404 Not Found (HEAD responses have no body, use GET for details)`;
    assert.equal(await refused(platform, "later"), `Unable to fetch image "${server.host}/later:v1": failed to resolve image to digest: ${head}`);
    await server.add(image("later"));
    await ready(platform, "later");
    await answersFrom(platform, "later");
  });

  await t.test("serving#6101: an image that was built here under a name without a registry, and may never be pulled", async () => {
    const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", "minikube-test:v1");
    assert.equal(built.code, 0, built.stderr);
    await platform.apply(service("minikube-test", "minikube-test:v1", {}, { imagePullPolicy: "Never" }));
    await ready(platform, "minikube-test");
    assert.equal((await platform.request("minikube-test.default.localhost")).status, 200);
  });
});

/** A proxy behind which two hosts are that nobody else knows. */
async function proxyTo(hosts: Readonly<Record<string, RegistryServer>>): Promise<{ readonly server: Server; readonly url: string }> {
  const portOf = (host: string): number => Number(hosts[host]?.host.split(":")[1] ?? 1);
  const server = createServer((asked, answer) => {
    const { host, pathname, search } = new URL(asked.url ?? "");
    const options = { host: "127.0.0.1", port: portOf(host), path: pathname + search, method: asked.method, headers: asked.headers };
    const passed = request(options, (response) => response.pipe(answer.writeHead(response.statusCode ?? 502, response.headers)));
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  });
  server.on("connect", (asked, socket) => {
    const onward = connect(portOf((asked.url ?? "").replace(/:443$/, "")), "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test("registries behind a proxy, with a certificate of one's own, and without any", { skip }, async (t) => {
  const home = mkdtempSync(join(tmpdir(), "eider-home-"));
  const certificate = await servingCertificate(join(home, "pki"), ["registry.proxied.example"], Date.now());
  const secure = await started(t, new RegistryServer({ tls: { key: certificate.keyPem, cert: certificate.certPem } }));
  const plain = await started(t, new RegistryServer());
  const proxy = await proxyTo({ "registry.proxied.example": secure, "nexus.internal:7082": plain });
  const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: "127.0.0.1,localhost", HOME: home, DOCKER_CONFIG: home };
  // The user's own login, with a helper program.
  writeFileSync(join(home, "config.json"), JSON.stringify({ auths: { "registry.proxied.example": USER } }));
  secure.auth = { kind: "basic", ...USER };
  const platform = await Platform.start({ env: { ...process.env, ...env } });
  t.after(async () => {
    await platform.stop();
    proxy.server.closeAllConnections();
    proxy.server.close();
    rmSync(home, { recursive: true, force: true });
  });

  await t.test("serving#9090: through the proxy that Eider was started with, as the user is logged in, once the authority is believed", async () => {
    await secure.add(image("team/app"));
    await platform.apply(service("proxied", "registry.proxied.example/team/app:v1"));
    assert.match(
      await refused(platform, "proxied"),
      /Get "https:\/\/registry\.proxied\.example\/v2\/": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    );
    await assert.rejects(platform.apply(settings({ "registry-ca": "no certificate" })), /registry-ca holds no certificate in PEM/);
    await platform.apply(settings({ "registry-ca": certificate.caPem }));
    await ready(platform, "proxied");
    await answersFrom(platform, "proxied");
  });

  await t.test("serving#8038: a registry without TLS, once it is named as such", async () => {
    await plain.add(image("repository/containers/rating"));
    await platform.apply(service("rating", "nexus.internal:7082/repository/containers/rating:v1"));
    assert.match(await refused(platform, "rating"), /Get "https:\/\/nexus\.internal:7082\/v2\/": http: server gave HTTP response to HTTPS client$/);
    await platform.apply(settings({ "registry-ca": certificate.caPem, "insecure-registries": "nexus.internal:7082" }));
    await ready(platform, "rating");
    await answersFrom(platform, "rating");
  });
});
