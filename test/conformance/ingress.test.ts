// Knative's own conformance suite for ingresses, unmodified, against `eider up`. KNATIVE_SUITES is a folder that holds it as `ingress`, with its
// images' programs in `images/`. Pods of the process runtime share the machine's names: the suite gets a machine of its own, whose /etc/hosts
// holds the names that a cluster's DNS would tell (issue "networking" brings names to pods).
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PRIVATE_GATEWAY, PUBLIC_GATEWAY } from "#controllers";
import { differences, resultsOf, type Expectations } from "./judge.ts";
import { noOwnMachine, onOwnMachine } from "./own-machine.ts";

const suites = process.env["KNATIVE_SUITES"];
const isThere = suites !== undefined && existsSync(join(suites, "ingress")) && existsSync(join(suites, "images/runtime"));
const skip = isThere ? (noOwnMachine() ?? false) : "KNATIVE_SUITES does not name a folder with Knative's ingress suite and its images";
const expectations = JSON.parse(readFileSync(new URL("expectations/ingress.json", import.meta.url), "utf8")) as Expectations;

test("Knative's ingress conformance suite: all HTTP/1 tests pass", { skip }, async (t) => {
  const names = { [PRIVATE_GATEWAY]: "127.0.0.1", [PUBLIC_GATEWAY]: "127.0.0.1" };
  const program = join(import.meta.dirname, "run-ingress.ts");
  const { stdout, stderr } = await onOwnMachine(names, [process.execPath, "--conditions=source", program, suites ?? ""]);
  const differing = differences(resultsOf(stdout, "TestIngressConformance"), expectations);
  if (differing.length > 0) t.diagnostic(`${stdout}\n${stderr}`.slice(-100_000));
  assert.deepEqual(differing, []);
});
