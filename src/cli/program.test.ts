// Tests of whole command lines against contexts that refuse to act.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { CliContext } from "./context.ts";
import { EXIT } from "./exit.ts";
import { runCli } from "./program.ts";

/** Everything that would leave the process is written down and fails. */
function contextFor(argv: readonly string[]): { readonly context: CliContext; readonly acts: string[]; readonly errors: string[] } {
  const acts: string[] = [];
  const errors: string[] = [];
  const act = (name: string) => async (): Promise<never> => {
    acts.push(name);
    throw new Error(`${name} was called`);
  };
  const context: CliContext = {
    argv,
    out: () => {},
    err: (text) => void errors.push(text),
    colour: false,
    env: {},
    home: "/home/x",
    clock: new SimClock(),
    version: "0",
    signal: new AbortController().signal,
    describe: () => "",
    exists: () => true,
    readText: act("readText"),
    writeText: act("writeText"),
    newId: () => "id",
    post: act("post"),
    connect: act("connect"),
    up: act("up"),
    controllers: act("controllers"),
    status: act("status"),
    down: act("down"),
    build: act("build"),
    images: () => ({ list: act("images"), remove: act("removeImage"), prune: act("prune") }),
  };
  return { context, acts, errors };
}

for (const words of ["service create x --image y", "service update x --env A=b", "service apply x --image y", "deploy ."]) {
  for (const flag of ["-o xml", "--wait-timeout soon"]) {
    test(`"${words} ${flag}" is refused before anything is done`, async () => {
      const { context, acts, errors } = contextFor(`${words} ${flag}`.split(" "));
      assert.equal(await runCli(context), EXIT.usage, errors.join(""));
      assert.deepEqual(acts, []);
    });
  }
}

for (const flags of ["--webhook-listen 9443", "--webhook-listen 0.0.0.0:9443", "--webhook-listen localhost:99999", "--webhook-url http://10.0.0.5"]) {
  test(`"controllers ${flags}" is refused before anything is done`, async () => {
    const { context, acts, errors } = contextFor(["controllers", ...flags.split(" ")]);
    assert.equal(await runCli(context), EXIT.usage, errors.join(""));
    assert.deepEqual(acts, []);
  });
}

test("controllers without any kubeconfig says where it has looked, and does not take the platform's", async () => {
  const { context, acts, errors } = contextFor(["controllers"]);
  assert.equal(await runCli({ ...context, exists: (path) => path.includes("eider") }), EXIT.usage);
  assert.match(errors.join(""), /no --kubeconfig, no \$KUBECONFIG, and no \/home\/x\/\.kube\/config/);
  assert.deepEqual(acts, []);
});
