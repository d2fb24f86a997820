// The whole path of one event: from the event that came from outside, through deliveries and answers, as far as the log goes.
import type { EventPath, EventStory } from "#protocol";
import type { EventLog } from "../port.ts";
import { attemptsOf } from "./attempt-notes.ts";
import { deliveriesOf } from "./deliveries.ts";
import { loggedEvent, shownData } from "./event-document.ts";
import { findAt, type Found } from "./find.ts";
import type { NodeView } from "./view.ts";

/** Events of one path. */
export const STORY_EVENTS_MAX = 500;
/** As many hops as an event has. */
const CLIMB_MAX = 255;

interface Reading {
  readonly log: Pick<EventLog, "read">;
  readonly view: NodeView;
  readonly signal: AbortSignal;
  left: number;
  cut: boolean;
}

export async function pathOf(log: Pick<EventLog, "read">, view: NodeView, asked: Found, signal: AbortSignal): Promise<EventPath> {
  const reading: Reading = { log, view, signal, left: STORY_EVENTS_MAX, cut: false };
  const root = await storyOf(reading, await rootOf(reading, asked));
  return { asked: asked.record.offset, root, ...(reading.cut ? { cut: true } : {}) };
}

async function rootOf({ log, view }: Reading, from: Found): Promise<Found> {
  let root = from;
  for (let climbed = 0; climbed < CLIMB_MAX; climbed++) {
    const { origin } = loggedEvent(root.record, root.stream.is, root.stored);
    // Answers come behind what they answer.
    const above = origin === undefined || origin >= root.record.offset ? undefined : await findAt(log, view.streams, origin);
    if (above === undefined) break;
    root = above;
  }
  return root;
}

async function storyOf(reading: Reading, { record, stream, stored }: Found): Promise<EventStory> {
  reading.left--;
  const { view, signal } = reading;
  const attempts = await attemptsOf(stream.log, record.offset, signal);
  const subscribers = view.subscribers.filter(({ is }) => is.stream === stream.is.id);
  const deliveries: EventStory["deliveries"][number][] = [];
  for (const delivery of deliveriesOf({ offset: record.offset, stored }, subscribers, attempts)) {
    const replies: EventStory[] = [];
    for (const { reply } of delivery.attempts) {
      if (reply === undefined || reply <= record.offset) continue;
      if (reading.left <= 0) reading.cut = true;
      else {
        const found = await findAt(reading.log, view.streams, reply);
        if (found !== undefined) replies.push(await storyOf(reading, found));
      }
    }
    deliveries.push({ ...delivery, replies });
  }
  return { ...loggedEvent(record, stream.is, stored), ...shownData(stored), deliveries };
}
