// Networks made ahead, and a list of them that is older than what was done with one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, SimClock } from "#core";
import type { ContainerState } from "./pod-network.ts";
import { SpareNetworks } from "./spare-networks.ts";

test("one that a pod takes while all are listed is not given to another pod, nor removed", async () => {
  const clock = new SimClock();
  const over = new AbortController();
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const filled = Promise.withResolvers<void>();
  const removed: string[] = [];
  let made = 0;
  const running = (Id: string): ContainerState => ({ Id, State: { Running: true } }) as ContainerState;
  const spares = new SpareNetworks(
    {
      clock,
      logger: silentLogger,
      make: async () => {
        made += 1;
        if (made === 2) filled.resolve();
        return running(`made${made}`);
      },
      async list() {
        asked.resolve();
        await answered.promise;
        return [{ id: "a", isRunning: true }];
      },
      inspect: async (id) => running(id),
      rename: async () => undefined,
      remove: async (id) => void removed.push(id),
    },
    over.signal,
  );
  assert.ok(spares.adopt("a"));
  assert.ok(spares.adopt("a"), "it is known already");
  spares.refill();
  await clock.advance(1_000);
  await asked.promise;
  assert.equal((await spares.take("first"))?.Id, "a");
  answered.resolve();
  await filled.promise;
  assert.deepEqual([(await spares.take("second"))?.Id, (await spares.take("third"))?.Id, removed], ["made1", "made2", []]);
  over.abort();
});
