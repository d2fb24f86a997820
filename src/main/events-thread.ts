// Entry file of the events thread: the log of events, the listener that fills it, and all deliveries out of it.
import { mkdirSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { StatusError } from "#core";
import { EventHistory, EventMeters, EventsNode, EventTracer, HttpSender, Ingress, PingSources, Sightings, SourceEvents, type RunMark } from "#events";
import { createSystemRng, systemClock } from "#host";
import { MarksFile } from "#host/marks";
import { NodeDisk, openLog } from "#log";
import type { ControlToEvents, EventsQuestion, EventsStart, EventsToControl } from "#protocol";
import { messageLogger } from "./message-logger.ts";

/** Most content of a request, and of an answer that may be a reply. */
const EVENT_BYTES_MAX = 32 << 20;

const port = parentPort;
if (port === null) throw new Error("the events thread is started by the platform");
const start = workerData as EventsStart;
const send = (message: EventsToControl): void => port.postMessage(message);
const logger = messageLogger((level, message, fields) => send({ type: "log", level, message, fields }));

mkdirSync(start.logFolder, { recursive: true, mode: 0o700 });
const log = await openLog({ disk: new NodeDisk(start.logFolder), clock: systemClock, logger, limits: { bytesMax: start.logBytesMax } });
const sender = new HttpSender({ gateway: start.gateway, localSuffix: start.localSuffix, clock: systemClock, replyBytesMax: EVENT_BYTES_MAX });
const sightings = new Sightings({ tell: (events) => send({ type: "seen", events }), clock: systemClock });
const meters = new EventMeters();
const tracer = new EventTracer({ tell: (events, dropped) => send({ type: "traces", events, dropped }), clock: systemClock, rng: createSystemRng() });
const node = new EventsNode({
  log,
  sender,
  brokersUrl: start.brokersUrl,
  note: (note, event) => history.note(note, event),
  ear: meters,
  tracer,
  sightings,
  clock: systemClock,
  logger,
});
const pings = new PingSources({ marks: await MarksFile.open<RunMark>(start.pingsFile), sender, clock: systemClock, logger });
const sourceEvents = new SourceEvents({ sender, clock: systemClock, logger, over: send });
const history = new EventHistory({ log, view: () => node.view, sender, clock: systemClock });
const asked = new Map<number, AbortController>();
const ending = new AbortController();
const ingress = new Ingress({
  intakeAt: (place) => node.intakeAt(place),
  bodyBytesMax: EVENT_BYTES_MAX,
  saw: (place, attributes) => node.saw(place, attributes),
  clock: systemClock,
  logger,
});

/** A batch that cannot be put into force ends the thread: the next one starts with everything. */
function fail(error: unknown): never {
  throw error;
}

/** Events that came are on the disk, deliveries under way are given up. */
async function end(): Promise<void> {
  ending.abort();
  for (const enough of asked.values()) enough.abort();
  await ingress.close();
  sourceEvents.end();
  await Promise.all([node.end(), pings.end()]);
  tracer.end();
  await sender.close();
  await log.close();
  port?.close();
}

/** What is in force by then is what it is about. */
async function answer(ask: number, question: EventsQuestion): Promise<void> {
  const enough = new AbortController();
  asked.set(ask, enough);
  try {
    await listening;
    for await (const line of history.answer(question, enough.signal)) send({ type: "told", ask, line });
    send({ type: "answered", ask });
  } catch (error) {
    const failure = error instanceof StatusError ? error : new StatusError("InternalError", (error as Error).message);
    send({ type: "answered", ask, failure: { reason: failure.reason, message: failure.message } });
  } finally {
    asked.delete(ask);
  }
}

/** Of what is in force now: it waits for nothing but reads of the log. */
async function measure(id: number): Promise<void> {
  const families = await meters.families(node.view, { size: log.size, nowMs: systemClock.wallMs() }, ending.signal);
  send({ type: "metrics", id, families });
}

let listening: Promise<void> | undefined;
port.on("message", (message: ControlToEvents) => {
  if (message.type === "end") return void end().catch(fail);
  if (message.type === "sourceEvent") return sourceEvents.take(message);
  if (message.type === "dropSourceEvent") return sourceEvents.drop(message.id);
  if (message.type === "pings") {
    pings.apply(message);
    return send({ type: "pingsAck", generation: message.generation });
  }
  if (message.type === "ask") return void answer(message.ask, message.question);
  if (message.type === "metrics") return void measure(message.id).catch((err: unknown) => logger.warn("metrics of events could not be told", { err }));
  if (message.type === "enough") return asked.get(message.ask)?.abort();
  if (message.type === "tracing") return tracer.apply(message.rate);
  if (message.type === "sightings") return sightings.want(message.wanted);
  const applied = node.apply(message);
  // The first batch makes the streams known: before it every Broker would be one that does not exist.
  listening ??= applied.then(async () => send({ type: "listening", port: await ingress.listen(start.port) }));
  void Promise.all([applied, listening]).then(() => send({ type: "ack", generation: message.generation }), fail);
});
