import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setFrozen } from "./freezer.ts";

const rows = [
  {
    name: "version 1 has a hierarchy for it",
    cgroup: "6:freezer:/libpod_parent/libpod-c1\n0::/libpod_parent/libpod-c1\n",
    file: "freezer/libpod_parent/libpod-c1/freezer.state",
    want: ["FROZEN", "THAWED"],
  },
  {
    name: "version 2 has a file in each group",
    cgroup: "0::/machine.slice/libpod-c1.scope\n",
    file: "machine.slice/libpod-c1.scope/cgroup.freeze",
    want: ["1", "0"],
  },
  { name: "a group that is not the container's own is left alone", cgroup: "0::/user.slice\n", file: "user.slice/cgroup.freeze", want: ["", ""] },
  { name: "the group of another container is left alone", cgroup: "6:freezer:/libpod-c2\n", file: "freezer/libpod-c2/freezer.state", want: ["", ""] },
];
for (const { name, cgroup, file, want } of rows)
  test(`setFrozen: ${name}`, (t) => {
    const root = mkdtempSync(join(tmpdir(), "eider-freezer-"));
    t.after(() => rmSync(root, { recursive: true, force: true }));
    const [proc, groups] = [join(root, "proc"), join(root, "groups")];
    mkdirSync(join(proc, "7"), { recursive: true });
    writeFileSync(join(proc, "7", "cgroup"), cgroup);
    mkdirSync(join(groups, file, ".."), { recursive: true });
    writeFileSync(join(groups, file), "");
    const written = [true, false].map((frozen) => {
      assert.equal(setFrozen({ pid: 7, dockerId: "c1" }, frozen, { proc, groups }), want[0] !== "");
      return readFileSync(join(groups, file), "utf8");
    });
    assert.deepEqual(written, want);
    assert.equal(setFrozen({ pid: 8, dockerId: "c1" }, true, { proc, groups }), false, "it has ended");
  });
