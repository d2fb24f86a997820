// The real kn 1.23 against a running platform: the commands of golden/serving/scenarios/kn-*.json, and the lists.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, findProgram, Platform, root, type Ran } from "./platform.ts";

const needsKn = { skip: findProgram("kn", "KN") === undefined ? "kn is not there: set KN to its path" : false };
let platform: Platform;

before(async () => {
  if (needsKn.skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", "dev.local/hello:v1");
  assert.equal(built.code, 0, built.stderr);
  const crash = await platform.eider("build", join(root, "test/e2e/apps/crash"), "--image", "dev.local/crash-1:v1");
  assert.equal(crash.code, 0, crash.stderr);
});
after(async () => {
  await platform?.stop();
});

/** Output without what differs from run to run: progress lines with their times, the port. */
function steady({ stdout }: Ran): string {
  return stdout
    .split("\n")
    .filter((line) => !/^ +\d+\.\d+s /.test(line))
    .join("\n")
    .replaceAll(new URL(platform.state.http).port, "PORT")
    .replaceAll(/\(\d+s\)/g, "(AGE)");
}

const progress = ({ stdout }: Ran): string[] => [...stdout.matchAll(/^ +\d+\.\d+s (.*)$/gm)].map((match) => match[1] ?? "");
const kn = (...args: readonly string[]): Promise<Ran> => platform.kn(...args);
const URL_LINE = "http://hello.default.localhost:PORT\n";
const UPDATING = "Updating Service 'hello' in namespace 'default':\n\n\n";
/** Columns of a table, without ages. */
const rows = (text: string): string[][] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) =>
      line
        .trimEnd()
        .split(/ {2,}/)
        .filter((cell) => !/^\d+s$/.test(cell)),
    );

test("service create: kn's lines, progress and URL", needsKn, async () => {
  const made = await kn("service", "create", "hello", "--image", "dev.local/hello:v1", "--env", "A=1", "--port", "8080");
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stderr, /^Warning: Kubernetes default value is insecure, /);
  assert.equal(
    steady(made),
    `Creating service 'hello' in namespace 'default':\n\n\nService 'hello' created to latest revision 'hello-00001' is available at URL:\n${URL_LINE}`,
  );
  assert.equal(progress(made).at(-1), "Ready to serve.");
  const again = await kn("service", "create", "hello", "--image", "dev.local/hello:v1");
  assert.equal(again.code, 1);
  assert.match(again.stderr, /cannot create service 'hello' in namespace 'default' because the service already exists and no --force option was given/);
});

const updates: readonly { readonly name: string; readonly args: readonly string[]; readonly says: string }[] = [
  { name: "a new revision", args: ["--env", "A=2", "--annotation", "x=y"], says: "updated to latest revision 'hello-00002'" },
  { name: "--traffic", args: ["--traffic", "hello-00001=30,@latest=70"], says: "with latest revision 'hello-00002' (unchanged)" },
  { name: "--tag", args: ["--tag", "hello-00001=old,@latest=new"], says: "with latest revision 'hello-00002' (unchanged)" },
  { name: "--untag", args: ["--untag", "old"], says: "with latest revision 'hello-00002' (unchanged)" },
];
for (const { name, args, says } of updates) {
  test(`service update: ${name}`, needsKn, async () => {
    const updated = await kn("service", "update", "hello", ...args);
    assert.equal(updated.code, 0, updated.stderr);
    assert.equal(steady(updated), `${UPDATING}Service 'hello' ${says} is available at URL:\n${URL_LINE}`);
    assert.equal(progress(updated).at(-1), "Ready to serve.");
  });
}

test("the shares and tags that kn set are what requests get", needsKn, async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => platform.request("hello.default.localhost", "/revision")));
  const first = answers.filter(({ body }) => body === "hello-00001\n").length;
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok(first > 10 && first < 50, `${first} of 100 went to the revision with 30 %`);
  assert.equal((await platform.request("new-hello.default.localhost", "/revision")).body, "hello-00002\n");
});

test("service list, describe, revision list, route list", needsKn, async () => {
  const port = new URL(platform.state.http).port;
  const url = `http://hello.default.localhost:${port}`;
  assert.deepEqual(rows((await kn("service", "list")).stdout), [
    ["NAME", "URL", "LATEST", "AGE", "CONDITIONS", "READY", "REASON"],
    ["hello", url, "hello-00002", "3 OK / 3", "True"],
  ]);
  assert.deepEqual(rows((await kn("revision", "list")).stdout), [
    ["NAME", "SERVICE", "TRAFFIC", "TAGS", "GENERATION", "AGE", "CONDITIONS", "READY", "REASON"],
    ["hello-00002", "hello", "70%", "new", "2", "4 OK / 4", "True"],
    ["hello-00001", "hello", "30%", "1", "4 OK / 4", "True"],
  ]);
  assert.deepEqual(rows((await kn("route", "list")).stdout), [
    ["NAME", "URL", "READY"],
    ["hello", url, "True"],
  ]);
  assert.equal((await kn("service", "describe", "hello", "-o", "url")).stdout, `${url}\n`);
  const described = (await kn("service", "describe", "hello")).stdout;
  for (const part of [/^Name: +hello$/m, /70% +@latest \(hello-00002\) #new \[2\]/, /30% +hello-00001 \[1\]/, /\+\+ Ready /, /\+\+ RoutesReady /])
    assert.match(described, part);
  for (const args of [
    ["revision", "describe", "hello-00002"],
    ["route", "describe", "hello"],
    ["service", "list", "-A"],
    ["service", "describe", "hello", "-o", "yaml"],
  ]) {
    assert.equal((await kn(...args)).code, 0, args.join(" "));
  }
});

test("service apply: from a file, unchanged, changed", needsKn, async () => {
  const file = join(platform.data, "applied.yaml");
  const write = (value: string): void =>
    writeFileSync(
      file,
      `apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: applied}\nspec: {template: {spec: {containers: [{image: "dev.local/hello:v1", env: [{name: A, value: "${value}"}]}]}}}\n`,
    );
  write("1");
  const made = await kn("service", "apply", "-f", file);
  assert.match(
    steady(made),
    /Service 'applied' applied to latest revision 'applied-00001' is available at URL:|Service 'applied' created to latest revision 'applied-00001' is available at URL:/,
    made.stderr,
  );
  const same = await kn("service", "apply", "-f", file);
  assert.match(same.stdout, /No changes to apply to service 'applied'\./, same.stderr);
  write("2");
  const changed = await kn("service", "apply", "-f", file);
  assert.match(steady(changed), /latest revision 'applied-00002' is available at URL:/, changed.stderr);
  assert.equal((await kn("service", "delete", "applied", "--wait")).code, 0);
});

test("a program that fails: kn ends with the program's last words and exit code 1", needsKn, async () => {
  const failed = await kn("service", "create", "broken", "--image", "dev.local/crash-1:v1", "--wait-timeout", "8");
  assert.equal(failed.code, 1);
  assert.match(
    failed.stderr,
    /Error: RevisionFailed: Revision "broken-00001" failed with message: Container failed with: boom from the user container\.\n?\.?\nRun 'kn --help' for usage\n/,
  );
  assert.equal((await kn("service", "delete", "broken")).stdout, "Service 'broken' successfully deleted in namespace 'default'.\n");
});

test("service delete --wait leaves nothing of the Service", needsKn, async () => {
  const gone = await kn("service", "delete", "hello", "--wait");
  assert.deepEqual([gone.code, gone.stdout], [0, "Service 'hello' successfully deleted in namespace 'default'.\n"]);
  assert.equal((await kn("service", "list")).stdout.trim(), "No services found.");
  await eventually("no revision is left", async () => (await kn("revision", "list")).stdout.trim() === "No revisions found.");
  assert.match((await kn("service", "delete", "hello")).stderr, /services.serving.knative.dev "hello" not found/);
});
