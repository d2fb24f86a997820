// resolv.conf of a pod by its policy, and what is read of the machine's.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#kinds";
import { parseResolvConf } from "./forwarder.ts";
import { dnsFor, resolvConf } from "./pod-dns.ts";

const host = parseResolvConf("# by hand\nnameserver 192.0.2.53 ; the router\nsearch old\nsearch lan home\noptions timeout:1 rotate\nnameserver 192.0.2.54\n");
const text = (spec: object, nameserver: string | undefined = "10.97.0.10"): string =>
  resolvConf(dnsFor({ metadata: { namespace: "shop" }, spec } as unknown as Pod, { nameserver, domain: "cluster.local", host }));

const SEARCH = "search shop.svc.cluster.local svc.cluster.local cluster.local lan home";
const HOST = "search lan home\nnameserver 192.0.2.53\nnameserver 192.0.2.54\noptions timeout:1 rotate\n";
const dnsConfig = { nameservers: ["192.0.2.1"], searches: ["lan", "more"], options: [{ name: "ndots", value: "2" }, { name: "edns0" }] };
const rows: readonly (readonly [name: string, spec: object, want: string, nameserver?: string])[] = [
  ["nothing said", {}, `${SEARCH}\nnameserver 10.97.0.10\noptions ndots:5\n`],
  ["ClusterFirst on the machine's network", { dnsPolicy: "ClusterFirst", hostNetwork: true }, HOST],
  ["ClusterFirstWithHostNet", { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }, `${SEARCH}\nnameserver 10.97.0.10\noptions ndots:5\n`],
  ["Default", { dnsPolicy: "Default" }, HOST],
  ["None", { dnsPolicy: "None", dnsConfig }, "search lan more\nnameserver 192.0.2.1\noptions ndots:2 edns0\n"],
  ["a dnsConfig beside ClusterFirst", { dnsConfig }, `${SEARCH} more\nnameserver 10.97.0.10\nnameserver 192.0.2.1\noptions ndots:2 edns0\n`],
];
for (const [name, spec, want] of rows) test(`dnsFor: ${name}`, () => assert.equal(text(spec), want));

test("dnsFor: without a resolver of ours, the machine's", () => {
  const dns = dnsFor({ metadata: {}, spec: {} } as unknown as Pod, { nameserver: undefined, domain: "cluster.local", host });
  assert.equal(resolvConf(dns), HOST);
});
