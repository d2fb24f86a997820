// Entry file of the store thread: the one writer of the store's file.
import { parentPort, workerData } from "node:worker_threads";
import { serveWriter } from "#store";

if (parentPort === null) throw new Error("the store thread is started by the platform");
serveWriter(parentPort, (workerData as { readonly path: string }).path);
