// Networks made ahead, and a list of them that is older than what was done with one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, SimClock } from "#core";
import type { ContainerState } from "./pod-network.ts";
import { SpareNetworks } from "./spare-networks.ts";

type Listed = readonly { readonly id: string; readonly isRunning: boolean }[];

function world() {
  const clock = new SimClock();
  const over = new AbortController();
  const filled = Promise.withResolvers<void>();
  const removed: string[] = [];
  const lists: ((all: Listed) => void)[] = [];
  let asked = Promise.withResolvers<void>();
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
      list: () =>
        new Promise((resolve) => {
          lists.push(resolve);
          asked.resolve();
          asked = Promise.withResolvers();
        }),
      inspect: async (id) => running(id),
      rename: async () => undefined,
      remove: async (id) => void removed.push(id),
    },
    over.signal,
  );
  const taken = async (count: number): Promise<readonly (string | undefined)[]> => {
    const ids: (string | undefined)[] = [];
    for (let index = 0; index < count; index++) ids.push((await spares.take(`pod${index}`))?.Id);
    return ids;
  };
  return { clock, over, spares, removed, lists, asked: () => asked.promise, filled: filled.promise, taken };
}

const listed = (...ids: readonly string[]): Listed => ids.map((id) => ({ id, isRunning: !id.startsWith("dead") }));

test("one that a pod takes while all are listed is not given to another pod, nor removed", async () => {
  const { spares, lists, clock, asked, filled, taken, removed, over } = world();
  const tidied = spares.tidy();
  lists[0]?.(listed("a"));
  await tidied;
  spares.refill();
  const again = asked();
  await clock.advance(1_000);
  await again;
  assert.deepEqual(await taken(1), ["a"]);
  lists[1]?.(listed("a"));
  await filled;
  assert.deepEqual([await taken(2), removed], [["made1", "made2"], []]);
  over.abort();
});

test("what an earlier platform left is taken up as far as there is room, the rest removed; who fills waits for that", async () => {
  const { spares, lists, clock, taken, removed, over } = world();
  const tidied = spares.tidy();
  spares.refill();
  await clock.advance(1_000);
  assert.equal(lists.length, 1);
  lists[0]?.(listed("a", "dead", "b", "c"));
  await tidied;
  assert.deepEqual(
    [removed, await taken(3)],
    [
      ["dead", "c"],
      ["a", "b", undefined],
    ],
  );
  over.abort();
});
