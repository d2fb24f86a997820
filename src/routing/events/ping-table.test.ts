// PingSources as batches for the events thread.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PingSource } from "#kinds";
import { PingTable } from "./ping-table.ts";

interface Over {
  readonly generation?: number;
  readonly uid?: string;
  readonly spec?: object;
  readonly status?: object;
  readonly annotations?: Record<string, string>;
}
const source = ({ generation = 1, uid = "u", spec = {}, status = { sinkUri: "http://sink/" }, annotations = {} }: Over = {}): PingSource =>
  ({
    metadata: { namespace: "ns", name: "p", uid, generation, annotations },
    spec: { schedule: "CRON_TZ=Europe/Berlin 0 1 * * *", ...spec },
    status,
  }) as unknown as PingSource;

test("a source is told once its sink is known, with its zone apart and its data as octets", () => {
  const table = new PingTable();
  table.upsert(source({ status: {} }));
  assert.deepEqual([table.isEmpty, table.flush()], [true, undefined]);
  const spec = { dataBase64: "aGk=", contentType: "text/plain", ceOverrides: { extensions: { a: "b" } } };
  table.upsert(source({ spec, annotations: { "eider.dev/missed-runs": "all" }, status: { sinkUri: "http://sink/", sinkCACerts: "PEM" } }));
  assert.deepEqual(table.flush()?.put, [
    {
      id: "u",
      namespace: "ns",
      name: "p",
      version: 1,
      schedule: "0 1 * * *",
      timezone: "Europe/Berlin",
      missed: "all",
      overrides: { a: "b" },
      contentType: "text/plain",
      data: Buffer.from("hi"),
      target: { url: "http://sink/", caCerts: "PEM" },
    },
  ]);
  assert.equal(table.flush(), undefined);
});

test("it is in force once its batch is acknowledged, until the thread is gone", () => {
  const table = new PingTable();
  table.upsert(source());
  const first = table.flush();
  assert.equal(table.standing("ns/p"), undefined);
  assert.deepEqual(table.acknowledged(first?.generation ?? 0), ["ns/p"]);
  assert.deepEqual(table.standing("ns/p"), { uid: "u", generation: 1, subscriberUri: "http://sink/" });
  table.upsert(source({ generation: 2 }));
  assert.equal(table.standing("ns/p"), undefined);
  assert.deepEqual(table.acknowledged(table.flush()?.generation ?? 0), ["ns/p"]);
  assert.deepEqual(table.threadStopped(), ["ns/p"]);
  assert.equal(table.standing("ns/p"), undefined);
  const again = table.threadStarted();
  assert.deepEqual([again.reset, again.put.length], [true, 1]);
  assert.deepEqual(table.acknowledged(again.generation), ["ns/p"]);
});

test("what changes nothing is not told; what goes, or comes again as another one, is removed", () => {
  const table = new PingTable();
  table.upsert(source());
  table.flush();
  table.upsert(source());
  assert.equal(table.flush(), undefined);
  table.upsert(source({ uid: "v" }));
  const { put = [], removed = [] } = table.flush() ?? {};
  assert.deepEqual([put.map(({ id }) => id), removed], [["v"], ["u"]]);
  table.remove("ns/p");
  table.remove("ns/other");
  assert.deepEqual([table.flush()?.removed, table.isEmpty], [["v"], true]);
});
