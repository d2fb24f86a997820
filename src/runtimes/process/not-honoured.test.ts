import assert from "node:assert/strict";
import { test } from "node:test";
import { notHonoured } from "./not-honoured.ts";

type Spec = Parameters<typeof notHonoured>[0];
const rows: readonly { name: string; given: Spec; want: readonly string[] }[] = [
  { name: "nothing asked, nothing told", given: { containers: [{ name: "a", resources: { requests: { cpu: "1" } }, securityContext: {} }] }, want: [] },
  {
    name: "limits by container and resource",
    given: { containers: [{ name: "a" }, { name: "b", resources: { limits: { memory: "1Mi", cpu: "1" } } }] },
    want: ["spec.containers[1].resources.limits: stored, but process pods run without limits of cpu and memory"],
  },
  {
    name: "a terminal",
    given: { containers: [{ name: "a", tty: true, stdin: true }] },
    want: ["spec.containers[0].tty: stored, but a process pod has no terminal of its own; `kubectl exec -t` has one"],
  },
  {
    name: "security contexts of containers, init containers and the pod",
    given: {
      containers: [{ name: "a", securityContext: { runAsUser: 1 } }],
      initContainers: [{ name: "i", securityContext: { privileged: false } }],
      securityContext: { fsGroup: 1 },
    },
    want: ["spec.containers[0]", "spec.initContainers[0]", "spec"].map(
      (at) => `${at}.securityContext: stored, but process pods are not isolated; run code that you trust`,
    ),
  },
];
for (const { name, given, want } of rows) test(`notHonoured: ${name}`, () => assert.deepEqual(notHonoured(given, "spec"), want));
