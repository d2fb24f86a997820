// The order of an ingress's answers before the body.
import assert from "node:assert/strict";
import { test } from "node:test";
import { firstLook } from "./first-look.ts";

const granted = { status: 200, headers: { allow: "POST, OPTIONS", "webhook-allowed-origin": "*", "webhook-allowed-rate": "*" } };
const BROKERS = "broker-ingress.knative-eventing.svc.cluster.local";
const CHANNEL = "c-kn-channel.ns.svc.cluster.local";
const DISPATCHER = "imc-dispatcher.knative-eventing.svc.cluster.local";
const toBroker = { place: { kind: "Broker", namespace: "ns", name: "b" } };
const byHost = { place: { kind: "Channel", host: CHANNEL } };
const byPath = { place: { kind: "Channel", namespace: "ns", name: "c" } };

const table: readonly { readonly given: readonly [host: string, method: string, url: string]; readonly isThere?: false; readonly want: unknown }[] = [
  { given: [BROKERS, "OPTIONS", "/"], want: granted },
  { given: [BROKERS, "OPTIONS", "/no/such/path"], want: granted },
  { given: [BROKERS, "GET", "/ns/b"], want: { status: 405 } },
  { given: [BROKERS, "PUT", "/"], want: { status: 405 } },
  { given: [BROKERS, "POST", "/"], want: { status: 404 } },
  { given: [BROKERS, "POST", "/ns"], want: { status: 400 } },
  { given: [BROKERS, "POST", "/ns/b/c"], want: { status: 400 } },
  { given: [BROKERS, "POST", "//b"], want: { status: 400 } },
  { given: [BROKERS, "POST", "/ns/b//"], want: { status: 400 } },
  { given: [BROKERS, "POST", "/ns/b"], want: toBroker },
  { given: [BROKERS, "POST", "/ns/b/"], want: toBroker },
  { given: [BROKERS, "POST", "/ns/b?x=/y"], want: toBroker },
  { given: [BROKERS, "POST", "/ns/b"], isThere: false, want: toBroker },
  { given: ["127.0.0.1:8080", "POST", "/ns/b"], want: toBroker },
  { given: [CHANNEL, "POST", "/"], want: byHost },
  { given: [`${CHANNEL}:80`, "POST", "/?x=1"], want: byHost },
  { given: [CHANNEL, "POST", "/ns/c"], want: byPath },
  { given: [CHANNEL, "POST", "/other"], want: { status: 400 } },
  { given: [CHANNEL, "OPTIONS", "/"], want: granted },
  { given: [CHANNEL, "GET", "/"], want: { status: 405 } },
  { given: [CHANNEL, "POST", "/"], isThere: false, want: { status: 404 } },
  { given: [CHANNEL, "OPTIONS", "/"], isThere: false, want: { status: 404 } },
  { given: [CHANNEL, "GET", "/"], isThere: false, want: { status: 404 } },
  { given: [DISPATCHER, "POST", "/ns/c"], want: byPath },
  { given: [DISPATCHER, "POST", "/ns/c"], isThere: false, want: { status: 404 } },
  { given: [DISPATCHER, "POST", "/a/b/c"], want: { status: 400 } },
];
for (const { given, isThere = true, want } of table) {
  const [host, method, url] = given;
  test(`firstLook: ${given.join(" ")}${isThere ? "" : ", which is not there"}`, () =>
    assert.deepEqual(
      firstLook({ host, method, url }, () => isThere),
      want,
    ));
}
