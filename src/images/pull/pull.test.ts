// Pulling from a registry with every kind of door and fault; the server is registry-server.test-suite.ts.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger, SimClock } from "#core";
import { parseImageName } from "../image-name.ts";
import { openImageStore, type ImageStore } from "../image-store.ts";
import { platformOf } from "../platform-choice.ts";
import { challengeOf } from "./challenge.ts";
import { digestFrom, type DigestSources, type RegistryAnswer } from "./digest-sources.ts";
import type { Credentials } from "./docker-config.ts";
import { endpointsFor, type RegistrySettings } from "./endpoints.ts";
import { createImagePuller, type ImageOutcome, type ImagePuller, type PullEvent, type PullPolicy } from "./image-puller.ts";
import type { RegistryClient } from "./pull-image.ts";
import { answers, breaksAfter, RegistryServer, type ServerAuth } from "./registry-server.test-suite.ts";
import { Transport } from "./transport.ts";
import { secretsKeychain, userKeychain } from "./user-keychain.ts";

const NEVER = new AbortController().signal;
const USER: Credentials = { username: "me", password: "secret" };

interface World {
  readonly registry: RegistryServer;
  readonly store: ImageStore;
  readonly dir: string;
  readonly clock: SimClock;
  readonly client: RegistryClient;
  readonly puller: ImagePuller;
  readonly events: PullEvent[];
  settings: RegistrySettings;
  /** Lets time pass until the promise has settled. */
  settled<T>(promise: Promise<T>): Promise<T>;
  ensure(image: string, its?: { readonly policy?: PullPolicy; readonly credentials?: readonly Credentials[]; readonly owner?: string }): Promise<ImageOutcome>;
  digest(
    image: string,
    its?: { readonly credentials?: readonly Credentials[]; readonly timeoutMs?: number; readonly daemon?: DigestSources["daemon"] },
  ): Promise<RegistryAnswer>;
}

async function world(t: TestContext, auth: ServerAuth = { kind: "none" }): Promise<World> {
  const registry = new RegistryServer({ auth });
  await registry.up();
  const dir = mkdtempSync(join(tmpdir(), "eider-pull-"));
  const store = await openImageStore(dir);
  const clock = new SimClock();
  const transport = new Transport();
  t.after(async () => {
    transport.close();
    await registry.down();
    rmSync(dir, { recursive: true, force: true });
  });
  const client = { transport, clock, rng: new SeededRng(1), settings: () => self.settings };
  const puller = createImagePuller({ store, client, platform: { os: "linux", architecture: "amd64" } });
  const events: PullEvent[] = [];
  const keychain =
    (credentials: readonly Credentials[] = []) =>
    () =>
      Promise.resolve(credentials);
  const self: World = {
    registry,
    store,
    dir,
    clock,
    client,
    puller,
    events,
    settings: { mirrors: {}, insecure: [], ca: "" },
    async settled(promise) {
      const state = { over: false };
      const done = promise.finally(() => (state.over = true));
      done.catch(() => undefined);
      for (let turn = 0; !state.over; turn++) {
        assert.ok(turn < 20_000, `never settled: ${registry.log.slice(-5).join()}`);
        await clock.advance(5);
      }
      return done;
    },
    ensure: (image, { policy = "IfNotPresent", credentials, owner = "pod/c" } = {}) =>
      self.settled(puller.ensure({ image, policy, owner, keychain: keychain(credentials), onEvent: (event) => void events.push(event) }, NEVER)),
    digest: (image, { credentials, timeoutMs = 10_000, daemon } = {}) =>
      self.settled(digestFrom({ store, client, ...(daemon === undefined ? {} : { daemon }) }, { image, keychain: keychain(credentials), timeoutMs }, NEVER)),
  };
  return self;
}

const APP = {
  repository: "team/app",
  tag: "v1",
  layers: [{ "workspace/a": "a".repeat(10_000) }, { "workspace/b": "b" }, { "workspace/c": "c" }, { "workspace/d": "d" }],
};

const doors: readonly { readonly name: string; readonly auth: ServerAuth; readonly credentials: readonly Credentials[] }[] = [
  { name: "anonymously", auth: { kind: "none" }, credentials: [] },
  { name: "with a password", auth: { kind: "basic", ...USER }, credentials: [USER] },
  { name: "with a token for a password", auth: { kind: "token", ...USER }, credentials: [USER] },
  { name: "with a token by the form of OAuth 2", auth: { kind: "token", ...USER, onlyPost: true }, credentials: [USER] },
  {
    name: "with a token for an identity token",
    auth: { kind: "token", ...USER, identityToken: "id" },
    credentials: [{ username: "", password: "", identityToken: "id" }],
  },
  { name: "with the second credentials, when the first are refused", auth: { kind: "token", ...USER }, credentials: [{ ...USER, password: "old" }, USER] },
  { name: "with tokens that end at once", auth: { kind: "token", ...USER, expiresInS: 1 }, credentials: [USER] },
];
for (const { name, auth, credentials } of doors) {
  test(`pull: ${name}`, async (t) => {
    const w = await world(t, auth);
    const digest = await w.registry.add(APP);
    const image = `${w.registry.host}/team/app:v1`;
    assert.deepEqual(await w.digest(image, { credentials }), { digest });
    assert.deepEqual(await w.ensure(image, { credentials }), { digest });
    const { root } = await w.store.materialize(digest);
    assert.deepEqual(readdirSync(join(root, "workspace")), ["a", "b", "c", "d"]);
    assert.deepEqual(
      w.events.map(({ reason }) => reason),
      ["Pulling", "Pulled"],
    );
    const asked = w.registry.log.length;
    assert.deepEqual(await w.ensure(image, { credentials }), { digest });
    assert.deepEqual(await w.ensure(`${w.registry.host}/team/app@${digest}`, { policy: "Always" }), { digest });
    assert.equal(w.registry.log.length, asked, "what is here is not asked for again");
  });
}

test("pull: a token that is revoked midway is renewed", async (t) => {
  const w = await world(t, { kind: "token", ...USER });
  const digest = await w.registry.add(APP);
  let blobs = 0;
  w.registry.faults.push((request) => {
    if (/blobs/.test(request.url ?? "") && ++blobs === 2) w.registry.revokeTokens();
    return false;
  });
  assert.deepEqual(await w.ensure(`${w.registry.host}/team/app:v1`, { credentials: [USER] }), { digest });
});

test("pull: a connection that breaks is gone on with where it broke", async (t) => {
  const w = await world(t);
  const digest = await w.registry.add({ ...APP, layers: [{ big: randomBytes(300_000) }] });
  const layer = w.registry.manifestOf("team/app", "v1").layers[0];
  w.registry.faults.push(breaksAfter(70_000, 2, layer?.digest));
  assert.deepEqual(await w.ensure(`${w.registry.host}/team/app:v1`), { digest });
  assert.equal(w.registry.log.filter((line) => line.includes(layer?.digest ?? "?")).length, 3);
  assert.deepEqual(readdirSync(join(w.dir, "partial")), []);
});

test("pull: what a dead platform left is gone on with, and a damaged beginning is thrown away", async (t) => {
  const w = await world(t);
  const digest = await w.registry.add({ ...APP, layers: [{ a: "x".repeat(50_000) }] });
  const layer = w.registry.manifestOf("team/app", "v1").layers[0];
  writeFileSync(join(w.dir, "partial", (layer?.digest ?? "").replace(":", "-")), "not what the blob begins with");
  const first = await w.ensure(`${w.registry.host}/team/app:v1`);
  assert.match("waiting" in first ? first.waiting.message : "", /did not have this digest/);
  await w.clock.advance(10_000);
  assert.deepEqual(await w.ensure(`${w.registry.host}/team/app:v1`), { digest });
});

test("pull: faults that pass are waited for, as long as the registry asks", async (t) => {
  const w = await world(t);
  const digest = await w.registry.add(APP);
  w.registry.faults.push(answers(503, /^GET .*blobs/, { times: 2 }), answers(429, /^GET .*manifests/, { times: 1, headers: { "retry-after": "7" } }));
  const before = w.clock.monotonicMs();
  assert.deepEqual(await w.ensure(`${w.registry.host}/team/app:v1`), { digest });
  assert.ok(w.clock.monotonicMs() - before >= 7_000);
});

test("pull: many pods pull one image once, and at most three layers at a time", async (t) => {
  const w = await world(t);
  const digest = await w.registry.add(APP);
  let now = 0;
  let most = 0;
  const three = Promise.withResolvers<void>();
  w.registry.faults.push((request, response) => {
    if (!/blobs/.test(request.url ?? "")) return false;
    most = Math.max(most, ++now);
    if (now === 3) three.resolve();
    const end = response.end.bind(response);
    // The first three are held until they are three; a fourth beside them would be seen in the time after that.
    response.end = ((chunk: Buffer) => {
      void three.promise
        .then(() => w.clock.sleep(50, NEVER))
        .then(() => {
          now--;
          end(chunk);
        });
      return response;
    }) as typeof response.end;
    return false;
  });
  const outcomes = await Promise.all(["a", "b", "c"].map((owner) => w.ensure(`${w.registry.host}/team/app:v1`, { owner })));
  assert.deepEqual(outcomes, [{ digest }, { digest }, { digest }]);
  assert.equal(w.registry.log.filter((line) => /GET .*blobs/.test(line)).length, 5);
  assert.equal(most, 3);
});

test("pull: the manifest of an index for this machine, under the index's digest", async (t) => {
  const w = await world(t);
  const ours = await w.registry.add(APP);
  const index = {
    schemaVersion: 2,
    manifests: [
      { mediaType: "m", digest: `sha256:${"0".repeat(64)}`, size: 1, platform: { os: "linux", architecture: "s390x" } },
      { mediaType: "m", digest: ours, size: 1, platform: { os: "linux", architecture: platformOf(process).architecture } },
    ],
  };
  const digest = w.registry.putManifest("team/app", "all", index);
  const puller = createImagePuller({ store: w.store, client: w.client, platform: platformOf(process) });
  const wanted = { image: `${w.registry.host}/team/app:all`, policy: "IfNotPresent", owner: "o", keychain: () => Promise.resolve([]) } as const;
  assert.deepEqual(await w.settled(puller.ensure(wanted, NEVER)), { digest });
  assert.equal((await w.store.manifest(digest)).layers.length, 4);
  const other = createImagePuller({ store: w.store, client: w.client, platform: { os: "linux", architecture: "riscv64" } });
  const none = await w.settled(other.ensure({ ...wanted, policy: "Always", image: `${w.registry.host}/team/app:all` }, NEVER));
  assert.deepEqual(none, { digest }, "what is here and unchanged is used");
});

test("ensure: the kubelet's reasons and its back-off, and what heals them", async (t) => {
  const w = await world(t, { kind: "basic", ...USER });
  const digest = await w.registry.add(APP);
  const image = `${w.registry.host}/team/app:v1`;
  const reason = async (its?: Parameters<World["ensure"]>[1]): Promise<string> => {
    const outcome = await w.ensure(image, its);
    return "waiting" in outcome ? outcome.waiting.reason : outcome.digest;
  };
  assert.equal(await reason({ policy: "Never" }), "ErrImageNeverPull");
  assert.equal(await reason(), "ErrImagePull");
  assert.equal(await reason(), "ImagePullBackOff");
  await w.clock.advance(10_000);
  assert.equal(await reason(), "ErrImagePull");
  await w.clock.advance(10_000);
  assert.equal(await reason(), "ImagePullBackOff", "the second pause is twice as long");
  const backOff = await w.ensure(image);
  assert.match("waiting" in backOff ? backOff.waiting.message : "", /^Back-off pulling image ".*": ErrImagePull: failed to pull image .*401 Unauthorized/);
  await w.clock.advance(10_000);
  await w.registry.down();
  assert.equal(await reason(), "RegistryUnavailable");
  await w.registry.up();
  await w.clock.advance(40_000);
  assert.equal(await reason({ credentials: [USER] }), digest);
  const invalid = await w.ensure("No Image");
  assert.equal("waiting" in invalid && invalid.waiting.reason, "InvalidImageName");
  const local = await w.ensure("dev.local/none:v1", { policy: "Always" });
  assert.match("waiting" in local ? local.waiting.message : "", /not in the local image store; build it with: eider build/);
});

test("ensure: Always sees a tag that moved, and leaves alone what was built here", async (t) => {
  const w = await world(t);
  const first = await w.registry.add(APP);
  const image = `${w.registry.host}/team/app:v1`;
  assert.deepEqual(await w.ensure(image), { digest: first });
  const second = await w.registry.add({ ...APP, layers: [{ other: "o" }] });
  assert.deepEqual(await w.ensure(image), { digest: first });
  assert.deepEqual(await w.ensure(image, { policy: "Always" }), { digest: second });
  await w.store.tag("docker.io/library/mine:latest", first);
  assert.deepEqual(await w.ensure("mine", { policy: "Always" }), { digest: first });
});

test("digest: the words of go-containerregistry", async (t) => {
  const w = await world(t, { kind: "basic", ...USER });
  await w.registry.add(APP);
  const { host } = w.registry;
  const error = (answer: RegistryAnswer): string => ("error" in answer ? answer.error : `resolved ${answer.digest}`);
  const url = `http://${host}/v2/team/app/manifests/v1`;
  assert.equal(
    error(await w.digest(`${host}/team/app:v1`)),
    `HEAD ${url}: unexpected status code 401 Unauthorized (HEAD responses have no body, use GET for details)`,
  );
  assert.match(
    error(await w.digest(`${host}/team/none:v1`, { credentials: [USER] })),
    /^HEAD .*none\/manifests\/v1: unexpected status code 404 Not Found \(HEAD/,
  );
  w.registry.faults.push((request) => (request.url ?? "").includes("manifests"));
  assert.equal(error(await w.digest(`${host}/team/app:v1`, { credentials: [USER], timeoutMs: 50 })), `Head "${url}": context deadline exceeded`);
  await w.registry.down();
  const refused = `dial tcp ${host}: connect: connection refused`;
  assert.equal(error(await w.digest(`${host}/team/app:v1`)), `Get "https://${host}/v2/": ${refused}; Get "http://${host}/v2/": ${refused}`);
  assert.match(error(await w.digest("nosuch.invalid/app:v1")), /^Get "https:\/\/nosuch\.invalid\/v2\/": dial tcp: lookup nosuch\.invalid: /);
});

test("digest: what is only on this machine needs no registry, and what was pulled before survives its registry", async (t) => {
  const w = await world(t);
  const digest = await w.registry.add(APP);
  const image = `${w.registry.host}/team/app:v1`;
  await w.ensure(image);
  await w.store.tag("localhost/mine:v1", digest);
  const asked = w.registry.log.length;
  assert.deepEqual(await w.digest("localhost/mine:v1"), { digest });
  const id = `sha256:${"d".repeat(64)}`;
  const daemon = { has: () => Promise.resolve(true), digestOf: (name: string) => Promise.resolve(name === "minikube-test:v1" ? id : undefined) };
  assert.deepEqual(await w.digest("minikube-test:v1", { daemon }), { digest: id });
  assert.match(JSON.stringify(await w.digest("localhost/other:v1", { daemon })), /is not in the platform's store; build it with: eider build/);
  assert.equal(w.registry.log.length, asked);
  await w.registry.down();
  assert.deepEqual(await w.digest(image, { daemon }), { digest });
});

test("mirrors are asked first, and the registry itself when they fail", async (t) => {
  const w = await world(t);
  const mirror = new RegistryServer();
  await mirror.up();
  t.after(() => mirror.down());
  const digest = await w.registry.add(APP);
  await mirror.add(APP);
  w.settings = { ...w.settings, mirrors: { [w.registry.host]: [`http://${mirror.host}`] } };
  const image = `${w.registry.host}/team/app:v1`;
  assert.deepEqual(await w.digest(image), { digest });
  assert.equal(w.registry.log.length, 0);
  mirror.faults.push(answers(404, /blobs/));
  assert.deepEqual(await w.ensure(image), { digest });
  assert.ok(w.registry.log.some((line) => line.includes("/blobs/")));
});

test("endpointsFor: schemes and trust by the registry's name and the settings", () => {
  const settings = { mirrors: { "docker.io": ["mirror.example/hub"] }, insecure: ["nexus.internal:7082"], ca: "pem" };
  const bases = (registry: string): string[] => endpointsFor(registry, settings).flatMap((endpoint) => endpoint.bases);
  assert.deepEqual(bases("localhost:5000"), ["https://localhost:5000", "http://localhost:5000"]);
  assert.deepEqual(bases("192.168.1.4:5000"), ["https://192.168.1.4:5000", "http://192.168.1.4:5000"]);
  assert.deepEqual(bases("nexus.internal:7082"), ["https://nexus.internal:7082", "http://nexus.internal:7082"]);
  assert.deepEqual(bases("quay.io"), ["https://quay.io"]);
  assert.deepEqual(bases("index.docker.io"), ["https://mirror.example/hub", "https://index.docker.io"]);
  assert.equal(endpointsFor("nexus.internal:7082", settings)[0]?.trust.insecure, true);
});

test("challengeOf: tokens before passwords, quotes and several schemes in one header", () => {
  assert.deepEqual(challengeOf('Basic realm="x", Bearer realm="https://auth.example/t?a=b",service="s, t",scope="repository:a:pull,push"'), {
    scheme: "bearer",
    realm: "https://auth.example/t?a=b",
    service: "s, t",
    scope: "repository:a:pull,push",
  });
  assert.deepEqual(challengeOf("basic"), { scheme: "basic" });
  assert.equal(challengeOf('Bearer realm="file:///etc/passwd"'), undefined);
  assert.equal(challengeOf("Negotiate"), undefined);
  assert.equal(challengeOf(undefined), undefined);
});

test("userKeychain: files and helpers of Docker and Podman, after the Secrets; one that hangs is ended", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "eider-home-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const program = (name: string, text: string): void => {
    writeFileSync(join(home, `docker-credential-${name}`), `#!/bin/sh\n${text}\n`);
    chmodSync(join(home, `docker-credential-${name}`), 0o755);
  };
  program("good", `read -r server; printf '{"ServerURL":"%s","Username":"h","Secret":"%s"}' "$server" "$server"`);
  program("token", `echo '{"Username":"<token>","Secret":"t"}'`);
  program("none", "echo credentials not found in native keychain; exit 1");
  program("slow", `touch "$(dirname "$0")/began"; exec sleep 600`);
  const auth = Buffer.from("file:pw").toString("base64");
  const credHelpers = { "good.example": "good", "token.example": "token", "none.example": "none", "slow.example": "slow", "bad.example": "../bad" };
  writeFileSync(join(home, "config.json"), JSON.stringify({ auths: { "good.example": { auth }, "none.example": { auth } }, credHelpers }));
  const clock = new SimClock();
  const user = userKeychain({ home, env: { PATH: `${home}:${process.env["PATH"] ?? ""}`, DOCKER_CONFIG: home }, clock, logger: silentLogger });
  const users = async (registry: string): Promise<string[]> =>
    (await user({ registry, repository: "a" }, NEVER)).map((each) => each.username || (each.identityToken ?? ""));
  assert.deepEqual([await users("good.example"), await users("token.example"), await users("none.example")], [["h", "file"], ["t"], ["file"]]);
  assert.deepEqual([await users("bad.example"), await users("other.example")], [[], []]);
  const slow = users("slow.example");
  while (!existsSync(join(home, "began"))) await clock.advance(1);
  await clock.advance(10_000);
  assert.deepEqual(await slow, []);
  const secret = {
    type: "kubernetes.io/dockercfg",
    data: { ".dockercfg": Buffer.from(JSON.stringify({ "good.example": { auth: Buffer.from("s:1").toString("base64") } })).toString("base64") },
  };
  const both = await secretsKeychain([secret], user)(parseImageName("good.example/app") ?? { registry: "", repository: "" }, NEVER);
  assert.deepEqual(
    both.map(({ username }) => username),
    ["s", "h", "file"],
  );
});
