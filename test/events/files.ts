// The files of the crash test: one a producer, one a subscriber, one of the killer; a line a row, numbers apart by blanks.
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { PRODUCERS, SUBSCRIBERS } from "./story.ts";
import type { AckRow, Facts, KillRow, ReceiptRow } from "./facts.ts";

const WHAT = ["acked", "doubt", "refused"] as const;
const READ_BYTES = 1 << 20;

/** Of all processes on the machine. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

export const ackFile = (folder: string, producer: number): string => join(folder, `acks-${producer}`);
export const receiptFile = (folder: string, subscriber: string): string => join(folder, `receipts-${subscriber}`);
export const killFile = (folder: string): string => join(folder, "kills");

export const ackLine = ({ seq, what, fromMs, toMs, status }: Omit<AckRow, "producer">): string =>
  `${seq} ${WHAT.indexOf(what)} ${fromMs.toFixed(1)} ${toMs.toFixed(1)} ${status}\n`;
export const receiptLine = ({ producer, seq, fromMs, toMs, status }: ReceiptRow): string =>
  `${producer} ${seq} ${fromMs.toFixed(1)} ${toMs.toFixed(1)} ${status}\n`;
export const killLine = ({ fromMs, toMs }: KillRow): string => `${fromMs.toFixed(1)} ${toMs.toFixed(1)}\n`;

export function factsIn(folder: string): Facts {
  return {
    acks: acksIn(folder),
    receipts: new Map(SUBSCRIBERS.map(({ name }) => [name, receiptsIn(receiptFile(folder, name))])),
    kills: [...numbersIn(killFile(folder))].map(([fromMs = NaN, toMs = NaN]) => ({ fromMs, toMs })),
  };
}

function* acksIn(folder: string): Generator<AckRow> {
  for (let producer = 0; producer < PRODUCERS; producer++) {
    for (const [seq = NaN, what = NaN, fromMs = NaN, toMs = NaN, status = NaN] of numbersIn(ackFile(folder, producer))) {
      yield { producer, seq, what: WHAT[what] ?? "refused", fromMs, toMs, status };
    }
  }
}

function* receiptsIn(file: string): Generator<ReceiptRow> {
  for (const [producer = NaN, seq = NaN, fromMs = NaN, toMs = NaN, status = NaN] of numbersIn(file)) yield { producer, seq, fromMs, toMs, status };
}

/** A last line without its end is one that is being written. */
function* numbersIn(file: string): Generator<number[]> {
  if (!existsSync(file)) return;
  const descriptor = openSync(file, "r");
  try {
    const chunk = Buffer.alloc(READ_BYTES);
    let rest = "";
    for (;;) {
      const length = readSync(descriptor, chunk);
      if (length === 0) return;
      const lines = (rest + chunk.toString("latin1", 0, length)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield line.split(" ").map(Number);
    }
  } finally {
    closeSync(descriptor);
  }
}
