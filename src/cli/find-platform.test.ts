// Rows of which platform a command means: --kubeconfig, --data, $KUBECONFIG, default folder, in this order.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CliError } from "./exit.ts";
import { defaultDataDir, findDataDir, findKubeconfig, type Where } from "./find-platform.ts";

const there = new Set(["/k", "/d/kubeconfig", "/d/keeper.lock", "/e/kubeconfig", "/e/keeper.lock", "/home/me/.local/share/eider/kubeconfig"]);
const world = (env: Record<string, string> = {}, exists = (path: string) => there.has(path)) => ({ env, home: "/home/me", exists });

interface Row {
  readonly name: string;
  readonly where: Where;
  readonly env?: Record<string, string>;
  readonly want: string;
}

const kubeconfigs: readonly Row[] = [
  { name: "--kubeconfig before all", where: { kubeconfig: "/k", data: "/d" }, env: { KUBECONFIG: "/e/kubeconfig" }, want: "/k" },
  { name: "--data before $KUBECONFIG", where: { data: "/d" }, env: { KUBECONFIG: "/e/kubeconfig" }, want: "/d/kubeconfig" },
  { name: "$KUBECONFIG before the default", where: {}, env: { KUBECONFIG: ":/e/kubeconfig:/k" }, want: "/e/kubeconfig" },
  { name: "the default folder", where: {}, want: "/home/me/.local/share/eider/kubeconfig" },
];
for (const { name, where, env, want } of kubeconfigs) test(`findKubeconfig: ${name}`, () => assert.equal(findKubeconfig(where, world(env)), want));

const folders: readonly Row[] = [
  { name: "of --kubeconfig", where: { kubeconfig: "/e/kubeconfig", data: "/d" }, want: "/e" },
  { name: "--data when the kubeconfig is a copy", where: { kubeconfig: "/k", data: "/d" }, want: "/d" },
  { name: "--data before $KUBECONFIG", where: { data: "/d" }, env: { KUBECONFIG: "/e/kubeconfig" }, want: "/d" },
  { name: "of $KUBECONFIG", where: {}, env: { KUBECONFIG: "/e/kubeconfig" }, want: "/e" },
  { name: "the default when $KUBECONFIG is another cluster's", where: {}, env: { KUBECONFIG: "/k" }, want: "/home/me/.local/share/eider" },
  { name: "absolute", where: { data: "rel" }, want: `${process.cwd()}/rel` },
];
for (const { name, where, env, want } of folders) test(`findDataDir: ${name}`, () => assert.equal(findDataDir(where, world(env)), want));

const refusals: readonly { readonly name: string; readonly run: () => string; readonly exit: string; readonly says: RegExp }[] = [
  {
    name: "--kubeconfig that is not there",
    run: () => findKubeconfig({ kubeconfig: "/x" }, world()),
    exit: "unreachable",
    says: /--kubeconfig names \/x, which/,
  },
  { name: "--data without a platform", run: () => findKubeconfig({ data: "/x" }, world()), exit: "unreachable", says: /--data names \/x\/kubeconfig/ },
  {
    name: "nothing anywhere",
    run: () =>
      findKubeconfig(
        {},
        world({}, () => false),
      ),
    exit: "unreachable",
    says: /no platform found: .*\/home\/me\/.local\/share\/eider/,
  },
  { name: "a data folder of a foreign kubeconfig", run: () => findDataDir({ kubeconfig: "/k" }, world()), exit: "usage", says: /\/k lies in no data folder/ },
];
for (const { name, run, exit, says } of refusals) {
  test(`an error says what is missing: ${name}`, () => assert.throws(run, (error: CliError) => error.exit === exit && says.test(error.message)));
}

test("XDG_DATA_HOME moves the default folder", () => {
  assert.equal(defaultDataDir(world({ XDG_DATA_HOME: "/xdg" })), "/xdg/eider");
  assert.equal(defaultDataDir(world({ XDG_DATA_HOME: "" })), "/home/me/.local/share/eider");
});
