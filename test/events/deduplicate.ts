// Lives of a channel that remembers what it took, on a disk that loses what was not synced: no event is stored twice, none that was
// acknowledged is missing, wherever the power goes.
import assert from "node:assert/strict";
import { below, SeededRng, silentLogger, SimClock } from "#core";
import { LogError, openLog, type Log, type Stream } from "#log";
import { Intakes } from "../../src/events/ingress/intakes.ts";
import { takeEvents, type Intake } from "../../src/events/ingress/take-events.ts";
import type { EventStream } from "#protocol";
import type { StoredEvent } from "../../src/events/stored-event.ts";
import { SimDisk } from "../log/sim-disk.ts";

export const CHANNEL: EventStream = { id: "c", kind: "Channel", namespace: "ns", name: "c", version: 1, deduplicateMs: 3_600_000 };

export function event(id: string, source = "/s"): StoredEvent {
  return { form: "binary", attributes: new Map(Object.entries({ specversion: "1.0", id, source, type: "t" })), headers: {} };
}

/** Ids in the log, in order. */
export async function idsIn(stream: Stream): Promise<string[]> {
  const { found } = await stream.search({ limit: 1_000 }, new AbortController().signal);
  return found.map(({ keys }) => keys.find((key) => key.startsWith("id="))?.slice(3) ?? "");
}

const LIVES = 4;
const STEPS = 12;
const IDS = 12;

/** How the channel takes events; a fault can be planted here. */
export type Open = (log: Log, stream: Stream, clock: SimClock) => Intake;

export const open: Open = (log, stream, clock) => new Intakes({ log, clock, logger: silentLogger }).of(CHANNEL, stream);

/** Throws at the first promise that does not hold. */
export async function live(seed: number, made: Open = open): Promise<void> {
  const rng = new SeededRng(seed);
  const clock = new SimClock();
  const acknowledged = new Set<string>();
  let disk = new SimDisk(rng);
  for (let life = 0; life < LIVES; life++) {
    const until = <T>(promise: Promise<T>): Promise<T | undefined> => Promise.race([promise, disk.off.then(() => undefined)]);
    const log = await openLog({ disk, clock, logger: silentLogger, limits: { segmentBytes: 4_096, allocateBytes: 512, recentBytes: 1_024 } });
    const stream = await log.stream("c");
    await verify(stream, acknowledged);
    const intake = made(log, stream, clock);
    disk.faults = { cutAt: disk.operations + 1 + below(rng, 40), ...(below(rng, 3) === 0 ? { failOneIn: 4 } : {}) };
    const waiting: Promise<unknown>[] = [];
    for (let step = 0; step < STEPS && !disk.isOff; step++) {
      const ids = Array.from({ length: below(rng, 3) === 0 ? 3 : 1 }, () => String(below(rng, IDS)));
      const taken = takeEvents(intake, { events: ids.map((id) => event(id)) }, clock).then(
        () => ids.forEach((id) => acknowledged.add(id)),
        (error: unknown) => assert.ok(error instanceof LogError),
      );
      waiting.push(taken);
      // Some come while others wait, and a producer that was answered goes on.
      if (below(rng, 2) === 0) await until(taken);
    }
    await until(Promise.all(waiting));
    disk.cutNow();
    disk = disk.afterCut();
  }
  const log = await openLog({ disk, clock, logger: silentLogger });
  await verify(await log.stream("c"), acknowledged);
  await log.close();
}

async function verify(stream: Stream, acknowledged: ReadonlySet<string>): Promise<void> {
  const ids = await idsIn(stream);
  assert.equal(new Set(ids).size, ids.length, `an event is there twice: ${ids.join(" ")}`);
  for (const id of acknowledged) assert.ok(ids.includes(id), `event ${id} was acknowledged and is lost`);
}
