// A status against an object that changed meanwhile: only the spec, the status too, or not the same object any more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { conflict, isReason } from "#core";
import type { Client } from "#client";
import type { Kind, KubeObject } from "#schema";
import { applyStatus } from "./apply-status.ts";

interface Thing extends KubeObject {
  spec: { size: number };
  status?: { size: number };
}

const observed: Thing = {
  apiVersion: "test.dev/v1",
  kind: "Thing",
  metadata: { name: "a", namespace: "default", uid: "u1", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { size: 1 },
  status: { size: 0 },
};
const meta = (change: Partial<Thing["metadata"]>): Thing["metadata"] => ({ ...observed.metadata, resourceVersion: "2", ...change });

const rows: readonly { readonly name: string; readonly fresh: Thing | undefined; readonly written: boolean }[] = [
  { name: "a changed spec: written on top of it", fresh: { ...observed, metadata: meta({}), spec: { size: 2 } }, written: true },
  { name: "a status of somebody else: observed again", fresh: { ...observed, metadata: meta({}), status: { size: 9 } }, written: false },
  { name: "another object of that name: observed again", fresh: { ...observed, metadata: meta({ uid: "u2" }) }, written: false },
  { name: "gone: observed again", fresh: undefined, written: false },
];

for (const { name, fresh, written } of rows) {
  test(`applyStatus: ${name}`, async () => {
    const writes: KubeObject[] = [];
    const client = {
      find: () => Promise.resolve(fresh),
      updateStatus(_kind: Kind, object: KubeObject) {
        if (object.metadata.resourceVersion !== fresh?.metadata.resourceVersion) {
          return Promise.reject(conflict({ group: "test.dev", resource: "things" }, "a"));
        }
        writes.push(object);
        return Promise.resolve(object);
      },
    } as unknown as Client;
    const applied = applyStatus({ client, kind: {} as Kind, primary: observed, status: { size: 1 }, wallMs: 0 });
    if (!written) {
      await assert.rejects(applied, (error) => isReason(error, "Conflict"));
      return assert.deepEqual(writes, []);
    }
    assert.equal(await applied, true);
    assert.deepEqual(writes, [{ ...fresh, status: { size: 1 } }]);
  });
}
