// What every transport must do, seen through a Client; each transport's test calls this with a way to reach a server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import type { Kind, KubeObject } from "#schema";
import { createClient } from "./client.ts";
import { endsInitialEvents, type ApplyOptions, type Client, type Transport, type WatchEvent } from "./port.ts";

export interface ConfigMapLike extends KubeObject {
  data?: Record<string, string>;
}

/** A server that serves core/v1 ConfigMaps in an existing namespace; `close` releases everything. */
export interface ContractServer {
  readonly transport: Transport;
  readonly kind: Kind<ConfigMapLike>;
  readonly namespace: string;
  close(): Promise<void>;
}

/** The case that a server without managed fields lacks. */
export const APPLY = "apply makes what is missing, owns what it names, and takes over by force only";

type Body = (client: Client, server: ContractServer) => Promise<void>;

const draft = (server: ContractServer, name: string, data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: server.namespace, labels: { suite: name } },
  data,
});

async function collect(events: AsyncIterable<WatchEvent<ConfigMapLike>>, count: number, stop: AbortController): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) {
    if (event.type === "BOOKMARK") continue;
    seen.push(`${event.type} ${event.object.metadata.name} ${event.object.data?.a ?? ""}`);
    if (seen.length === count) {
      stop.abort();
      break;
    }
  }
  return seen;
}

const rejects =
  (reason: Parameters<typeof isReason>[1]) =>
  (error: unknown): boolean =>
    isReason(error, reason);

const CASES: readonly { readonly name: string; readonly body: Body }[] = [
  {
    name: "what was created is read back, found and listed by label",
    async body(client, server) {
      const made = await client.create(server.kind, draft(server, "one", { a: "1" }));
      assert.notEqual(made.metadata.uid, "");
      assert.equal(made.kind, "ConfigMap");
      assert.deepEqual((await client.get(server.kind, server.namespace, "one")).data, { a: "1" });
      const list = await client.list(server.kind, { namespace: server.namespace, labelSelector: "suite=one" });
      assert.deepEqual(
        list.items.map((item) => [item.apiVersion, item.kind, item.metadata.name]),
        [["v1", "ConfigMap", "one"]],
      );
      assert.notEqual(list.resourceVersion, "");
    },
  },
  {
    name: "absence is NotFound for get and undefined for find",
    async body(client, server) {
      await assert.rejects(client.get(server.kind, server.namespace, "nobody"), rejects("NotFound"));
      assert.equal(await client.find(server.kind, server.namespace, "nobody"), undefined);
    },
  },
  {
    name: "a second creation is AlreadyExists and a stale update is Conflict",
    async body(client, server) {
      const first = await client.create(server.kind, draft(server, "twice", { a: "1" }));
      await assert.rejects(client.create(server.kind, draft(server, "twice", {})), rejects("AlreadyExists"));
      await client.update(server.kind, { ...first, data: { a: "2" } });
      await assert.rejects(client.update(server.kind, { ...first, data: { a: "3" } }), rejects("Conflict"));
    },
  },
  {
    name: "a merge patch changes its members and a deletion with another uid is refused",
    async body(client, server) {
      await client.create(server.kind, draft(server, "patched", { a: "1", b: "1" }));
      const patched = await client.patch(
        server.kind,
        { namespace: server.namespace, name: "patched" },
        { type: "application/merge-patch+json", body: { data: { b: "2" } } },
      );
      assert.deepEqual(patched.data, { a: "1", b: "2" });
      await assert.rejects(
        client.delete(server.kind, { namespace: server.namespace, name: "patched" }, { preconditions: { uid: "other" } }),
        rejects("Conflict"),
      );
      await client.delete(server.kind, { namespace: server.namespace, name: "patched" }, { preconditions: { uid: patched.metadata.uid } });
      assert.equal(await client.find(server.kind, server.namespace, "patched"), undefined);
    },
  },
  {
    name: "lists come in pages",
    async body(client, server) {
      for (const name of ["p1", "p2", "p3"]) await client.create(server.kind, draft(server, name, {}));
      const first = await client.list(server.kind, { namespace: server.namespace, limit: 2 });
      assert.equal(first.items.length, 2);
      assert.notEqual(first.continue, undefined);
      const second = await client.list(server.kind, {
        namespace: server.namespace,
        limit: 2,
        ...(first.continue === undefined ? {} : { continue: first.continue }),
      });
      assert.ok(second.items.length >= 1);
    },
  },
  {
    name: "a watch tells everything after the list, and ends quietly when its signal aborts",
    async body(client, server) {
      const { resourceVersion } = await client.list(server.kind, { namespace: server.namespace });
      const made = await client.create(server.kind, draft(server, "watched", { a: "1" }));
      const stop = new AbortController();
      const seen = collect(client.watch(server.kind, { namespace: server.namespace, labelSelector: "suite=watched", resourceVersion }, stop.signal), 3, stop);
      await new Promise((resolve) => setImmediate(resolve));
      const changed = await client.update(server.kind, { ...made, data: { a: "2" } });
      await client.delete(server.kind, { namespace: server.namespace, name: changed.metadata.name });
      const events = await seen;
      assert.equal(events.at(-1), "DELETED watched 2");
      assert.match(events[0] ?? "", /^(ADDED|MODIFIED) watched [12]$/);
    },
  },
  {
    name: "a streaming list tells what exists, ends it with a bookmark, and goes on as a watch",
    async body(client, server) {
      for (const name of ["s1", "s2"]) await client.create(server.kind, draft(server, name, { a: "1" }));
      const stop = new AbortController();
      const seen: string[] = [];
      for await (const event of client.watch(server.kind, { namespace: server.namespace, initialEvents: true }, stop.signal)) {
        const { name, resourceVersion } = event.object.metadata;
        if (endsInitialEvents(event)) {
          assert.match(resourceVersion, /^[1-9]\d*$/);
          seen.push("end");
          await client.delete(server.kind, { namespace: server.namespace, name: "s1" });
        } else if (name.startsWith("s")) seen.push(`${event.type} ${name}`);
        if (event.type === "DELETED") stop.abort();
      }
      assert.deepEqual(seen, ["ADDED s1", "ADDED s2", "end", "DELETED s1"]);
    },
  },
  {
    name: "a watch that goes on where another ended repeats nothing and leaves nothing out",
    async body(client, server) {
      const { resourceVersion } = await client.list(server.kind, { namespace: server.namespace });
      const made = await client.create(server.kind, draft(server, "resumed", { a: "1" }));
      const changed = await client.update(server.kind, { ...made, data: { a: "2" } });
      await client.update(server.kind, { ...changed, data: { a: "3" } });
      const query = { namespace: server.namespace, labelSelector: "suite=resumed" };
      const first = new AbortController();
      const before = await collect(client.watch(server.kind, { ...query, resourceVersion }, first.signal), 2, first);
      const second = new AbortController();
      const after = await collect(client.watch(server.kind, { ...query, resourceVersion: changed.metadata.resourceVersion }, second.signal), 1, second);
      assert.deepEqual([...before, ...after], ["ADDED resumed 1", "MODIFIED resumed 2", "MODIFIED resumed 3"]);
    },
  },
  {
    name: APPLY,
    async body(client, server) {
      const ours = { fieldManager: "ours" };
      const applied = async (data: Record<string, string>, options: ApplyOptions): Promise<Record<string, string>> => {
        const object = await client.apply(server.kind, draft(server, "applied", data), options);
        return { ...object.data };
      };
      assert.deepEqual(await applied({ a: "1", b: "1" }, ours), { a: "1", b: "1" });
      assert.deepEqual(await applied({ a: "1" }, ours), { a: "1" });
      await assert.rejects(applied({ a: "2" }, { fieldManager: "theirs" }), rejects("Conflict"));
      assert.deepEqual(await applied({ a: "2" }, { fieldManager: "theirs", force: true }), { a: "2" });
    },
  },
];

/** Registers the tests; every case gets a server of its own. `lacks` says why a server cannot pass a case, by its name, or any at all. */
export function clientContract(name: string, open: () => Promise<ContractServer>, lacks: Readonly<Record<string, string>> | string = {}): void {
  for (const { name: sentence, body } of CASES) {
    test(`${name}: ${sentence}`, { skip: typeof lacks === "string" ? lacks : (lacks[sentence] ?? false) }, async () => {
      const server = await open();
      try {
        await body(createClient(server.transport), server);
      } finally {
        await server.close();
      }
    });
  }
}
