// Variables of Services: names, values, whose are told, and what goes before them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeEngine } from "./fake-engine.test-suite.ts";
import { podWith, world, type Any } from "./runtime-world.test-suite.ts";
import { serviceVariables } from "./service-links.ts";

test("serviceVariables: host, first port, named ports, and each port as Docker's links told it", () => {
  const ports = [
    { name: "http-web", port: 80 },
    { name: "dns", port: 53, protocol: "UDP" },
  ];
  assert.deepEqual(serviceVariables([{ name: "my-app", host: "10.97.0.9", ports }]), {
    MY_APP_SERVICE_HOST: "10.97.0.9",
    MY_APP_SERVICE_PORT: "80",
    MY_APP_SERVICE_PORT_HTTP_WEB: "80",
    MY_APP_SERVICE_PORT_DNS: "53",
    MY_APP_PORT: "tcp://10.97.0.9:80",
    MY_APP_PORT_80_TCP: "tcp://10.97.0.9:80",
    MY_APP_PORT_80_TCP_PROTO: "tcp",
    MY_APP_PORT_80_TCP_PORT: "80",
    MY_APP_PORT_80_TCP_ADDR: "10.97.0.9",
    MY_APP_PORT_53_UDP: "udp://10.97.0.9:53",
    MY_APP_PORT_53_UDP_PROTO: "udp",
    MY_APP_PORT_53_UDP_PORT: "53",
    MY_APP_PORT_53_UDP_ADDR: "10.97.0.9",
  });
  assert.equal(serviceVariables([{ name: "a", host: "fd00::1", ports: [{ port: 1 }] }])["A_PORT"], "tcp://[fd00::1]:1");
});

async function envOf(t: Parameters<typeof world>[0], spec: Any, container: Any): Promise<Readonly<Record<string, string>>> {
  const engine = new FakeEngine();
  engine.place = { ...engine.place, loopback: "127.0.0.1" };
  const w = await world(t, undefined, engine);
  w.pods.putObject("Service", "redis", { spec: { clusterIP: "10.97.0.7", ports: [{ port: 6379 }] } });
  w.pods.putObject("Service", "headless", { spec: { clusterIP: "None", ports: [{ port: 1 }] } });
  w.pods.putObject("Service", "outside", { spec: { type: "ExternalName", externalName: "example.com" } });
  w.pods.putObject("Service", "kubernetes", { spec: { clusterIP: "10.97.0.1", ports: [{ port: 443 }] } });
  w.pods.put(podWith(spec, container));
  await w.until(() => engine.starts.size > 0);
  return engine.started("user-container").env;
}

const namesOf = (env: object, word: string): readonly string[] => Object.keys(env).filter((name) => name.includes(word));

test("a pod is told of its namespace's Services that have an address, and of the API where it reaches it; its own variables go before and may use them", async (t) => {
  const env = await envOf(
    t,
    {},
    {
      env: [
        { name: "REDIS_PORT", value: "own" },
        { name: "AT", value: "$(REDIS_SERVICE_HOST):$(REDIS_PORT)" },
      ],
    },
  );
  assert.deepEqual([env["REDIS_SERVICE_HOST"], env["REDIS_PORT"], env["AT"]], ["10.97.0.7", "own", "10.97.0.7:own"]);
  assert.deepEqual([...namesOf(env, "HEADLESS"), ...namesOf(env, "OUTSIDE")], []);
  assert.deepEqual(
    [env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT_HTTPS"], env["KUBERNETES_PORT"], env["KUBERNETES_PORT_6443_TCP_ADDR"]],
    ["127.0.0.1", "6443", "tcp://127.0.0.1:6443", "127.0.0.1"],
  );
});

test("a pod that wants no links is told of the API alone", async (t) => {
  const env = await envOf(t, { enableServiceLinks: false }, {});
  assert.deepEqual(namesOf(env, "REDIS"), []);
  assert.equal(env["KUBERNETES_SERVICE_HOST"], "127.0.0.1");
});
