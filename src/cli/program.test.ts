// Tests of whole command lines against contexts that refuse to act.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { CliContext } from "./context.ts";
import { EXIT } from "./exit.ts";
import { runCli } from "./program.ts";

/** Everything that would leave the process is written down and fails. */
function contextFor(argv: readonly string[]) {
  const acts: string[] = [];
  const errors: string[] = [];
  const said: string[] = [];
  const act = (name: string) => async (): Promise<never> => {
    acts.push(name);
    throw new Error(`${name} was called`);
  };
  const context: CliContext = {
    argv,
    out: (text) => void said.push(text),
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
  return { context, acts, errors, said };
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

/** What `--help` says behind some words. */
async function helpOf(words: readonly string[]): Promise<string> {
  const { context, acts, errors, said } = contextFor([...words, "--help"]);
  assert.deepEqual([await runCli(context), acts, errors], [EXIT.ok, [], []], words.join(" "));
  return said.join("");
}

/** The commands that a help lists, without the one for help itself. */
function listedIn(help: string): string[] {
  const [, list = ""] = help.split("\nCommands:\n");
  const names = [...(list.split("\n\n")[0] ?? "").matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name = ""]) => name);
  return names.filter((name) => name !== "help");
}

test("--help of every command, found by the helps above it, says how it is used", async () => {
  const found: string[] = [];
  const look = async (words: readonly string[]): Promise<void> => {
    const help = await helpOf(words);
    // A command with a second name is shown with both.
    assert.ok(help.replace(/\|[\w-]+/, "").startsWith(`Usage: ${["eider", ...words].join(" ")} `), help);
    assert.match(help, /^ {2}-h, --help +\S/m);
    found.push(words.join(" "));
    for (const name of listedIn(help)) await look([...words, name]);
  };
  await look([]);
  for (const known of ["up", "down", "status", "build", "deploy", "logs", "controllers", "service create", "service update", "service apply"])
    assert.ok(found.includes(known), known);
  for (const known of ["revision list", "route list", "explain scale", "simulate scale", "event send"]) assert.ok(found.includes(known), known);
});
