// The truth table of Services.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serving, type Configuration, type Route } from "#kinds";
import { childrenOf, conditionsOf, configuration, eventsOf, ready, restOf, revision, route, service, TEMPLATE } from "../fixture.test-suite.ts";
import { configurationFor, routeFor } from "./children.ts";
import type { ObservedService } from "./observe.ts";
import { planService } from "./plan.ts";

const CONFIGURATION_OUT_OF_DATE = "ConfigurationsReady=Unknown OutOfDate: The Configuration is still working to reflect the latest desired specification.";
const ROUTE_OUT_OF_DATE = "RoutesReady=Unknown OutOfDate: The Route is still working to reflect the latest desired specification.";

const owner = service();
const latest = { latestCreatedRevisionName: "hello-00001", latestReadyRevisionName: "hello-00001" };
const readyConfiguration = configuration({ owner, status: { observedGeneration: 1, conditions: ready("True"), ...latest } });
const routing = { url: "http://hello.default.example.com", address: { url: "http://hello.default.svc.cluster.local" } };
const routeWith = (traffic: object[], conditions = ready("True")): Route =>
  route({ owner, status: { observedGeneration: 1, conditions, ...routing, traffic } });
const readyRoute = routeWith([{ revisionName: "hello-00001", latestRevision: true, percent: 100 }]);
const byo = service({ revisionName: "hello-one" });
const byoConfiguration = (status: object): Configuration => configuration({ owner: byo, revisionName: "hello-one", status });

const table: {
  name: string;
  given: Partial<ObservedService>;
  want: { conditions: string[]; children?: string[] | undefined; events?: string[]; failure?: string };
}[] = [
  {
    name: "a new Service gets both children",
    given: {},
    want: {
      conditions: [CONFIGURATION_OUT_OF_DATE, `Ready=Unknown ${ROUTE_OUT_OF_DATE.slice("RoutesReady=Unknown ".length)}`, ROUTE_OUT_OF_DATE],
      children: ["Configuration/hello", "Route/hello"],
      events: ['Normal Created Created Configuration "hello"', 'Normal Created Created Route "hello"'],
    },
  },
  {
    name: "both children ready make it ready",
    given: { configuration: readyConfiguration, route: readyRoute },
    want: { conditions: ["ConfigurationsReady=True", "Ready=True", "RoutesReady=True"], children: ["Configuration/hello", "Route/hello"] },
  },
  {
    name: "a failed Configuration shows, and so does the Route",
    given: {
      configuration: configuration({ owner, status: { observedGeneration: 1, conditions: ready("False", "RevisionFailed", "gone wrong.") } }),
      route: routeWith([], ready("False", "RevisionMissing", "no revision")),
    },
    want: {
      conditions: [
        "ConfigurationsReady=False RevisionFailed: gone wrong.",
        "Ready=False RevisionMissing: no revision",
        "RoutesReady=False RevisionMissing: no revision",
      ],
      children: ["Configuration/hello", "Route/hello"],
    },
  },
  {
    name: "a ready Route with other traffic has not migrated yet",
    given: { configuration: readyConfiguration, route: routeWith([{ revisionName: "hello-00000", latestRevision: true, percent: 100 }]) },
    want: {
      conditions: [
        "ConfigurationsReady=True",
        "Ready=Unknown TrafficNotMigrated: Traffic is not yet migrated to the latest revision.",
        "RoutesReady=Unknown TrafficNotMigrated: Traffic is not yet migrated to the latest revision.",
      ],
      children: ["Configuration/hello", "Route/hello"],
    },
  },
  {
    name: "another's Configuration is left alone",
    given: { configuration: configuration() },
    want: {
      conditions: [
        'ConfigurationsReady=False NotOwned: There is an existing Configuration "hello" that we do not own.',
        'Ready=False NotOwned: There is an existing Configuration "hello" that we do not own.',
        "RoutesReady=Unknown",
      ],
      children: undefined,
      failure: 'service: "hello" does not own configuration: "hello"',
    },
  },
  {
    name: "another's Route is left alone",
    given: { configuration: readyConfiguration, route: route() },
    want: {
      conditions: [
        "ConfigurationsReady=True",
        'Ready=False NotOwned: There is an existing Route "hello" that we do not own.',
        'RoutesReady=False NotOwned: There is an existing Route "hello" that we do not own.',
      ],
      children: ["Configuration/hello"],
      failure: 'service: "hello" does not own route: "hello"',
    },
  },
  {
    name: "with a revision name of its own the Route waits for the Configuration",
    given: { service: byo },
    want: {
      conditions: [CONFIGURATION_OUT_OF_DATE, `Ready=Unknown ${CONFIGURATION_OUT_OF_DATE.slice("ConfigurationsReady=Unknown ".length)}`, "RoutesReady=Unknown"],
      children: ["Configuration/hello"],
      events: ['Normal Created Created Configuration "hello"'],
    },
  },
  {
    name: "a revision name that another Configuration holds stops the traffic",
    given: {
      service: byo,
      configuration: byoConfiguration({ observedGeneration: 1, conditions: ready("Unknown") }),
      namedRevision: revision(1, { name: "hello-one", owner: configuration({ name: "other" }) }),
    },
    want: {
      conditions: [
        "ConfigurationsReady=Unknown",
        'Ready=False RevisionNameTaken: The revision name "hello-one" is taken by a conflicting Revision, so traffic will not be migrated',
        'RoutesReady=False RevisionNameTaken: The revision name "hello-one" is taken by a conflicting Revision, so traffic will not be migrated',
      ],
      children: ["Configuration/hello"],
    },
  },
  { name: "a Service that is going away is left alone", given: { service: service({ deleting: true }) }, want: { conditions: [], children: undefined } },
];

for (const { name, given, want } of table) {
  test(`planService: ${name}`, () => {
    const plan = planService({ service: owner, configuration: undefined, route: undefined, namedRevision: undefined, ...given });
    assert.deepEqual(conditionsOf(plan.status), want.conditions);
    assert.deepEqual(childrenOf(plan), want.children);
    assert.deepEqual(eventsOf(plan), want.events ?? []);
    assert.equal(plan.failure, want.failure);
  });
}

test("planService: the status repeats what the children tell, and a second pass changes nothing", () => {
  const observed = { service: owner, configuration: readyConfiguration, route: readyRoute, namedRevision: undefined };
  const { status } = planService(observed);
  assert.deepEqual(restOf(status), {
    observedGeneration: 1,
    ...latest,
    ...routing,
    traffic: [{ revisionName: "hello-00001", latestRevision: true, percent: 100 }],
  });
  const again = planService({ ...observed, service: service({ status: status ?? {} }) });
  assert.deepEqual(again.status, status);
});

test("configurationFor: labels, annotations and foreign routes", () => {
  const annotations = { "example.com/a": "1", "serving.knative.dev/rollout-duration": "10s", "kubectl.kubernetes.io/last-applied-configuration": "{}" };
  const given = service({ labels: { team: "red" }, annotations });
  const existing = configuration({ annotations: { [serving.routes]: "other" } });
  const wanted = configurationFor(given, existing);
  assert.deepEqual(wanted.metadata.labels, { team: "red", [serving.service]: "hello", [serving.serviceUid]: "Service-hello" });
  assert.deepEqual(wanted.metadata.annotations, { "example.com/a": "1", [serving.routes]: "hello,other" });
  assert.deepEqual(wanted.spec.template, TEMPLATE);
});

test("routeFor: only targets without a revision follow the Configuration", () => {
  const wanted = routeFor(
    service({
      traffic: [
        { revisionName: "hello-00001", latestRevision: false, percent: 90 },
        { latestRevision: true, percent: 10 },
      ],
    }),
  );
  assert.deepEqual(wanted.spec.traffic, [
    { revisionName: "hello-00001", latestRevision: false, percent: 90 },
    { configurationName: "hello", latestRevision: true, percent: 10 },
  ]);
});
