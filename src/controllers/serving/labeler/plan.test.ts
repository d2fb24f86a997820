// The truth table of the labeler.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serving, type Route } from "#kinds";
import { configuration, eventsOf, ready, revision, route } from "../fixture.test-suite.ts";
import type { ObservedLabels } from "./observe.ts";
import { planLabels } from "./plan.ts";

const NONE = { revisions: [], configurations: [] };
const NOW = "1970-01-01T00:00:00Z";
const finalizers = [serving.routesFinalizer];
const settled = (status: "True" | "False" | "Unknown"): Route => route({ finalizers, status: { observedGeneration: 1, conditions: ready(status) } });
const active = revision(1, { labels: { [serving.routingState]: "active" }, annotations: { [serving.routes]: "hello" } });
const shared = revision(1, { labels: { [serving.routingState]: "active" }, annotations: { [serving.routes]: "hello,other" } });
const pending = revision(2, { labels: { [serving.routingState]: "pending" } });
const noted = configuration({ annotations: { [serving.routes]: "hello" } });

const ADDED = { metadata: { labels: { [serving.routingState]: "active" }, annotations: { [serving.routes]: "hello", [serving.routingStateModified]: NOW } } };
const REMOVED = { metadata: { labels: { [serving.routingState]: "reserve" }, annotations: { [serving.routes]: null, [serving.routingStateModified]: NOW } } };

const table: {
  name: string;
  given: Partial<ObservedLabels> & { route: Route };
  want: { patches: [string, unknown][]; events?: string[]; failure?: string };
}[] = [
  {
    name: "a new Route gets its finalizer and its targets their notes",
    given: { route: route(), listed: { revisions: [pending], configurations: [configuration()] } },
    want: {
      patches: [
        ["Route/hello", { metadata: { finalizers, resourceVersion: "1" } }],
        ["Revision/hello-00002", ADDED],
        ["Configuration/hello", { metadata: { annotations: { [serving.routes]: "hello" } } }],
      ],
      events: ['Normal FinalizerUpdate Updated "hello" finalizers'],
    },
  },
  {
    name: "what is noted already is left alone",
    given: { route: settled("True"), listed: { revisions: [active], configurations: [noted] }, noted: { revisions: [active], configurations: [noted] } },
    want: { patches: [] },
  },
  {
    name: "the latest Revision is gone: the others get their notes, and it is told",
    given: { route: settled("True"), listed: { revisions: [pending], configurations: [noted] }, missing: ["hello-00003"] },
    want: {
      patches: [["Revision/hello-00002", ADDED]],
      failure: 'failed to add route annotation to Namespace=default Name="hello-00003": revision.serving.knative.dev "hello-00003" not found',
    },
  },
  {
    name: "nothing is taken away before the Route has settled",
    given: { route: settled("Unknown"), noted: { revisions: [active], configurations: [] } },
    want: { patches: [] },
  },
  {
    name: "a Revision that a ready Route does not use any more goes into reserve",
    given: { route: settled("True"), listed: { revisions: [pending], configurations: [] }, noted: { revisions: [active], configurations: [] } },
    want: {
      patches: [
        ["Revision/hello-00001", REMOVED],
        ["Revision/hello-00002", ADDED],
      ],
    },
  },
  {
    name: "a failed Route takes away, too",
    given: { route: settled("False"), noted: { revisions: [active], configurations: [] } },
    want: { patches: [["Revision/hello-00001", REMOVED]] },
  },
  {
    name: "a failed Route of a Service leaves that Service's Configuration its note",
    given: {
      route: { ...settled("False"), metadata: { ...settled("False").metadata, labels: { [serving.service]: "hello" } } },
      noted: { revisions: [active], configurations: [noted] },
    },
    want: { patches: [["Revision/hello-00001", REMOVED]] },
  },
  {
    name: "a failed Route of its own takes away what it noted on a Configuration",
    given: { route: settled("False"), noted: { revisions: [], configurations: [noted] } },
    want: { patches: [["Configuration/hello", { metadata: { annotations: { [serving.routes]: null } } }]] },
  },
  {
    name: "a Revision that another Route uses stays active",
    given: { route: settled("True"), noted: { revisions: [shared], configurations: [] } },
    want: { patches: [["Revision/hello-00001", { metadata: { annotations: { [serving.routes]: "other" } } }]] },
  },
  {
    name: "a Route that goes away clears everything, then its finalizer",
    given: {
      route: route({ deleting: true, finalizers: ["other", ...finalizers] }),
      listed: { revisions: [active], configurations: [noted] },
      noted: { revisions: [active], configurations: [noted] },
    },
    want: {
      patches: [
        ["Revision/hello-00001", REMOVED],
        ["Configuration/hello", { metadata: { annotations: { [serving.routes]: null } } }],
        ["Route/hello", { metadata: { finalizers: ["other"], resourceVersion: "1" } }],
      ],
      events: ['Normal FinalizerUpdate Updated "hello" finalizers'],
    },
  },
  {
    name: "a Route that goes away without its finalizer is left alone",
    given: { route: route({ deleting: true }), noted: { revisions: [active], configurations: [] } },
    want: { patches: [] },
  },
];

for (const { name, given, want } of table) {
  test(`planLabels: ${name}`, () => {
    const plan = planLabels({ listed: NONE, noted: NONE, missing: [], nowWallMs: 0, ...given });
    assert.deepEqual(
      (plan.patches ?? []).map(({ kind, name: of, body }) => [`${kind.kind}/${of}`, body]),
      want.patches,
    );
    assert.deepEqual(eventsOf(plan), want.events ?? []);
    assert.equal(plan.failure, want.failure);
    assert.equal(plan.desired, undefined);
    assert.equal(plan.status, undefined);
  });
}
