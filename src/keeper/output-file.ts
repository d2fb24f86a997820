// The size limit of output files: a full file becomes `<file>.1` and starts anew.
import { copyFile, stat, truncate } from "node:fs/promises";
import type { Logger } from "#core";

/**
 * Copy and truncate, since the process keeps writing to the file it was given (O_APPEND, so it goes on at the new end).
 * What it writes between the two steps is lost.
 */
export async function limitOutput(file: string, bytesMax: number, logger: Logger): Promise<void> {
  try {
    const { size } = await stat(file);
    if (size <= bytesMax) return;
    await copyFile(file, `${file}.1`);
    await truncate(file, 0);
  } catch (error) {
    // Gone with its pod, or the disk is full: neither may end the keeper.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") logger.warn("output file cannot be limited", { file, err: error });
  }
}
