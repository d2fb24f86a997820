// Names from inside a pod (docs/internals/names-from-pods.md), on each runtime: Services and the API by their names, addresses that stay, nothing left.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { markOf, machineLists } from "../leaks/machine-lists.ts";
import { compileProbe, storeLayered } from "./layered-image.ts";
import { needsDaemon } from "./container-world.ts";
import { eventually, findProgram, Platform, ran, root } from "./platform.ts";

function whyNot(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs Linux and root";
  const missing = ["go", "kubectl", "ip", "unshare"].find((name) => findProgram(name) === undefined);
  return missing === undefined ? false : `${missing} is not on the PATH`;
}

const skip = whyNot();
const IMAGE = "dev.local/layered:v1";
/** Built from a folder: it has the machine's programs. */
const APP = "dev.local/app:v1";
const OWN = { image: APP, ports: [{ containerPort: 8080 }], env: [{ name: "PORT", value: "8080" }] };
let platform: Platform;

const pod = (name: string, runtime: string, container: object = {}, spec: object = {}): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { app: name } },
  spec: { runtimeClassName: runtime, terminationGracePeriodSeconds: 0, containers: [{ name: "c", image: IMAGE, ...container }], ...spec },
});
const serviceFor = (name: string, spec: object): object => ({ apiVersion: "v1", kind: "Service", metadata: { name }, spec });

const ready = (...names: readonly string[]): Promise<string> => platform.kubectl("wait", "--for=condition=Ready", "--timeout=60s", ...names);

/** What the probe in a pod says to a list of URLs and names, a line each, by what was asked. */
async function asks(from: string, ...asked: readonly string[]): Promise<readonly string[]> {
  const text = await platform.kubectl("exec", from, "--", "/app/probe", "ask", ...asked);
  const lines = text.trim().split("\n");
  return asked.map((each) => lines.find((line) => line.startsWith(`${each} `))?.slice(each.length + 1) ?? "");
}

/** Clients that ask getaddrinfo, as programs in Node and Python do: a line for each URL or `name:`. */
const CLIENTS = {
  node: [
    "node",
    "-e",
    `process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const { lookup } = require("node:dns/promises");
(async () => {
  for (const asked of process.argv.slice(1)) {
    const event = { method: "POST", headers: { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/pod", "ce-type": "asked", "content-type": "application/json" }, body: "{}" };
    const said = asked.startsWith("event:") ? fetch(asked.slice(6), event).then(({ status }) => status) : asked.startsWith("name:") ? lookup(asked.slice(5)).then(({ address }) => address) : fetch(asked).then(async (answer) => answer.status + " " + (await answer.text()).slice(0, 4_000));
    console.log(asked, await said.catch((error) => error.code ?? error.cause?.code));
  }
})();`,
  ],
  python: [
    "/usr/bin/python3",
    "-c",
    `import socket, sys, urllib.request
for asked in sys.argv[1:]:
    try:
        if asked.startswith("name:"): print(asked, socket.getaddrinfo(asked[5:], 80)[0][4][0])
        else:
            with urllib.request.urlopen(asked, timeout=30) as answer: print(asked, answer.status, answer.read(4000).decode())
    except socket.gaierror: print(asked, "ENOTFOUND")`,
  ],
} as const;

async function clientAsks(from: string, client: keyof typeof CLIENTS, ...asked: readonly string[]): Promise<readonly string[]> {
  const text = await platform.kubectl("exec", from, "--", ...CLIENTS[client], ...asked);
  const lines = text.trim().split("\n");
  return asked.map((each) => lines.find((line) => line.startsWith(`${each} `))?.slice(each.length + 1) ?? "");
}

before(async () => {
  if (skip !== false) return;
  const program = await compileProbe();
  platform = await Platform.start();
  await storeLayered(platform.data, program, { name: IMAGE });
  const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", APP);
  assert.equal(built.code, 0, built.stderr);
  await platform.apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "hello" },
    spec: { template: { spec: { containers: [{ image: IMAGE }] } } },
  });
  await platform.apply(pod("target", "sandbox", { ports: [{ containerPort: 8080 }] }));
  await platform.apply(serviceFor("target", { selector: { app: "target" }, ports: [{ name: "http", port: 9000, targetPort: 8080 }] }));
  await platform.apply(serviceFor("headless", { clusterIP: "None", selector: { app: "target" }, ports: [{ name: "http", port: 8080 }] }));
  await platform.apply(serviceFor("alias", { type: "ExternalName", externalName: "target.default.svc.cluster.local" }));
  await ready("pod/target", "ksvc/hello");
});

after(async () => platform?.stop());

for (const runtime of ["sandbox", "container"])
  test(
    `${runtime}: Services, headless ones and the API by name; other names are not there`,
    { skip: skip || (runtime === "container" && needsDaemon) },
    async () => {
      const asker = `asks-from-${runtime}`;
      await platform.apply(pod(asker, runtime));
      await ready(`pod/${asker}`);
      const address = await platform.kubectl("get", "service", "target", "-o", "jsonpath={.spec.clusterIP}");
      const podIP = await platform.kubectl("get", "pod", "target", "-o", "jsonpath={.status.podIP}");
      const hostIP = await platform.kubectl("get", "pod", asker, "-o", "jsonpath={.status.hostIP}");
      const api = new URL(platform.state.api).port;
      const answers = await asks(
        asker,
        "http://hello.default.svc.cluster.local/",
        "http://hello.default/",
        "http://target:9000/",
        `http://${address}:9000/`,
        "http://headless:8080/",
        "http://alias:9000/",
        "https://kubernetes.default.svc/version",
        `https://kubernetes.default.svc:${api}/version`,
        `https://${hostIP}:${api}/version`,
        `http://${hostIP}:${new URL(platform.state.http).port}/`,
        "name:target",
        "name:headless",
        "name:nosuch.default.svc.cluster.local",
      );
      const starts = ["200 {", "200 {", "200 {", "200 {", "200 {", "200 {", "401 {", "401 {", "401 {", "404", `[${address}]`, `[${podIP}]`, "[]"];
      assert.deepEqual(
        answers.map((answer, index) => answer.slice(0, starts[index]?.length)),
        starts,
        answers.join("\n"),
      );
      assert.match(answers[0] ?? "", /"host":"hello-00001-/);
      assert.match(answers.at(-1) ?? "", /no such host/);
      await platform.kubectl("delete", "pod", asker);
    },
  );

for (const runtime of ["process", "sandbox"])
  for (const client of ["node", "python"] as const)
    test(
      `${runtime}: ${client} reaches Services by name`,
      { skip: skip || (client === "python" && !existsSync("/usr/bin/python3") && "no /usr/bin/python3") },
      async () => {
        const asker = `${client}-from-${runtime}`;
        await platform.apply(pod(asker, runtime, OWN));
        await ready(`pod/${asker}`);
        const address = await platform.kubectl("get", "service", "target", "-o", "jsonpath={.spec.clusterIP}");
        const podIP = await platform.kubectl("get", "pod", "target", "-o", "jsonpath={.status.podIP}");
        const answers = await clientAsks(
          asker,
          client,
          "http://hello.default.svc.cluster.local/",
          "http://hello.default/",
          "http://target:9000/",
          `http://${address}:9000/`,
          "http://headless:8080/",
          "http://alias:9000/",
          "name:target",
          "name:headless",
          "name:localhost",
          "name:nosuch.default.svc.cluster.local",
          ...(client === "node"
            ? ["https://kubernetes.default.svc/version", `https://kubernetes.default.svc:${new URL(platform.state.api).port}/version`]
            : []),
        );
        const starts = [
          "200 {",
          "200 {",
          "200 {",
          "200 {",
          "200 {",
          "200 {",
          address,
          podIP,
          "",
          "ENOTFOUND",
          ...(client === "node" ? ["401 {", "401 {"] : []),
        ];
        assert.deepEqual(
          answers.map((answer, index) => answer.slice(0, starts[index]?.length)),
          starts,
          answers.join("\n"),
        );
        assert.match(answers[0] ?? "", /"host":"hello-00001-/);
        assert.match(answers[8] ?? "", /^(?:127\.0\.0\.1|::1)$/);
        await platform.kubectl("delete", "pod", asker);
      },
    );

const DISPATCHER = "name:imc-dispatcher.knative-eventing.svc.cluster.local";
const BROKER = "event:http://broker-ingress.knative-eventing.svc.cluster.local/default/default";

for (const [runtime, container] of [
  ["process", OWN],
  ["sandbox", OWN],
  ["container", {}],
] as const)
  test(`${runtime}: an event goes to a Broker by the Broker's own address`, { skip: skip || (runtime === "container" && needsDaemon) }, async () => {
    await platform.apply({ apiVersion: "eventing.knative.dev/v1", kind: "Broker", metadata: { name: "default" } });
    await platform.kubectl("wait", "broker/default", "--for=condition=Ready", "--timeout=60s");
    assert.equal(`event:${await platform.kubectl("get", "broker", "default", "-o", "jsonpath={.status.address.url}")}`, BROKER);
    const sender = `sends-from-${runtime}`;
    await platform.apply(pod(sender, runtime, container));
    await ready(`pod/${sender}`);
    const [said] = runtime === "container" ? await asks(sender, BROKER) : await clientAsks(sender, "node", BROKER);
    assert.equal(said, "202");
    const [dispatcher] = runtime === "container" ? await asks(sender, DISPATCHER) : await clientAsks(sender, "node", DISPATCHER);
    assert.match(dispatcher ?? "", /\d+\.\d+\.\d+\.\d+/);
    await platform.kubectl("delete", "pod", sender);
  });

test("process: the program runs as its namespace's user, in its folder, with the variables that it was given", { skip }, async () => {
  const env = [
    { name: "LD_LIBRARY_PATH", value: "/nowhere" },
    { name: "PLAIN", value: "a b" },
  ];
  await platform.apply(pod("around", "process", { ...OWN, env }));
  await ready("pod/around");
  const said = await platform.kubectl(
    "exec",
    "around",
    "--",
    "sh",
    "-c",
    'id -u; id -G; pwd; echo "$LD_LIBRARY_PATH"; echo "$PLAIN"; grep CapEff /proc/self/status',
  );
  const [uid = "", groups, cwd = "", steering, plain, capabilities] = said.trim().split("\n");
  assert.ok(Number(uid) >= 200_000, uid);
  assert.deepEqual([groups, steering, plain], [uid, "/nowhere", "a b"]);
  assert.ok(cwd.startsWith(platform.data), cwd);
  assert.match(capabilities ?? "", /0{16}$/);
  await assert.rejects(platform.kubectl("exec", "around", "--", "no-such-program"), /no-such-program.*executable file not found/s);
  await platform.kubectl("delete", "pod", "around");
});

test("sandbox: dnsPolicy and dnsConfig are what /etc/resolv.conf says", { skip }, async () => {
  const dnsConfig = { nameservers: ["192.0.2.53"], searches: ["lan"], options: [{ name: "ndots", value: "1" }] };
  await platform.apply(pod("own-dns", "sandbox", {}, { dnsPolicy: "None", dnsConfig }));
  await platform.apply(pod("cluster-dns", "sandbox"));
  await ready("pod/own-dns", "pod/cluster-dns");
  const files = async (name: string): Promise<string> => platform.kubectl("exec", name, "--", "/app/probe", "files", "/etc/resolv.conf");
  assert.match(await files("own-dns"), /search lan\nnameserver 192\.0\.2\.53\noptions ndots:1/);
  assert.match(
    await files("cluster-dns"),
    /search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\nnameserver 10\.\d+\.\d+\.10\noptions ndots:5/,
  );
  for (const name of ["own-dns", "cluster-dns"]) await platform.kubectl("delete", "pod", name);
});

test("addresses and the resolver come back with the next platform, and two platforms do not disturb each other", { skip }, async () => {
  await platform.apply(pod("stays", "sandbox"));
  await ready("pod/stays");
  const [before] = await asks("stays", "name:target");
  const other = await Platform.start();
  try {
    process.kill(platform.state.pid, "SIGKILL");
    // Who asks in the moment without a resolver may be told that there is no such name.
    await eventually("the same address is told again, and answers", async () => {
      const said = await asks("stays", "name:target", "http://target:9000/").catch(() => undefined);
      return said?.[0] === before && said?.[1]?.startsWith("200 ") === true;
    });
    const ranges = [platform, other].map((each) => each.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}"));
    assert.equal(new Set(await Promise.all(ranges)).size, 2);
  } finally {
    await other.stop();
  }
  await platform.kubectl("delete", "pod", "stays");
});

const closed = readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() !== "1";
const noWayOut = closed ? "the machine does not forward packets" : findProgram("nft") === undefined && "nft is not on the PATH";

test("sandbox: an address beyond the machine is reached under the machine's own", { skip: skip || noWayOut }, async () => {
  // Another network namespace stands for the internet: it knows no way to pods.
  const away = `eider-away-${process.pid}`;
  const [here, there] = ["198.18.77.1", "198.18.77.2"];
  const ip = (...words: readonly string[]) => ran("ip", words, process.env);
  const serve = `require("node:http").createServer((q, a) => a.end(q.socket.remoteAddress)).listen(8080, "${there}", () => console.log("there"))`;
  let server: ChildProcess | undefined;
  try {
    await ip("netns", "add", away);
    await ip("link", "add", "ei-away", "type", "veth", "peer", "name", "eth0", "netns", away);
    await ip("addr", "add", `${here}/30`, "dev", "ei-away");
    await ip("link", "set", "ei-away", "up");
    await ip("-n", away, "addr", "add", `${there}/30`, "dev", "eth0");
    await ip("-n", away, "link", "set", "eth0", "up");
    const started = spawn("ip", ["netns", "exec", away, process.execPath, "-e", serve], { stdio: ["ignore", "pipe", "inherit"] });
    server = started;
    await once(started.stdout, "data");
    await platform.apply(pod("goes-out", "sandbox"));
    await ready("pod/goes-out");
    assert.deepEqual(await asks("goes-out", `http://${there}:8080/`), [`200 ${here}`]);
    assert.equal(machineLists(platform.data).tables.length, 1);
    await platform.kubectl("delete", "pod", "goes-out");
  } finally {
    server?.kill("SIGKILL");
    await ip("netns", "del", away);
  }
});

test("nothing is left of it after the end", { skip }, async () => {
  const range = (await platform.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")).replace(/\.1$/, ".0/18");
  const route = async (): Promise<string> => (await ran("ip", ["route", "show", "table", "local", "root", range], process.env)).stdout;
  assert.match(await route(), new RegExp(` dev ei${markOf(platform.data)}x `));
  await platform.eider("down", "--purge");
  const { mounts, devices, networks, tables } = machineLists(platform.data);
  assert.deepEqual([mounts, devices, networks, tables, await route(), existsSync(platform.data)], [[], [], [], [], "", false]);
});
