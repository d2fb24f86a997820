// Holds the listening sockets of gateway threads as the keeper does, in a process of its own, and sends a thread's whenever it is asked.
import type { ChildProcess } from "node:child_process";
import { openListeningSockets } from "#keeper";

const sockets = await openListeningSockets({ host: "127.0.0.1", httpPort: 0, internalPort: 0, apiPort: 0, threads: Number(process.argv[2]) });
const channel = process as unknown as ChildProcess;
process.on("message", (thread: number) => sockets.resend(channel, thread));
process.once("disconnect", () => process.exit());
process.send?.(sockets.numbers);
