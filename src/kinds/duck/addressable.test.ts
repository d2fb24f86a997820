// How destinations become URLs, and what is said when they do not.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#schema";
import { resolveDestination, type Resolution } from "./addressable.ts";
import type { Destination } from "./destination.ts";

const ref = { apiVersion: "x.example/v1", kind: "Sink", namespace: "n", name: "a" };
const REF_TEXT = "Kind = Sink, Namespace = n, Name = a, APIVersion = x.example/v1, Group = , Address = ";
const withStatus = (status: object): KubeObject =>
  ({ apiVersion: "x.example/v1", kind: "Sink", metadata: { name: "a", namespace: "n" }, status }) as unknown as KubeObject;

const HTTP = { name: "http", url: "http://a.n.svc.cluster.local/x" };
const HTTPS = { name: "https", url: "https://a.n.svc.cluster.local/x" };

function resolve(destination: Destination, status: object | null = { address: HTTP }, trustsCluster = false): Resolution {
  const find = (): KubeObject | { error: string } => (status === null ? { error: 'sinks.x.example "a" not found' } : withStatus(status));
  return resolveDestination(destination, { find, clusterDomain: "cluster.local", trustsCluster });
}

test("objects of any kind, Services and URIs", () => {
  assert.deepEqual(resolve({ ref }), { address: HTTP });
  assert.deepEqual(resolve({ ref, uri: "/y" }), { address: { ...HTTP, url: "http://a.n.svc.cluster.local/y" } });
  assert.deepEqual(resolve({ ref, uri: "y" }, { address: { url: "http://h/a/b" } }), { address: { url: "http://h/a/y" } });
  assert.deepEqual(resolve({ ref, CACerts: "own", audience: "aud" }, { address: { ...HTTP, CACerts: "its" } }), {
    address: { ...HTTP, CACerts: "own", audience: "aud" },
  });
  assert.deepEqual(resolve({ uri: "https://h/p", CACerts: "own" }), { address: { url: "https://h/p", CACerts: "own" } });
  const service = { apiVersion: "v1", kind: "Service", namespace: "n", name: "plain" };
  assert.deepEqual(resolve({ ref: service }, {}), { address: { url: "http://plain.n.svc.cluster.local" } });
  assert.deepEqual(resolve({ ref: service, CACerts: "own" }, {}), { address: { url: "https://plain.n.svc.cluster.local", CACerts: "own" } });
});

test("of several addresses the safe one is taken when its authority is known, whatever their order", () => {
  const secured = { ...HTTPS, CACerts: "ca" };
  for (const addresses of [
    [HTTP, secured],
    [secured, HTTP],
  ]) {
    assert.deepEqual(resolve({ ref }, { addresses }), { address: secured });
  }
  for (const addresses of [
    [HTTP, HTTPS],
    [HTTPS, HTTP],
  ]) {
    assert.deepEqual(resolve({ ref }, { addresses }), { address: HTTP });
    assert.deepEqual(resolve({ ref }, { addresses }, true), { address: HTTPS });
    assert.deepEqual(resolve({ ref: { ...ref, address: "https" } }, { addresses }), { address: HTTPS });
  }
  assert.deepEqual(resolve({ ref }, { addresses: [HTTPS] }), { address: HTTPS });
  assert.deepEqual(resolve({ ref }, { addresses: [], address: HTTP }), { address: HTTP });
});

test("what cannot be resolved is told in Knative's words", () => {
  const rows: readonly (readonly [Resolution, string])[] = [
    [resolve({}), "destination missing Ref and URI, expected at least one"],
    [resolve({ uri: "/x" }), 'URI is not absolute (both scheme and host should be non-empty): "/x"'],
    [resolve({ ref, uri: "http://h" }), "absolute URI is not allowed when Ref or [apiVersion, kind, name] exists"],
    [resolve({ ref }, null), 'failed to get object n/a: sinks.x.example "a" not found'],
    [resolve({ ref }, {}), `address not set for ${REF_TEXT}`],
    [resolve({ ref }, { address: "x", addresses: "y" }), `address not set for ${REF_TEXT}`],
    [resolve({ ref }, { address: {} }), `URL missing in address of ${REF_TEXT}`],
    [resolve({ ref }, { address: { url: "/x" } }), `hostname missing in address of ${REF_TEXT}`],
    [resolve({ ref: { ...ref, address: "q" } }, { addresses: [HTTP] }), `address with name "q" not found for ${REF_TEXT}q`],
  ];
  for (const [found, error] of rows) assert.deepEqual(found, { error });
});
