import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import type { AdmissionRequest } from "#schema";
import { clusterIpAdmission } from "./service-addresses.ts";
import type { Service } from "./v1.types.ts";

type Spec = NonNullable<Service["spec"]>;
const numbers = (values: number[]) => () => values.shift() ?? 0;
const admitted = async (spec: Spec, old: Spec | undefined, taken: readonly string[] = []): Promise<Spec | undefined> => {
  const admit = clusterIpAdmission({ below: numbers([0, 300]), isTaken: (address) => taken.includes(address), isPortTaken: (port) => port === 30_000 });
  const of = (its: Spec): Service => ({ metadata: { name: "s" }, spec: its }) as Service;
  const request = {
    operation: old === undefined ? "CREATE" : "UPDATE",
    subresource: "",
    object: of(spec),
    old: old && of(old),
  } as unknown as AdmissionRequest<Service>;
  return (await admit(request)).object.spec;
};
const given = { internalTrafficPolicy: "Cluster", ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" };

test("a Service gets a free address and keeps it", async () => {
  const first = await admitted({ type: "ClusterIP" }, undefined, ["10.96.0.16"]);
  assert.deepEqual(first, { type: "ClusterIP", ...given, clusterIP: "10.96.1.60", clusterIPs: ["10.96.1.60"] });
  assert.equal((await admitted({ type: "ClusterIP" }, first))?.clusterIP, "10.96.1.60");
});

test("headless stays headless, ExternalName has no address, and a change back draws a new one", async () => {
  assert.deepEqual((await admitted({ type: "ClusterIP", clusterIP: "None" }, undefined))?.clusterIPs, ["None"]);
  const external = await admitted(
    { type: "ExternalName", externalName: "x", clusterIP: "10.96.1.1", ipFamilies: ["IPv4"] },
    { type: "ClusterIP", clusterIP: "10.96.1.1" },
  );
  assert.deepEqual(external, { type: "ExternalName", externalName: "x" });
  assert.equal((await admitted({ type: "ClusterIP" }, external))?.clusterIP, "10.96.0.16");
});

test("ports of nodes are free ones, stay with their ports, and go with the type", async () => {
  const ports = [{ port: 80, protocol: "TCP" }];
  const open = await admitted({ type: "NodePort", clusterIP: "10.96.1.1", ports }, undefined);
  assert.deepEqual(open?.ports, [{ port: 80, protocol: "TCP", nodePort: 30_300 }]);
  assert.deepEqual((await admitted({ type: "NodePort", clusterIP: "10.96.1.1", ports }, open))?.ports, open?.ports);
  const closed = await admitted({ ...open, type: "ClusterIP", externalTrafficPolicy: "Cluster" }, { ...open, externalTrafficPolicy: "Cluster" });
  assert.deepEqual([closed?.ports, closed?.externalTrafficPolicy], [ports, undefined]);
});

test("a full range is an error, not an endless search", async () => {
  const admit = clusterIpAdmission({ below: () => 0, isTaken: () => true, isPortTaken: () => true });
  const request = { operation: "CREATE", subresource: "", object: { metadata: {}, spec: {} }, old: undefined } as unknown as AdmissionRequest<Service>;
  await assert.rejects(
    async () => admit(request),
    (error) => isReason(error, "InternalError"),
  );
});

test("a Service keeps its policy; one that the cluster has no range for is refused", async () => {
  const anywhere = await admitted({ type: "ClusterIP", clusterIP: "None" }, undefined);
  assert.deepEqual([anywhere?.ipFamilyPolicy, anywhere?.ipFamilies], ["RequireDualStack", ["IPv4", "IPv6"]]);
  await assert.rejects(
    async () => admitted({ type: "ClusterIP", selector: { app: "x" } }, anywhere),
    (error) => isReason(error, "Invalid"),
  );
  const chosen = await admitted({ type: "ClusterIP", clusterIP: "None", selector: { app: "x" } }, undefined);
  const freed = await admitted({ type: "ClusterIP" }, chosen);
  assert.deepEqual([freed?.clusterIP, freed?.ipFamilyPolicy, freed?.ipFamilies], ["None", "SingleStack", ["IPv4"]]);
});
