// A volume that is for one pod: whose it is.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import type { Pod } from "#kinds";
import { Pods, podWith, type Any } from "../runtime-world.test-suite.ts";
import { claimedFolder } from "./claim-volume.ts";

const MOUNTS = { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] };

function podNamed(
  name: string,
  { spec = {}, status = {}, at = "2026-01-01T00:00:00Z" }: { readonly spec?: Any; readonly status?: Any; readonly at?: string } = {},
) {
  const pod = podWith({ ...MOUNTS, ...spec });
  return { ...pod, metadata: { ...pod.metadata, name, uid: `uid-${name}`, creationTimestamp: at }, status: { ...pod.status, ...status } } as Pod;
}

const EARLIER = "2025-01-01T00:00:00Z";
const between = { containerStatuses: [{ name: "c", state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated: { exitCode: 1 } } }] };
const runs = { containerStatuses: [{ name: "c", state: { running: {} } }] };

/** Pods of the same second are told apart by name: `b` asks. */
const rows: readonly { readonly name: string; readonly others: readonly Pod[]; readonly known?: string; readonly want: "its" | "refused" }[] = [
  { name: "nobody else", others: [], want: "its" },
  { name: "one that came earlier", others: [podNamed("z", { at: EARLIER })], want: "refused" },
  { name: "one that comes later and waits", others: [podNamed("c")], want: "its" },
  { name: "one that came earlier and has ended", others: [podNamed("a", { at: EARLIER, status: { phase: "Failed" } })], want: "its" },
  { name: "one that came earlier and has no node", others: [podNamed("a", { at: EARLIER, spec: { nodeName: undefined } })], want: "its" },
  { name: "one that came earlier and uses another claim", others: [podNamed("a", { at: EARLIER, spec: { volumes: [] } })], want: "its" },
  { name: "one of the same second that runs", others: [podNamed("c", { status: runs })], want: "refused" },
  { name: "one of the same second between two starts", others: [podNamed("c", { status: between })], want: "refused" },
  { name: "one of the same second that has it and has not started", others: [podNamed("c")], known: "uid-c", want: "refused" },
  { name: "one of the same second, and it is the asker's", others: [podNamed("a")], known: "uid-b", want: "its" },
  { name: "one that has it, ends, and is no object any more", others: [], known: "uid-c", want: "refused" },
  { name: "one that had it and has ended", others: [podNamed("c", { status: { phase: "Succeeded" } })], known: "uid-c", want: "its" },
];

for (const { name, others, known, want } of rows)
  test(`a volume for one pod, beside ${name}: ${want}`, async () => {
    const pods = new Pods();
    pods.putObject("PersistentVolume", "v", { spec: { local: { path: tmpdir() }, accessModes: ["ReadWriteOncePod"], claimRef: { uid: "uid-data" } } });
    pods.putObject("PersistentVolumeClaim", "data", { spec: { volumeName: "v" }, status: { phase: "Bound" } });
    const pod = podNamed("b");
    for (const each of [...others, pod]) pods.put(each);
    const soleUsers = new Map(known === undefined ? [] : [["default/data", known]]);
    const folder = claimedFolder({ client: pods.client, soleUsers }, pod, "data");
    if (want === "its") assert.equal((await folder).path, tmpdir());
    else await assert.rejects(folder, { message: "volume uses the ReadWriteOncePod access mode and is already in use by another pod" });
    assert.equal(soleUsers.get("default/data"), want === "its" ? "uid-b" : known);
  });
