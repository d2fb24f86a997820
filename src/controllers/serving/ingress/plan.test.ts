// The truth table of our own Ingresses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EIDER_INGRESS_CLASS, Ingress, networking } from "#kinds";
import { conditionsOf, made, restOf } from "../fixture.test-suite.ts";
import { planIngress, PRIVATE_GATEWAY, PUBLIC_GATEWAY } from "./plan.ts";

const ours = made(Ingress, "hello", { spec: { rules: [] } }, { annotations: { [networking.ingressClass]: EIDER_INGRESS_CLASS }, generation: 2 });

test("planIngress: not ready before all gateways route by it", () => {
  const { status } = planIngress({ ingress: ours, isInForce: false });
  const waiting = "Unknown Uninitialized: Waiting for load balancer to be ready";
  assert.deepEqual(conditionsOf(status), [`LoadBalancerReady=${waiting}`, "NetworkConfigured=True", `Ready=${waiting}`]);
});

test("planIngress: ready once all gateways route by it", () => {
  const { status } = planIngress({ ingress: ours, isInForce: true });
  assert.deepEqual(conditionsOf(status), ["LoadBalancerReady=True", "NetworkConfigured=True", "Ready=True"]);
  assert.deepEqual(restOf(status), {
    observedGeneration: 2,
    publicLoadBalancer: { ingress: [{ domainInternal: PUBLIC_GATEWAY }] },
    privateLoadBalancer: { ingress: [{ domainInternal: PRIVATE_GATEWAY }] },
  });
});

test("planIngress: another class is left alone", () => {
  const other = made(Ingress, "hello", { spec: {} }, { annotations: { [networking.ingressClass]: "other.example" } });
  assert.deepEqual(planIngress({ ingress: other, isInForce: true }), { desired: undefined });
});
