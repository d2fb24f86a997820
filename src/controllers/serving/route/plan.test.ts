// The truth table of Routes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CoreService, defaultServingConfig, Ingress, networking, serving, type Configuration, type Revision, type Route } from "#kinds";
import { childrenOf, condition, conditionsOf, configuration, eventsOf, frozen, made, ready, restOf, revision, route } from "../fixture.test-suite.ts";
import type { ObservedRoute } from "./observe.ts";
import { planRoute } from "./plan.ts";

const config = frozen({ ...defaultServingConfig(), domain: { domains: [{ domain: "example.com", selector: {}, wildcard: true }] } });
const readyRevision = (number: number, overrides = {}): Revision =>
  revision(number, { status: { observedGeneration: 1, conditions: ready("True") }, ...overrides });
const following = (name: string | undefined, status: "True" | "False" | "Unknown" = "True"): Configuration =>
  configuration({ status: { observedGeneration: 1, conditions: ready(status), ...(name === undefined ? {} : { latestReadyRevisionName: name }) } });
const byName = <O extends { metadata: { name: string } }>(...objects: O[]): Map<string, O> => new Map(objects.map((object) => [object.metadata.name, object]));
const GOOD = { configurations: byName(following("hello-00001")), revisions: byName(readyRevision(1)) };

const NOW_MS = 1_700_000_000_000;

interface Given extends Partial<ObservedRoute> {
  readonly route: Route;
}

function plan(given: Given): ReturnType<typeof planRoute> {
  return planRoute({
    sources: GOOD,
    ingress: undefined,
    services: new Map(),
    endpoints: new Map(),
    settings: config,
    publicPort: undefined,
    nowMs: { monotonic: 5_000, wall: NOW_MS },
    ...given,
  });
}

const NOT_CONFIGURED = "IngressReady=Unknown IngressNotConfigured: Ingress has not yet been reconciled.";
const CERTIFIED = "CertificateProvisioned=True TLSNotEnabled: external-domain-tls is not enabled";

function assigned(...marks: string[]): string[] {
  return ["AllTrafficAssigned=True", CERTIFIED, ...marks];
}

/** The Ingress that `route()` gets, with a status. */
function ingressWith(status: object, of: Route = route()): Ingress {
  const wanted = plan({ route: of }).desired?.find(({ kind }) => kind.kind === "Ingress")?.object;
  return made(Ingress, "hello", { spec: (wanted as Ingress | undefined)?.spec, status }, { owner: of });
}
const BALANCED = { observedGeneration: 1, conditions: ready("True"), privateLoadBalancer: { ingress: [{ domainInternal: "gateway.local" }] } };

const bad = (reason: string, message: string, status = "False"): string[] => [
  `AllTrafficAssigned=${status} ${reason}: ${message}`,
  "CertificateProvisioned=Unknown",
  NOT_CONFIGURED,
  `Ready=${status} ${reason}: ${message}`,
];
const pinned = (revisionName: string, labels?: Record<string, string>): Route =>
  route({ traffic: [{ revisionName, percent: 100 }], ...(labels === undefined ? {} : { labels }) });
const LABELLED = { [serving.service]: "hello" };

const table: { name: string; given: Given; want: { conditions: string[]; children?: string[] | undefined; events?: string[]; failure?: string } }[] = [
  {
    name: "a missing Configuration",
    given: { route: route(), sources: { configurations: new Map(), revisions: new Map() } },
    want: { conditions: bad("ConfigurationMissing", 'Configuration "hello" referenced in traffic not found.') },
  },
  {
    name: "a missing Revision",
    given: { route: pinned("gone") },
    want: { conditions: bad("RevisionMissing", 'Revision "gone" referenced in traffic not found.') },
  },
  {
    name: "a Configuration that waits for its first Revision",
    given: { route: route(), sources: { configurations: byName(following(undefined, "Unknown")), revisions: new Map() } },
    want: { conditions: bad("RevisionMissing", 'Configuration "hello" is waiting for a Revision to become ready.', "Unknown") },
  },
  {
    name: "a Configuration whose first Revision failed",
    given: { route: route(), sources: { configurations: byName(following(undefined, "False")), revisions: new Map() } },
    want: { conditions: bad("RevisionMissing", 'Configuration "hello" does not have any ready Revision.') },
  },
  {
    name: "a Revision that is not ready yet",
    given: { route: pinned("hello-00001"), sources: { configurations: GOOD.configurations, revisions: byName(revision(1)) } },
    want: { conditions: bad("RevisionMissing", 'Revision "hello-00001" is not yet ready.', "Unknown") },
  },
  {
    name: "a Revision that failed",
    given: {
      route: pinned("hello-00001"),
      sources: { ...GOOD, revisions: byName(revision(1, { status: { observedGeneration: 1, conditions: ready("False") } })) },
    },
    want: { conditions: bad("RevisionMissing", 'Revision "hello-00001" failed to become ready.') },
  },
  {
    name: "a Revision of another Service",
    given: { route: pinned("hello-00001", LABELLED), sources: { ...GOOD, revisions: byName(readyRevision(1, { labels: { [serving.service]: "other" } })) } },
    want: { conditions: bad("RevisionNotOwned", 'Revision "hello-00001" belongs to Service "other", not Service "hello".') },
  },
  {
    name: "a Revision of no Service",
    given: { route: pinned("hello-00001", LABELLED) },
    want: { conditions: bad("RevisionNotOwned", 'Revision "hello-00001" does not belong to Service "hello".') },
  },
  {
    name: "a failure counts before something that is not ready yet",
    given: {
      route: route({
        traffic: [
          { revisionName: "gone", percent: 50 },
          { revisionName: "hello-00001", percent: 50 },
        ],
      }),
      sources: { ...GOOD, revisions: byName(revision(1)) },
    },
    want: { conditions: bad("RevisionMissing", 'Revision "gone" referenced in traffic not found.') },
  },
  {
    name: "good traffic makes a placeholder and an Ingress",
    given: { route: route() },
    want: {
      conditions: assigned(NOT_CONFIGURED, `Ready=Unknown ${NOT_CONFIGURED.slice("IngressReady=Unknown ".length)}`),
      children: ["Service/hello", "Ingress/hello"],
      events: ['Normal Created Created placeholder service "hello"', 'Normal Created Created Ingress "hello"'],
    },
  },
  {
    name: "an Ingress that waits for its gateway",
    given: {
      route: route(),
      ingress: ingressWith({ observedGeneration: 1, conditions: ready("Unknown", "Uninitialized", "Waiting for load balancer to be ready") }),
    },
    want: {
      conditions: assigned(
        "IngressReady=Unknown Uninitialized: Waiting for load balancer to be ready",
        "Ready=Unknown Uninitialized: Waiting for load balancer to be ready",
      ),
      children: ["Service/hello", "Ingress/hello"],
      events: ['Normal Created Created placeholder service "hello"'],
    },
  },
  {
    name: "an Ingress in force makes it ready",
    given: { route: route(), ingress: ingressWith(BALANCED) },
    want: {
      conditions: assigned("IngressReady=True", "Ready=True"),
      children: ["Service/hello", "Ingress/hello"],
      events: ['Normal Created Created placeholder service "hello"'],
    },
  },
  {
    name: "an Ingress for other traffic is not ready for this one",
    given: {
      route: route({ generation: 2, traffic: [{ configurationName: "hello", latestRevision: true, percent: 100, tag: "t" }] }),
      ingress: ingressWith(BALANCED),
    },
    want: {
      conditions: assigned(NOT_CONFIGURED, `Ready=Unknown ${NOT_CONFIGURED.slice("IngressReady=Unknown ".length)}`),
      children: ["Service/hello", "Service/t-hello", "Ingress/hello"],
      events: ['Normal Created Created placeholder service "hello"', 'Normal Created Created placeholder service "t-hello"'],
    },
  },
  {
    name: "another's Service under its name",
    given: { route: route(), services: byName(made(CoreService, "hello", { spec: {} })) },
    want: {
      conditions: [
        "AllTrafficAssigned=True",
        "CertificateProvisioned=Unknown",
        'IngressReady=False NotOwned: There is an existing placeholder Service "hello" that we do not own.',
        'Ready=False NotOwned: There is an existing placeholder Service "hello" that we do not own.',
      ],
      failure: 'route: "hello" does not own Service: "hello"',
    },
  },
  {
    name: "a protocol that does not exist",
    given: { route: route({ annotations: { [networking.httpProtocol]: "Sometimes" } }) },
    want: {
      conditions: assigned(NOT_CONFIGURED, `Ready=Unknown ${NOT_CONFIGURED.slice("IngressReady=Unknown ".length)}`),
      children: ["Service/hello"],
      events: ['Normal Created Created placeholder service "hello"'],
      failure: "incorrect http-protocol annotation: sometimes",
    },
  },
  { name: "a Route that is going away is left alone", given: { route: route({ deleting: true }) }, want: { conditions: [] } },
];

for (const { name, given, want } of table) {
  test(`planRoute: ${name}`, () => {
    const planned = plan(given);
    assert.deepEqual(conditionsOf(planned.status), want.conditions);
    assert.deepEqual(childrenOf(planned), want.children);
    assert.deepEqual(eventsOf(planned), want.events ?? []);
    assert.equal(planned.failure, want.failure);
  });
}

test("planRoute: bad traffic freezes what was there before", () => {
  const status = {
    observedGeneration: 1,
    url: "http://hello.default.example.com",
    traffic: [{ revisionName: "old", percent: 100 }],
    conditions: [condition("Ready", "True")],
  };
  const planned = plan({ route: route({ traffic: [{ revisionName: "gone", percent: 100 }], generation: 2, status }) });
  assert.equal(planned.desired, undefined);
  assert.deepEqual(restOf(planned.status), { observedGeneration: 2, url: status.url, traffic: status.traffic });
});

const tagged = route({
  traffic: [
    { revisionName: "hello-00001", latestRevision: false, percent: 90, tag: "old" },
    { configurationName: "hello", latestRevision: true, percent: 10 },
    { configurationName: "hello", latestRevision: true, percent: 0, tag: "new" },
  ],
});
const TWO = { configurations: byName(following("hello-00002")), revisions: byName(readyRevision(1), readyRevision(2)) };

test("planRoute: URLs of tags, and shares by host", () => {
  const planned = plan({ route: tagged, sources: TWO });
  assert.deepEqual(restOf(planned.status), {
    observedGeneration: 1,
    url: "http://hello.default.example.com",
    address: { url: "http://hello.default.svc.cluster.local" },
    traffic: [
      { revisionName: "hello-00001", percent: 90, latestRevision: false, tag: "old", url: "http://old-hello.default.example.com" },
      { revisionName: "hello-00002", percent: 10, latestRevision: true },
      { revisionName: "hello-00002", percent: 0, latestRevision: true, tag: "new", url: "http://new-hello.default.example.com" },
    ],
  });
  const ingress = planned.desired?.at(-1)?.object as Ingress | undefined;
  const shares = ingress?.spec.rules?.map(({ hosts, http }) => [
    hosts?.at(-1),
    http?.paths[0]?.splits?.map(({ serviceName, percent }) => `${serviceName} ${percent}`).join(", "),
  ]);
  assert.deepEqual(shares, [
    ["hello.default.svc.cluster.local", "hello-00001 90, hello-00002 10"],
    ["hello.default.example.com", "hello-00001 90, hello-00002 10"],
    ["new-hello.default.svc.cluster.local", "hello-00002 100"],
    ["new-hello.default.example.com", "hello-00002 100"],
    ["old-hello.default.svc.cluster.local", "hello-00001 100"],
    ["old-hello.default.example.com", "hello-00001 100"],
  ]);
  const { annotations = {} } = ingress?.metadata ?? {};
  assert.equal(
    annotations[networking.rollout],
    '{"configurations":[{"configurationName":"hello","percent":10,"revisions":[{"revisionName":"hello-00002","percent":10}],"stepParams":{}},' +
      '{"configurationName":"hello","tag":"new","percent":100,"revisions":[{"revisionName":"hello-00002","percent":100}],"stepParams":{}}]}',
  );
});

test("planRoute: the public port shows in public URLs only", () => {
  const open = plan({ route: tagged, sources: TWO, publicPort: 8080 });
  assert.deepEqual((restOf(open.status) as { url?: string }).url, "http://hello.default.example.com:8080");
  const local = plan({ route: route({ labels: { [networking.visibility]: networking.clusterLocal } }), publicPort: 8080 });
  assert.deepEqual((restOf(local.status) as { url?: string }).url, "http://hello.default.svc.cluster.local");
  const ingress = local.desired?.at(-1)?.object as Ingress | undefined;
  assert.deepEqual(
    ingress?.spec.rules?.map(({ hosts, visibility }) => [visibility, hosts?.length]),
    [["ClusterLocal", 3]],
  );
});

test("planRoute: a host with a label that is too long is a mistake of the settings", () => {
  const planned = plan({
    route: route({ name: "a".repeat(40), traffic: [{ configurationName: "hello", latestRevision: true, percent: 100, tag: "b".repeat(30) }] }),
  });
  assert.match(
    conditionsOf(planned.status)[0] ?? "",
    /^AllTrafficAssigned=False ErrorConfig: domain name error: invalid domain name "b{30}-a{40}\.default\.example\.com": url: Invalid value: "b{30}-a{40}": must be no more than 63/,
  );
  assert.equal(planned.desired, undefined);
});

test("planRoute: the placeholder points to the gateway once there is one, and keeps others' labels", () => {
  const current = made(
    CoreService,
    "hello",
    { spec: { type: "ExternalName", externalName: "hello.default.example.com" } },
    { owner: route(), labels: { mine: "1" } },
  );
  const planned = plan({ route: route(), ingress: ingressWith(BALANCED), services: byName(current) });
  const child = planned.desired?.[0];
  const merged = child?.merge?.(current, child.object) as CoreService | undefined;
  assert.equal(merged?.spec.externalName, "gateway.local");
  assert.deepEqual(merged?.metadata.labels, { mine: "1", [serving.route]: "hello" });
});

test("planRoute: a second pass with its own status changes nothing", () => {
  const ingress = ingressWith(BALANCED);
  const first = plan({ route: route(), ingress });
  const again = plan({ route: route({ status: first.status ?? {} }), ingress });
  assert.deepEqual(again.status, first.status);
});

const ROLLED = frozen({ ...config, network: { ...config.network, rolloutDurationSeconds: 60 } });
const SECOND = { configurations: byName(following("hello-00002")), revisions: byName(readyRevision(1), readyRevision(2)) };

/** The splits of the public rule, and where the rollout stands. */
function rolledTo(planned: ReturnType<typeof planRoute>): {
  splits: [string, number][];
  carried: string;
  ingressReady: string | undefined;
  wakeAtMs: number | undefined;
} {
  const ingress = planned.desired?.find(({ kind }) => kind.kind === "Ingress")?.object as unknown as Ingress;
  const { splits } = ingress.spec.rules?.[1]?.http?.paths[0] ?? { splits: [] };
  return {
    splits: splits.map(({ serviceName, percent }) => [serviceName, percent ?? 0]),
    carried: ingress.metadata.annotations?.[networking.rollout] ?? "",
    ingressReady: conditionsOf(planned.status).find((text) => text.startsWith("IngressReady")),
    wakeAtMs: planned.wakeAtMs,
  };
}

test("a gradual rollout begins with 1 %, is planned once that is in force, and goes on step by step to the end", () => {
  let ingress: Ingress | undefined;
  const at = (wall: number, sources = SECOND): ReturnType<typeof rolledTo> => {
    const planned = plan({ route: route(), sources, ingress, settings: ROLLED, nowMs: { monotonic: wall - NOW_MS, wall } });
    const wanted = planned.desired?.find(({ kind }) => kind.kind === "Ingress")?.object as unknown as Ingress;
    ingress = made(Ingress, "hello", { spec: wanted.spec, status: BALANCED }, { owner: route(), annotations: wanted.metadata.annotations ?? {} });
    return rolledTo(planned);
  };
  at(NOW_MS - 60_000, GOOD);
  const progress = "IngressReady=Unknown RolloutInProgress: A gradual rollout of the latest revision(s) is in progress.";
  const first = at(NOW_MS);
  assert.deepEqual(first.splits, [
    ["hello-00001", 99],
    ["hello-00002", 1],
  ]);
  assert.equal(first.ingressReady, progress);
  assert.equal(first.wakeAtMs, undefined);
  const second = at(NOW_MS + 2_000);
  assert.match(second.carried, /"starttime":1700000000000000000,"nextStepTime":1700000004000000000,"stepDuration":2000000000,"stepSize":3/);
  assert.equal(second.wakeAtMs, 4_000);
  assert.deepEqual(at(NOW_MS + 4_000).splits, [
    ["hello-00001", 96],
    ["hello-00002", 4],
  ]);
  let last = at(NOW_MS + 6_000);
  for (let steps = 0; last.splits.length > 1 && steps < 100; steps++) last = at(NOW_MS + (last.wakeAtMs ?? 0));
  assert.deepEqual(last.splits, [["hello-00002", 100]]);
  assert.equal(last.ingressReady === progress, false);
});

test("without a duration all traffic moves at once, also in the middle of a rollout", () => {
  const planned = plan({ route: route(), sources: SECOND, ingress: ingressWith(BALANCED) });
  assert.deepEqual(rolledTo(planned).splits, [["hello-00002", 100]]);
});
