// What happens to an object because of its owners and dependents.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetaRow } from "#client";
import { planGarbage, type OwnerState } from "./plan.ts";

const owner = (uid: string, blockOwnerDeletion = true) => ({ apiVersion: "v1", kind: "Owner", name: uid, uid, blockOwnerDeletion });
const row = (uid: string, over: Partial<MetaRow> = {}): MetaRow => ({ namespace: "default", name: uid, uid, resourceVersion: "1", ...over });
const owners = (...states: OwnerState[]) => states.map((state, at) => ({ reference: owner(`o${at}`), state }));
const deleted = { deletionTimestamp: "2026-01-01T00:00:00Z" };

const table = [
  { name: "with an owner it stays", given: { row: row("x"), dependents: [], owners: owners("present") }, want: [] },
  {
    name: "without any owner left it goes in the background",
    given: { row: row("x"), dependents: [row("y")], owners: owners("absent", "absent") },
    want: ["delete x Background"],
  },
  {
    name: "a policy that was chosen before is kept",
    given: { row: row("x", { finalizers: ["orphan"] }), dependents: [], owners: owners("absent") },
    want: ["delete x Orphan"],
  },
  {
    name: "with another owner it only loses the one that went",
    given: { row: row("x"), dependents: [], owners: owners("absent", "present") },
    want: ["disown x o0"],
  },
  {
    name: "an owner that waits takes dependents of dependents along first",
    given: { row: row("x"), dependents: [row("y")], owners: owners("waiting") },
    want: ["delete x Foreground"],
  },
  {
    name: "foreground: waits for blocking dependents",
    given: { row: row("x", { ...deleted, finalizers: ["foregroundDeletion"] }), dependents: [row("y", { owners: [owner("x")] })], owners: [] },
    want: [],
  },
  {
    name: "foreground: does not wait for others",
    given: { row: row("x", { ...deleted, finalizers: ["foregroundDeletion"] }), dependents: [row("y", { owners: [owner("x", false)] })], owners: [] },
    want: ["removeFinalizer x foregroundDeletion"],
  },
  {
    name: "orphan: releases dependents, then goes",
    given: { row: row("x", { ...deleted, finalizers: ["orphan"] }), dependents: [row("y"), row("z")], owners: [] },
    want: ["disown y x", "disown z x", "removeFinalizer x orphan"],
  },
  { name: "what others hold is left alone", given: { row: row("x", { ...deleted, finalizers: ["theirs"] }), dependents: [], owners: [] }, want: [] },
];
for (const { name, given, want } of table) {
  test(`planGarbage: ${name}`, () => {
    const actions = planGarbage(given).map((action) =>
      [action.do, action.row.name, action.do === "delete" ? action.policy : action.do === "disown" ? action.uids.join() : action.finalizer].join(" "),
    );
    assert.deepEqual(actions, want);
  });
}
