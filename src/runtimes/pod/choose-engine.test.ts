// Which runtime a pod gets, on each kind of machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuntimeName } from "../engine.ts";
import { chooseEngine } from "./choose-engine.ts";

const ALL = ["process", "sandbox", "container"] as const;
const rows: readonly {
  readonly name: string;
  readonly recorded?: string;
  readonly asked?: string;
  readonly available?: readonly RuntimeName[];
  readonly hostBuilt?: boolean;
  readonly want: string | RegExp;
}[] = [
  { name: "a folder of the host is a process", hostBuilt: true, want: "process" },
  { name: "an image goes to the daemon", want: "container" },
  { name: "an image without a daemon goes to a sandbox", available: ["process", "sandbox"], want: "sandbox" },
  { name: "where there is nothing else, it is a process", available: ["process"], want: "process" },
  { name: "who asks is given it", asked: "sandbox", hostBuilt: true, want: "sandbox" },
  { name: "what ran it before runs it again", recorded: "process", asked: "container", want: "process" },
  {
    name: "what ran it before and is gone",
    recorded: "container",
    available: ["process"],
    want: /does not have the runtime "container": it needs the socket of Docker/,
  },
  { name: "a runtime that this machine has not", asked: "sandbox", available: ["process"], want: /does not have the runtime "sandbox": it needs Linux/ },
  {
    name: "a runtime that nobody knows",
    asked: "gvisor",
    want: /^runtimeclass\.node\.k8s\.io "gvisor" not found; runtimes here are process, sandbox, container$/,
  },
];
for (const { name, recorded, asked, available = ALL, hostBuilt = false, want } of rows) {
  test(`chooseEngine: ${name}`, () => {
    const answer = chooseEngine({ recorded, spec: asked === undefined ? {} : { runtimeClassName: asked }, available, hostBuilt });
    if (typeof want === "string") assert.deepEqual(answer, { runtime: want });
    else assert.match("complaint" in answer ? answer.complaint : "", want);
  });
}
