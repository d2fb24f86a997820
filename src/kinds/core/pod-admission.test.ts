// Tests of what happens to pods as they are created.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { deepFreeze, type AdmissionRequest } from "#schema";
import { podAdmission } from "./pod-admission.ts";
import type { Pod } from "./v1.types.ts";

interface Given {
  readonly operation?: "CREATE" | "UPDATE";
  readonly metadata?: object;
  readonly spec?: object;
  /** Accounts that are there from the given look on. */
  readonly accounts?: Readonly<Record<string, number>>;
}

async function admitted({ operation = "CREATE", metadata = {}, spec = {}, accounts = {} }: Given): Promise<{ readonly pod: Pod; readonly pauses: number }> {
  let [looks, pauses] = [0, 0];
  const admit = podAdmission({
    nodeName: "node",
    hasServiceAccount: (namespace, name) => Promise.resolve(++looks >= (accounts[`${namespace}/${name}`] ?? Infinity)),
    pause: () => Promise.resolve(void pauses++),
  });
  const object = { metadata: { name: "p", namespace: "team", creationTimestamp: "2026-01-01T00:00:00Z", ...metadata }, spec: { containers: [], ...spec } };
  const request = { operation, subresource: "", object: deepFreeze(object), old: undefined } as unknown as AdmissionRequest<Pod>;
  return { pod: (await admit(request)).object, pauses };
}

const refusal = (message: string) => (error: unknown) => isReason(error, "Forbidden") && error.message === message;

const away = (key: string) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 });
const tolerations = [away("node.kubernetes.io/not-ready"), away("node.kubernetes.io/unreachable")];
const scheduling = { priority: 0, preemptionPolicy: "PreemptLowerPriority", tolerations };

test("a pod is bound to the node, has an account and waits", async () => {
  const { pod, pauses } = await admitted({ accounts: { "team/default": 1 } });
  assert.deepEqual(pod.spec, { containers: [], nodeName: "node", serviceAccountName: "default", serviceAccount: "default", ...scheduling });
  assert.deepEqual(pod.status, { phase: "Pending", conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }] });
  assert.equal(pauses, 0);
});

test("node and account that were asked for stay", async () => {
  const { pod } = await admitted({ spec: { nodeName: "other", serviceAccountName: "robot" }, accounts: { "team/robot": 1 } });
  assert.deepEqual(pod.spec, { containers: [], nodeName: "other", serviceAccountName: "robot", serviceAccount: "robot", ...scheduling });
});

test("the default account of a new namespace is waited for", async () => {
  assert.equal((await admitted({ accounts: { "team/default": 4 } })).pauses, 3);
  const want = 'pods "p" is forbidden: error looking up service account team/default: serviceaccount "default" not found';
  await assert.rejects(admitted({}), refusal(want));
});

test("any other account is there or the pod is refused, by the prefix of its generated name", async () => {
  const spec = { serviceAccountName: "ghost" };
  const want = (name: string): string => `pods "${name}" is forbidden: error looking up service account team/ghost: serviceaccount "ghost" not found`;
  await assert.rejects(admitted({ spec, accounts: { "team/ghost": 2 } }), refusal(want("p")));
  await assert.rejects(admitted({ spec, metadata: { name: "web-x2k4v", generateName: "web-" } }), refusal(want("web-")));
});

test("priorities follow their class, tolerations that are there stay", async () => {
  const accounts = { "team/default": 1 };
  const own = [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 }, { operator: "Exists" }];
  const { pod } = await admitted({ spec: { priorityClassName: "system-node-critical", tolerations: own }, accounts });
  assert.deepEqual([pod.spec.priority, pod.spec.tolerations], [2_000_001_000, own]);
  const refused = (spec: object, why: string): Promise<void> => assert.rejects(admitted({ spec, accounts }), refusal(`pods "p" is forbidden: ${why}`));
  await refused({ priorityClassName: "high" }, "no PriorityClass with name high was found");
  const computed = "priority admission controller computed 0 from the given PriorityClass name";
  await refused({ priority: 7 }, `the integer value of priority (7) must not be provided in pod spec; ${computed}`);
});

test("an update keeps its account", async () => {
  const { pod } = await admitted({ operation: "UPDATE", spec: { serviceAccountName: "ghost" } });
  assert.deepEqual(pod.spec, { containers: [], serviceAccountName: "ghost", tolerations });
});
