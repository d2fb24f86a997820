// The truth table of Configurations.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serving, type Configuration, type Revision } from "#kinds";
import { StatusError } from "#core";
import { childrenOf, conditionsOf, configuration, eventsOf, ready, restOf, revision } from "../fixture.test-suite.ts";
import { revisionFor } from "./children.ts";
import type { ObservedConfiguration } from "./observe.ts";
import { planConfiguration } from "./plan.ts";

const readyRevision = (number: number, overrides = {}): Revision =>
  revision(number, { status: { observedGeneration: 1, conditions: ready("True") }, ...overrides });
const failedRevision = (number: number): Revision =>
  revision(number, { status: { observedGeneration: 1, conditions: ready("False", "ExitCode1", "it broke") } });
const at = (generation: number, status: object = {}): Configuration => configuration({ generation, status: { observedGeneration: generation, ...status } });
const serves = (name: string, created = name): object => ({ latestCreatedRevisionName: created, latestReadyRevisionName: name, conditions: ready("True") });

interface Row {
  readonly name: string;
  readonly given: Partial<ObservedConfiguration> & { configuration: Configuration };
  readonly want: { conditions: string[]; names?: object; children?: string[]; events?: string[]; failure?: string };
}

const FAILED = 'Ready=False RevisionFailed: Revision "hello-00002" failed with message: it broke.';

const table: Row[] = [
  {
    name: "a new generation creates its Revision",
    given: { configuration: configuration() },
    want: {
      conditions: ["Ready=Unknown"],
      names: { latestCreatedRevisionName: "hello-00001" },
      children: ["Revision/hello-00001"],
      events: ['Normal Created Created Revision "hello-00001"'],
    },
  },
  {
    name: "a Revision that is not ready yet is waited for",
    given: { configuration: at(1), revisions: [revision(1)] },
    want: { conditions: ["Ready=Unknown"], names: { latestCreatedRevisionName: "hello-00001" }, children: ["(Revision/hello-00001)"] },
  },
  {
    name: "the first ready Revision makes it ready",
    given: { configuration: at(1), revisions: [readyRevision(1)] },
    want: {
      conditions: ["Ready=True"],
      names: { latestCreatedRevisionName: "hello-00001", latestReadyRevisionName: "hello-00001" },
      children: ["(Revision/hello-00001)"],
      events: ["Normal ConfigurationReady Configuration becomes ready", 'Normal LatestReadyUpdate LatestReadyRevisionName updated to "hello-00001"'],
    },
  },
  {
    name: "a failed second Revision leaves the first one serving",
    given: { configuration: at(2, serves("hello-00001")), revisions: [readyRevision(1), failedRevision(2)] },
    want: {
      conditions: [FAILED],
      names: { latestCreatedRevisionName: "hello-00002", latestReadyRevisionName: "hello-00001" },
      children: ["(Revision/hello-00001)", "(Revision/hello-00002)"],
      events: ['Warning LatestCreatedFailed Latest created revision "hello-00002" has failed'],
    },
  },
  {
    name: "a failure is told once",
    given: {
      configuration: at(2, {
        ...serves("hello-00001", "hello-00002"),
        conditions: ready("False", "RevisionFailed", 'Revision "hello-00002" failed with message: it broke.'),
      }),
      revisions: [readyRevision(1), failedRevision(2)],
    },
    want: {
      conditions: [FAILED],
      names: { latestCreatedRevisionName: "hello-00002", latestReadyRevisionName: "hello-00001" },
      children: ["(Revision/hello-00001)", "(Revision/hello-00002)"],
    },
  },
  {
    name: "an older Revision never becomes the latest ready one again",
    given: { configuration: at(3, serves("hello-00002", "hello-00003")), revisions: [readyRevision(1), readyRevision(2), revision(3)] },
    want: {
      conditions: ["Ready=Unknown"],
      names: { latestCreatedRevisionName: "hello-00003", latestReadyRevisionName: "hello-00002" },
      children: ["(Revision/hello-00001)", "(Revision/hello-00002)", "(Revision/hello-00003)"],
    },
  },
  {
    name: "a name of the user's that goes back to an older Revision serves that one",
    given: {
      configuration: configuration({ generation: 3, revisionName: "hello-one", status: { observedGeneration: 3, ...serves("hello-two") } }),
      revisions: [readyRevision(1, { name: "hello-one" }), readyRevision(2, { name: "hello-two", image: "dev.local/hello:v2" })],
    },
    want: {
      conditions: ["Ready=True"],
      names: { latestCreatedRevisionName: "hello-one", latestReadyRevisionName: "hello-one" },
      children: ["(Revision/hello-one)", "(Revision/hello-two)"],
      events: ['Normal LatestReadyUpdate LatestReadyRevisionName updated to "hello-one"'],
    },
  },
  {
    name: "a name of the user's that another Configuration holds fails",
    given: {
      configuration: configuration({ revisionName: "hello-one" }),
      named: revision(1, { name: "hello-one", owner: configuration({ name: "other" }) }),
    },
    want: {
      conditions: ['Ready=False RevisionFailed: Revision creation failed with message: revisions.serving.knative.dev "hello-one" already exists.'],
      children: [],
    },
  },
  {
    name: "a name of ours that another Configuration holds is tried again",
    given: { configuration: configuration(), named: revision(1, { owner: configuration({ name: "other" }) }) },
    want: {
      conditions: ["Ready=Unknown NewObservedGenFailure: unsuccessfully observed a new generation"],
      children: [],
      failure: 'failed to create Revision: revisions.serving.knative.dev "hello-00001" already exists',
    },
  },
];

function plan({ revisions = [], named, ...rest }: Row["given"]): ReturnType<typeof planConfiguration> {
  const wanted = rest.configuration.spec.template.metadata?.name ?? `hello-0000${rest.configuration.metadata.generation}`;
  return planConfiguration({ revisions, named: named ?? revisions.find((each) => each.metadata.name === wanted), nowWallMs: 0, ...rest });
}

for (const { name, given, want } of table) {
  test(`planConfiguration: ${name}`, () => {
    const made = plan(given);
    assert.deepEqual(conditionsOf(made.status), want.conditions);
    assert.deepEqual(restOf(made.status), { observedGeneration: given.configuration.metadata.generation, ...want.names });
    assert.deepEqual(childrenOf(made), want.children);
    assert.deepEqual(eventsOf(made), want.events ?? []);
    assert.equal(made.failure, want.failure);
  });
}

test("planConfiguration: a Revision that the server refuses shows in the condition", () => {
  const made = plan({ configuration: configuration() });
  const [child] = made.desired ?? [];
  assert.ok(child !== undefined);
  const after = made.afterRefusal?.([{ child, error: new StatusError("Forbidden", "not today") }]);
  assert.deepEqual(conditionsOf(after?.status), ["Ready=False RevisionFailed: Revision creation failed with message: not today."]);
  assert.deepEqual(
    after?.events?.map(({ message }) => message),
    ["Failed to create Revision: not today", "failed to create Revision: not today"],
  );
});

test("revisionFor: a Configuration with a Route makes active Revisions, one without pending ones", () => {
  const labels = { [serving.service]: "hello", [serving.serviceUid]: "u" };
  const routed = revisionFor(configuration({ labels, annotations: { [serving.routes]: "hello", [serving.lastModifier]: "me" } }), 0);
  assert.deepEqual(routed.metadata.labels, {
    [serving.configuration]: "hello",
    [serving.configurationGeneration]: "1",
    [serving.configurationUid]: "Configuration-hello",
    [serving.routingState]: "active",
    ...labels,
  });
  assert.deepEqual(routed.metadata.annotations, { [serving.creator]: "me", [serving.routes]: "hello", [serving.routingStateModified]: "1970-01-01T00:00:00Z" });
  assert.equal(revisionFor(configuration(), 0).metadata.labels?.[serving.routingState], "pending");
});

test("planConfiguration: a second pass with its own status changes nothing", () => {
  const first = plan({ configuration: at(1), revisions: [readyRevision(1)] });
  const again = plan({ configuration: at(1, first.status), revisions: [readyRevision(1)] });
  assert.deepEqual(again.status, first.status);
  assert.deepEqual(eventsOf(again), []);
});
