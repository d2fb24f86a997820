// Entry file of a gateway thread: the data path, driven by messages of the control thread.
import { parentPort, workerData } from "node:worker_threads";
import { createGateway } from "#gateway";
import { createSystemRng, giveBackMemory, systemClock } from "#host";
import type { ControlToGateway, GatewayStart, GatewayToControl } from "#protocol";
import { messageLogger } from "./message-logger.ts";
import { watchRest } from "./rest.ts";

const port = parentPort;
if (port === null) throw new Error("a gateway thread is started by the platform");
const start = workerData as GatewayStart;
const send = (message: GatewayToControl): void => port.postMessage(message);
const gateway = createGateway({
  start,
  clock: systemClock,
  rng: createSystemRng(),
  logger: messageLogger((level, message, fields) => send({ type: "log", thread: start.thread, level, message, fields })),
  send,
  listen: { fd: start.listenFd },
  ...(start.internalFd === undefined ? {} : { listenInternal: { fd: start.internalFd } }),
});
// Also when it dies of an error.
process.once("exit", () => gateway.stopAccepting());
const ended = new AbortController();
// Tables that were replaced are garbage; requests leave none that outlives them.
let received = 0;
port.on("message", (message: ControlToGateway) => {
  received++;
  gateway.receive(message);
});
void watchRest({ clock: systemClock, work: () => received, atRest: giveBackMemory }, ended.signal);
await gateway.run(ended.signal);
ended.abort();
port.close();
