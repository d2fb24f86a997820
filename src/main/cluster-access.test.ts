// What is said about a cluster before anything is done there.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpTransport } from "#client";
import { isReason } from "#core";
import { ConfigMap, Pod } from "#kinds";
import type { Kind } from "#schema";
import { isOnThisMachine, missingPermissions, versionOf } from "./cluster-access.ts";

/** A cluster that says its version, and whether something is allowed. */
function cluster(its: { readonly version?: object; readonly allows?: (attributes: { resource: string; verb: string }) => boolean }): HttpTransport {
  return {
    document: () => Promise.resolve(its.version ?? {}),
    send: (call) => {
      const { resourceAttributes } = (call.body as { spec: { resourceAttributes: { resource: string; verb: string } } }).spec;
      return Promise.resolve({ status: { allowed: its.allows?.(resourceAttributes) ?? true } });
    },
    watch: () => assert.fail("nothing is watched"),
    close: () => {},
  };
}

const versions = [
  { name: "a new one is answered", version: { gitVersion: "v1.34.4", major: "1", minor: "34" }, want: "v1.34.4" },
  { name: "a minor version may have a suffix", version: { gitVersion: "v1.33.5-gke.1", major: "1", minor: "33+" }, want: "v1.33.5-gke.1" },
  {
    name: "one that is too old",
    version: { gitVersion: "v1.29.9", major: "1", minor: "29" },
    want: /^Kubernetes v1\.29\.9 is too old: at least v1\.30 is needed$/,
  },
  { name: "one that says nothing", version: {}, want: /^Kubernetes of an unknown version is too old/ },
  { name: "our own platform", version: { gitVersion: "v1.34.4+eider.0.1.0", major: "1", minor: "34" }, want: /^this is Eider's own API server/ },
];
for (const { name, version, want } of versions) {
  test(`the version of a cluster: ${name}`, async () => {
    const asked = versionOf(cluster({ version }));
    if (typeof want === "string") assert.equal(await asked, want);
    else await assert.rejects(asked, (error) => isReason(error, "BadRequest") && want.test(error.message));
  });
}

test("missing permissions are told by resource, and none when there are all", async () => {
  const kinds = [Pod, ConfigMap] as unknown as Kind[];
  assert.deepEqual(await missingPermissions(cluster({}), { kinds, webhooks: true }), []);
  const allows = ({ resource, verb }: { resource: string; verb: string }): boolean =>
    !((resource === "pods" && verb !== "get") || resource.endsWith("webhookconfigurations"));
  assert.deepEqual(await missingPermissions(cluster({ allows }), { kinds, webhooks: false }), ["list, watch, create, update, patch, delete pods"]);
  assert.deepEqual(await missingPermissions(cluster({ allows }), { kinds, webhooks: true }), [
    "get, create, update, patch, delete mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "get, create, update, patch, delete validatingwebhookconfigurations.admissionregistration.k8s.io",
    "list, watch, create, update, patch, delete pods",
  ]);
});

test("a server is on this machine when its address is loopback", () => {
  const here = ["https://127.0.0.1:6443", "https://localhost", "https://[::1]:6443/prefix", "https://127.9.9.9"];
  const elsewhere = ["https://10.0.0.1:6443", "https://127.example.com", "https://kubernetes.default.svc"];
  assert.deepEqual([here.filter((server) => !isOnThisMachine(server)), elsewhere.filter(isOnThisMachine)], [[], []]);
});
