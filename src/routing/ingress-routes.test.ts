// What an Ingress asks for: the hash that Knative's own programs reckon, and hosts with rules of both kinds.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ingress } from "#kinds";
import { ingressSpecJson } from "./go-json.ts";
import { ingressRoutes } from "./ingress-routes.ts";

const DOMAIN = "cluster.local";

const splits = [
  { appendHeaders: { Z: "ü", Y: '"q"' }, percent: 60, serviceName: "w", serviceNamespace: "ns", servicePort: 80 },
  { percent: 40, serviceName: "v", serviceNamespace: "ns", servicePort: "http" },
];
const spec: NonNullable<Ingress["spec"]> = {
  httpOption: "Redirected",
  rules: [
    {
      hosts: ["a.test", "b.test"],
      http: { paths: [{ appendHeaders: { K: "v" }, headers: { B: { exact: "1\u2028" }, A: {} }, path: "/x<&>", rewriteHost: "r.test", splits }] },
      visibility: "ExternalIP",
    },
    { visibility: "ClusterLocal" },
  ],
  tls: [{ hosts: ["a.test"], secretName: "s", secretNamespace: "ns" }],
};

function ingress(of: Ingress["spec"]): Ingress {
  const metadata = { name: "app", namespace: "ns", uid: "u", resourceVersion: "1", creationTimestamp: "" };
  return { apiVersion: "networking.internal.knative.dev/v1alpha1", kind: "Ingress", metadata, spec: of } as Ingress;
}

// Both were printed by Knative's `ingress.ComputeHash` for this spec.
const GO_JSON =
  '{"tls":[{"hosts":["a.test"],"secretName":"s","secretNamespace":"ns"}],"rules":[{"hosts":["a.test","b.test"],"visibility":"ExternalIP","http":{"paths":[{"path":"/x\\u003c\\u0026\\u003e","rewriteHost":"r.test","headers":{"A":{"exact":""},"B":{"exact":"1\\u2028"}},"splits":[{"serviceNamespace":"ns","serviceName":"w","servicePort":80,"percent":60,"appendHeaders":{"Y":"\\"q\\"","Z":"ü"}},{"serviceNamespace":"ns","serviceName":"v","servicePort":"http","percent":40}],"appendHeaders":{"K":"v"}}]}},{"visibility":"ClusterLocal"}],"httpOption":"Redirected"}';
const GO_HASH = "d84069d1319e6eb835df6bf57e05f13821379fc78603b0da9d0a5c4618e0f289";

test("a spec is written as Go's encoder writes it, whatever the order of its members", () => {
  assert.equal(ingressSpecJson(spec), GO_JSON);
});

test("the hash of an Ingress is Knative's", () => {
  assert.deepEqual(
    ingressRoutes(ingress(spec), DOMAIN).hosts.map(({ probeHash }) => probeHash),
    [GO_HASH, GO_HASH],
  );
});

test("a host of a public and a local rule shows only the paths of the public one outside", () => {
  const path = (prefix: string) => ({ path: prefix, splits: [{ serviceName: "w", serviceNamespace: "ns", servicePort: 80 }] });
  const rules = [
    { hosts: ["x.test"], visibility: "ClusterLocal", http: { paths: [path("/local")] } },
    { hosts: ["x.test"], visibility: "ExternalIP", http: { paths: [path("/open")] } },
  ];
  const { hosts, references } = ingressRoutes(ingress({ rules }), DOMAIN);
  assert.deepEqual(
    hosts.map(({ visibility, paths }) => [visibility, paths.map(({ prefix, isLocal }) => [prefix, isLocal])]),
    [
      [
        "ExternalIP",
        [
          ["/local", true],
          ["/open", undefined],
        ],
      ],
    ],
  );
  assert.deepEqual(references, [{ key: "ns/w:80", service: "ns/w", port: "80" }]);
});

const expansions = [
  { hosts: ["App.ns.svc.cluster.local"], want: ["app.ns.svc.cluster.local", "app.ns.svc", "app.ns"] },
  { hosts: ["app.ns", "app.ns.svc", "app.ns.svc.cluster.local"], want: ["app.ns", "app.ns.svc", "app.ns.svc.cluster.local"] },
  { hosts: ["app.example.com", "10.0.0.1", `a.${"b".repeat(64)}`], want: ["app.example.com"] },
];
for (const { hosts, want } of expansions) {
  test(`hosts ${hosts.join(" ").slice(0, 60)}: each has its short forms, once`, () => {
    const path = { splits: [{ serviceName: "w", serviceNamespace: "ns", servicePort: 80 }] };
    const routes = ingressRoutes(ingress({ rules: [{ hosts, http: { paths: [path] } }] }), DOMAIN).hosts;
    assert.deepEqual(
      routes.map(({ host, paths }) => [host, paths.length]),
      want.map((host) => [host, 1]),
    );
  });
}
