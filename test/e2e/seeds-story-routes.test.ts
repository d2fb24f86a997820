// The seeds' traffic examples: three dated revisions behind one Service with tags, and a Route over a Configuration without a Service.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { findProgram, Platform, root } from "./platform.ts";

const needsKubectl = { skip: findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false };
const REQUESTS = 200;
const API = "serving.knative.dev/v1";
let platform: Platform;

before(async () => {
  if (needsKubectl.skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", "dev.local/hello:v1");
  assert.equal(built.code, 0, built.stderr);
  for (const name of ["production", "meow"]) await platform.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
});
after(async () => {
  await platform?.stop();
});

const template = (name: string): object => ({ metadata: { name }, spec: { containers: [{ image: "dev.local/hello:v1" }] } });

async function ready(kind: string, name: string, namespace: string): Promise<void> {
  const generation = (await platform.kubectl("-n", namespace, "get", kind, name, "-o", "jsonpath={.metadata.generation}")).trim();
  await platform.kubectl("-n", namespace, "wait", `${kind}/${name}`, `--for=jsonpath={.status.observedGeneration}=${generation}`, "--timeout=30s");
  await platform.kubectl("-n", namespace, "wait", `${kind}/${name}`, "--for=condition=Ready", "--timeout=30s");
}

/** How many of the requests each revision answered. */
async function shares(host: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let sent = 0; sent < REQUESTS; sent++) {
    const { status, body } = await platform.request(host, "/revision");
    assert.equal(status, 200, body);
    counts[body.trim()] = (counts[body.trim()] ?? 0) + 1;
  }
  return counts;
}

/** A tenth, give or take what several gateway threads with their own turns make of it. */
function isTenth(count: number | undefined): void {
  assert.ok((count ?? 0) >= REQUESTS * 0.05 && (count ?? 0) <= REQUESTS * 0.15, `${count ?? 0} of ${REQUESTS} are not 10 %`);
}

test("a Service with 90 % and 10 % and a head without a share: the split is measured, the tags are reachable", needsKubectl, async () => {
  const dates = ["2020-08-28", "2020-09-11", "2020-09-30"];
  const revision = (date: string | undefined): string => `devops-toolkit-${date ?? ""}`;
  const metadata = { name: "devops-toolkit", namespace: "production" };
  for (const date of dates) {
    await platform.apply({ apiVersion: API, kind: "Service", metadata, spec: { template: template(revision(date)) } });
    await ready("ksvc", "devops-toolkit", "production");
  }
  const traffic = [
    { revisionName: revision(dates[0]), percent: 90 },
    { revisionName: revision(dates[1]), percent: 10, tag: "canary" },
    { revisionName: revision(dates[2]), tag: "head" },
  ];
  // A template that keeps its own name may not change, and an apply would send it without what the server filled in.
  await platform.kubectl("-n", "production", "patch", "ksvc", "devops-toolkit", "--type=merge", "-p", JSON.stringify({ spec: { traffic } }));
  await ready("ksvc", "devops-toolkit", "production");
  const counts = await shares("devops-toolkit.production.localhost");
  assert.deepEqual(Object.keys(counts).sort(), [revision(dates[0]), revision(dates[1])]);
  isTenth(counts[revision(dates[1])]);
  for (const [tag, date] of [
    ["canary", dates[1]],
    ["head", dates[2]],
  ] as const) {
    assert.equal((await platform.request(`${tag}-devops-toolkit.production.localhost`, "/revision")).body, `${revision(date)}\n`);
  }
});

test("a Route over the revisions of a Configuration works without a Service", needsKubectl, async () => {
  const metadata = { name: "cat-pictures", namespace: "meow" };
  const names = ["cat-pictures-12-14-2019", "cat-pictures-01-09-2020"];
  for (const name of names) {
    await platform.apply({ apiVersion: API, kind: "Configuration", metadata, spec: { template: template(name) } });
    await ready("configuration", "cat-pictures", "meow");
  }
  const traffic = [
    { revisionName: names[0], percent: 90 },
    { revisionName: names[1], percent: 10 },
  ];
  await platform.apply({ apiVersion: API, kind: "Route", metadata, spec: { traffic } });
  await ready("route", "cat-pictures", "meow");
  const counts = await shares("cat-pictures.meow.localhost");
  isTenth(counts[names[1] ?? ""]);
  assert.equal((counts[names[0] ?? ""] ?? 0) + (counts[names[1] ?? ""] ?? 0), REQUESTS);
});
