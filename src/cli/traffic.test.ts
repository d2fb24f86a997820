import assert from "node:assert/strict";
import { test } from "node:test";
import { CliError } from "./exit.ts";
import { planTraffic, type TrafficFlags, type TrafficTarget } from "./traffic.ts";

const none: TrafficFlags = { traffic: [], tag: [], untag: [] };
const latest: TrafficTarget = { latestRevision: true, percent: 100 };

const rows: readonly { name: string; given: readonly TrafficTarget[]; flags: Partial<TrafficFlags>; want: readonly TrafficTarget[] | RegExp }[] = [
  {
    name: "a split between a revision and the latest",
    given: [latest],
    flags: { traffic: ["r-1=30,@latest=70"] },
    want: [
      { latestRevision: true, percent: 70 },
      { revisionName: "r-1", latestRevision: false, percent: 30 },
    ],
  },
  {
    name: "what is left goes to the one target that was not mentioned",
    given: [latest],
    flags: { traffic: ["r-1=10%"] },
    want: [
      { latestRevision: true, percent: 90 },
      { revisionName: "r-1", latestRevision: false, percent: 10 },
    ],
  },
  { name: "more than 100", given: [latest], flags: { traffic: ["r-1=60", "@latest=50"] }, want: /sum to 110, want <=100/ },
  { name: "a repeated reference", given: [latest], flags: { traffic: ["@latest=60", "@latest=40"] }, want: /repetition of identifier @latest/ },
  {
    name: "a tag on a revision without traffic",
    given: [latest],
    flags: { tag: ["r-1=old"] },
    want: [latest, { revisionName: "r-1", latestRevision: false, tag: "old", percent: 0 }],
  },
  {
    name: "a tag that another revision has",
    given: [{ ...latest, tag: "t" }],
    flags: { tag: ["r-1=t"] },
    want: /refusing to overwrite existing tag in service, add flag '--untag t'/,
  },
  {
    name: "an untagged target without traffic goes",
    given: [latest, { revisionName: "r-1", latestRevision: false, tag: "old", percent: 0 }],
    flags: { untag: ["old"] },
    want: [latest],
  },
  { name: "an unknown tag", given: [latest], flags: { untag: ["x"] }, want: /tag\(s\) x not present for any revisions of service hello/ },
  {
    name: "a bare number means the latest",
    given: [{ revisionName: "r-1", latestRevision: false, percent: 100 }],
    flags: { traffic: ["100"] },
    want: [latest],
  },
];

for (const { name, given, flags, want } of rows) {
  test(`planTraffic: ${name}`, () => {
    const plan = (): TrafficTarget[] => planTraffic(given, { ...none, ...flags }, "hello");
    if (want instanceof RegExp) assert.throws(plan, (error) => error instanceof CliError && want.test(error.message));
    else assert.deepEqual(plan(), want);
  });
}
