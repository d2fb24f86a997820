// When output came: beside an output file, one line `<bytes of the file by then> <wall milliseconds>` for each moment at which it had grown.
import { watch } from "node:fs";
import { appendFile, readFile, rename, stat, writeFile } from "node:fs/promises";
import type { Clock, Logger } from "#core";

/** Two lines are so far apart at least: one that is written later is not found out later, but a flood costs a few lines. */
const NOTE_EVERY_MS = 25;
/** How often a file that cannot be watched is looked at. */
const LOOK_EVERY_MS = 500;
/** A file of times above it keeps every second line, and gets new ones half as often. */
const TIMES_BYTES_MAX = 1 << 20;

export interface TimedOutput {
  readonly outputFile: string;
  readonly timesFile: string;
}

/** Notes times until the signal aborts, and what came by then. Never rejects: output without times is still output. */
export async function noteTimes(
  { outputFile, timesFile }: TimedOutput,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  let noted = 0;
  let everyMs = NOTE_EVERY_MS;
  const note = async (): Promise<boolean> => {
    const { size } = await stat(outputFile);
    if (size === noted) return false;
    const line = `${size} ${clock.wallMs()}\n`;
    // A file that was cut starts anew, and so do its times.
    await (size < noted ? writeFile(timesFile, line, { mode: 0o600 }) : appendFile(timesFile, line, { mode: 0o600 }));
    noted = size;
    if (await thinned(timesFile)) everyMs *= 2;
    return true;
  };
  try {
    while (!signal.aborted) {
      const growth = nextChange(outputFile, clock, signal);
      if (!(await note())) {
        await growth.seen;
        await note();
      }
      growth.stop();
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
    await note();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") logger.warn("times of output are not noted", { file: outputFile, err: error });
  }
}

/** Resolves with the next change of a file, or with the abort. One event at most: a flood of writes must not keep us busy. */
function nextChange(file: string, clock: Clock, signal: AbortSignal): { readonly seen: Promise<void>; stop(): void } {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const seen = new Promise<void>((resolve) => {
    either.addEventListener("abort", () => resolve(), { once: true });
    try {
      const watcher = watch(file, { persistent: false, signal: either }, () => {
        watcher.close();
        resolve();
      });
      watcher.on("error", () => resolve());
    } catch {
      // Too many files are watched on this machine.
      void clock.sleep(LOOK_EVERY_MS, either).then(resolve, resolve);
    }
  });
  return { seen, stop: () => over.abort() };
}

async function thinned(timesFile: string): Promise<boolean> {
  if ((await stat(timesFile)).size <= TIMES_BYTES_MAX) return false;
  const lines = (await readFile(timesFile, "utf8")).trimEnd().split("\n");
  // From the end: the last line has to stay.
  const kept = lines.filter((_line, index) => (lines.length - index) % 2 === 1);
  // Whoever reads sees the one or the other.
  await writeFile(`${timesFile}.new`, `${kept.join("\n")}\n`, { mode: 0o600 });
  await rename(`${timesFile}.new`, timesFile);
  return true;
}
