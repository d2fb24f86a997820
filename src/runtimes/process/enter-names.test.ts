// What a start of a host process goes through to see the cluster's names, and which variables go around the programs on the way.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ProcessSpec } from "#protocol";
import { isThere, throughNames } from "./enter-names.ts";

const VIEW = { namespace: "/proc/7/fd/30", nsenter: "/usr/bin/nsenter", env: "/usr/bin/env", setsFolder: true };
const USER = { uid: 200_001, gid: 200_001 };
interface Row {
  readonly name: string;
  readonly given: Pick<ProcessSpec, "env" | "cwd" | "user" | "through">;
  readonly view: typeof VIEW;
  readonly want: Pick<ProcessSpec, "env" | "through">;
}
const rows: readonly Row[] = [
  {
    name: "one program more, which takes the user on and sets the folder",
    given: { env: { PATH: "/bin", NODE_OPTIONS: "--inspect" }, cwd: "/app", user: USER },
    view: VIEW,
    want: {
      env: { PATH: "/bin", NODE_OPTIONS: "--inspect" },
      through: ["/usr/bin/nsenter", "--mount=/proc/7/fd/30", "--setgid=200001", "--setuid=200001", "--wdns=/app", "--"],
    },
  },
  {
    name: "what steers the loader goes around what runs as root",
    given: { env: { PATH: "/bin", LD_PRELOAD: "/evil.so", GLIBC_TUNABLES: "x=1", GCONV_PATH: "/evil" }, cwd: "/app", user: USER },
    view: VIEW,
    want: {
      env: { PATH: "/bin" },
      through: [
        ...["/usr/bin/nsenter", "--mount=/proc/7/fd/30", "--setgid=200001", "--setuid=200001", "--wdns=/app", "--"],
        ...["/usr/bin/env", "-C", "/app", "--", "LD_PRELOAD=/evil.so", "GLIBC_TUNABLES=x=1", "GCONV_PATH=/evil"],
      ],
    },
  },
  {
    name: "an older nsenter does not know the folder",
    given: { env: { PATH: "/bin" }, cwd: "/app" },
    view: { ...VIEW, setsFolder: false },
    want: { env: { PATH: "/bin" }, through: ["/usr/bin/nsenter", "--mount=/proc/7/fd/30", "--", "/usr/bin/env", "-C", "/app", "--"] },
  },
];
for (const { name, given, view, want } of rows)
  test(`throughNames: ${name}`, () => {
    const { env, through } = throughNames(given, view);
    assert.deepEqual({ env, through }, want);
  });

test("isThere: programs by path, in the folder and on the PATH; none that env takes for a variable", (t) => {
  const cwd = mkdtempSync(join(tmpdir(), "eider-there-"));
  t.after(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, "own"), "", { mode: 0o755 });
  writeFileSync(join(cwd, "a=b"), "", { mode: 0o755 });
  writeFileSync(join(cwd, "text"), "", { mode: 0o644 });
  const at = (program: string, path = "/nowhere"): boolean => isThere({ argv: [program], env: { PATH: path }, cwd });
  assert.deepEqual(
    [at("./own"), at(join(cwd, "own")), at("own"), at("own", cwd), at("./text"), at("./a=b"), at("./none")],
    [true, true, false, true, false, false, false],
  );
  assert.equal(isThere({ argv: ["/bin/sh"], env: {}, cwd: join(cwd, "none") }), false);
});
