// The truth table of our own Ingresses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EIDER_INGRESS_CLASS, Ingress, networking } from "#kinds";
import { conditionsOf, made, restOf } from "../fixture.test-suite.ts";
import { planIngress, PRIVATE_GATEWAY, PUBLIC_GATEWAY } from "./plan.ts";

const ours = made(Ingress, "hello", { spec: { rules: [] } }, { annotations: { [networking.ingressClass]: EIDER_INGRESS_CLASS }, generation: 2 });

test("planIngress: not ready before all gateways route by it", () => {
  const { status } = planIngress({ ingress: ours, standing: { isInForce: false } });
  const waiting = "Unknown Uninitialized: Waiting for load balancer to be ready";
  assert.deepEqual(conditionsOf(status), [`LoadBalancerReady=${waiting}`, "NetworkConfigured=True", `Ready=${waiting}`]);
});

test("planIngress: ready once all gateways route by it", () => {
  const { status } = planIngress({ ingress: ours, standing: { isInForce: true } });
  assert.deepEqual(conditionsOf(status), ["LoadBalancerReady=True", "NetworkConfigured=True", "Ready=True"]);
  assert.deepEqual(restOf(status), {
    observedGeneration: 2,
    publicLoadBalancer: { ingress: [{ domainInternal: PUBLIC_GATEWAY }] },
    privateLoadBalancer: { ingress: [{ domainInternal: PRIVATE_GATEWAY }] },
  });
});

test("planIngress: waiting for a backend is told, and is no failure", () => {
  const { status } = planIngress({ ingress: ours, standing: { isInForce: false, waitsFor: 'Service "ns/web" does not exist' } });
  const waiting = "Unknown Uninitialized: Waiting for load balancer to be ready";
  const backend = 'Unknown BackendNotRoutable: Waiting for a backend: Service "ns/web" does not exist';
  assert.deepEqual(conditionsOf(status).slice(0, 2), [`LoadBalancerReady=${waiting}`, `NetworkConfigured=${backend}`]);
  assert.match(conditionsOf(status)[2] ?? "", /^Ready=Unknown /);
});

test("planIngress: a host that an older Ingress has", () => {
  const { status } = planIngress({ ingress: ours, standing: { isInForce: false, conflict: { host: "x.test", owner: "ns/old" } } });
  const rejected = 'False DomainConflict: Ingress rejected: the host "x.test" belongs to the Ingress "ns/old"';
  assert.deepEqual(conditionsOf(status), [`LoadBalancerReady=${rejected}`, "NetworkConfigured=True", `Ready=${rejected}`]);
});

test("planIngress: another class is left alone", () => {
  const other = made(Ingress, "hello", { spec: {} }, { annotations: { [networking.ingressClass]: "other.example" } });
  assert.deepEqual(planIngress({ ingress: other, standing: { isInForce: true } }), { desired: undefined });
});
