// Knative Serving's own controller against our API server without controllers: its informers sync, it leads, and it makes children.
// KNATIVE_SUITES is a folder that holds it as `controller`.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createClient, createHttpTransport, loadKubeconfigFile, type Client } from "#client";
import { silentLogger } from "#core";
import { systemClock } from "#host";
import { ConfigMap, Configuration, defaultConfigMaps, Lease, Namespace, Revision, Route, Service, SYSTEM_NAMESPACE } from "#kinds";
import { eventually, ran } from "../e2e/platform.ts";
import { FILES } from "./script.ts";
import { startOwnServer, type ScriptServer } from "./servers.ts";

const program = join(process.env["KNATIVE_SUITES"] ?? "", "controller");
const skip = process.env["KNATIVE_SUITES"] === undefined || !existsSync(program) ? "KNATIVE_SUITES does not name a folder with Knative's controller" : false;
/** Reconcilers of Knative Serving 1.23, each with a lease of its own. */
const RECONCILERS = ["configuration", "domainmapping", "gc", "labeler", "nscert", "revision", "route", "serverlessservice", "service"];

let server: ScriptServer;
let client: Client;
let controller: ChildProcess;
let log = "";

before(async () => {
  if (skip !== false) return;
  server = await startOwnServer();
  client = createClient(
    createHttpTransport({ ...(await loadKubeconfigFile(server.kubeconfig)), clock: systemClock, logger: silentLogger, userAgent: "eider-test" }),
  );
  const definitions = await ran("kubectl", ["create", "-f", join(FILES, "eventing-crds.yaml")], { ...process.env, KUBECONFIG: server.kubeconfig });
  assert.equal(definitions.code, 0, definitions.stderr);
  await client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: SYSTEM_NAMESPACE } });
  for (const map of defaultConfigMaps({ domain: "example.com", version: "1.23" })) await client.create(ConfigMap, map);
  const env = {
    KUBECONFIG: server.kubeconfig,
    SYSTEM_NAMESPACE,
    POD_NAME: "controller",
    CONFIG_LOGGING_NAME: "config-logging",
    CONFIG_OBSERVABILITY_NAME: "config-observability",
    METRICS_DOMAIN: "knative.dev/internal/serving",
    HOME: FILES,
    PATH: process.env["PATH"],
  };
  controller = spawn(program, [], { env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [controller.stdout, controller.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => (log = (log + text).slice(-20_000)));
});
after(async () => {
  if (skip !== false) return;
  if (controller?.exitCode === null) {
    const ended = once(controller, "exit");
    controller.kill("SIGTERM");
    await ended;
  }
  await server?.close();
});

test("all of its informers sync, and each reconciler takes its lease", { skip }, async () => {
  const held = await eventually("nine leases", async () => {
    assert.equal(controller.exitCode, null, log);
    const { items } = await client.list(Lease, { namespace: SYSTEM_NAMESPACE });
    const names = items.filter((lease) => (lease.spec?.holderIdentity ?? "") !== "").map((lease) => lease.metadata.name);
    return names.length >= RECONCILERS.length && names;
  });
  for (const name of RECONCILERS)
    assert.ok(
      held.some((lease) => lease.includes(`.${name}.`)),
      `${name} has no lease: ${held.join(", ")}`,
    );
});

test("it makes the children of a Service", { skip }, async () => {
  const spec = { template: { spec: { containers: [{ image: "dev.local/hello:v1" }] } } };
  const service = { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name: "hello", namespace: "default" }, spec };
  await client.create(Service, service);
  await eventually("a Configuration, a Route and a Revision", async () => {
    assert.equal(controller.exitCode, null, log);
    const found = await Promise.all([Configuration, Route].map((kind) => client.find(kind as typeof Configuration, "default", "hello")));
    const { items } = await client.list(Revision, { namespace: "default" });
    return found.every((object) => object !== undefined) && items.length === 1;
  });
});
