// Holds a gateway thread's listening sockets as the keeper does, in a process of its own, and sends them whenever it is asked.
import type { ChildProcess } from "node:child_process";
import { openListeningSockets } from "#keeper";

const sockets = await openListeningSockets({ host: "127.0.0.1", httpPort: 0, internalPort: 0, apiPort: 0, threads: 1 });
const channel = process as unknown as ChildProcess;
process.on("message", () => sockets.resend(channel, 0));
process.once("disconnect", () => process.exit());
process.send?.(sockets.numbers);
