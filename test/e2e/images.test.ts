// The threads of "digest resolution fails" (knative/serving, wants.md pain 16) as stories on a real platform and a registry with faults; all end Ready.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test, type TestContext } from "node:test";
import { RegistryServer } from "../../src/images/pull/registry-server.test-suite.ts";
import { eventually, findProgram, Platform } from "./platform.ts";

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

const service = (name: string, imageName: string, spec: object = {}) => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { template: { spec: { containers: [{ image: imageName }], ...spec } } },
});

const secret = (name: string, host: string, password: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  type: "kubernetes.io/dockerconfigjson",
  metadata: { name, namespace: "default" },
  stringData: { ".dockerconfigjson": JSON.stringify({ auths: { [host]: { auth: Buffer.from(`${USER.username}:${password}`).toString("base64") } } }) },
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

async function registry(t: TestContext, options: ConstructorParameters<typeof RegistryServer>[0] = {}): Promise<RegistryServer> {
  const server = new RegistryServer(options);
  await server.up();
  t.after(() => server.down());
  return server;
}

async function platformFor(t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<Platform> {
  const platform = await Platform.start({ env: { ...process.env, HOME: tmpdir(), ...env } });
  t.after(() => platform.stop());
  return platform;
}

test("serving#16282: a private registry with imagePullSecrets, from a token that ends at once", { skip }, async (t) => {
  const platform = await platformFor(t);
  const server = await registry(t, { auth: { kind: "token", ...USER, expiresInS: 1 } });
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
  const events = await platform.kubectl("get", "events", "-o", "jsonpath={range .items[?(@.involvedObject.kind=='Pod')]}{.reason}: {.message}{'\\n'}{end}");
  assert.match(events, /^Pulling: Pulling image ".*team\/private@sha256:/m);
  assert.match(events, /^Pulled: Successfully pulled image ".*" in .*s \(.* including waiting\)\. Image size: \d+ bytes\.$/m);
});

test("serving#14117: the Secret hangs on the service account, in the old form", { skip }, async (t) => {
  const platform = await platformFor(t);
  const server = await registry(t, { auth: { kind: "basic", ...USER } });
  await server.add(image("app"));
  const auths = { [`http://${server.host}/v2/`]: { username: USER.username, password: USER.password } };
  await platform.apply({
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/dockercfg",
    metadata: { name: "old", namespace: "default" },
    stringData: { ".dockercfg": JSON.stringify(auths) },
  });
  await platform.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "puller", namespace: "default" }, imagePullSecrets: [{ name: "old" }] });
  await platform.apply(service("account", `${server.host}/app:v1`, { serviceAccountName: "puller" }));
  await ready(platform, "account");
  await answersFrom(platform, "account");
});
