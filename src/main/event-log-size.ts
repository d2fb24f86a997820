// What the log of events may take of the disk.

const PART_OF_BUDGET = 1 / 4;
const PART_OF_DISK = 1 / 10;
const BYTES_MOST = 10 * 2 ** 30;
/** Less would hold few segments. */
const BYTES_LEAST = 256 << 20;

/** A quarter of the disk budget; without one a tenth of the file system, 10 GiB at most. */
export function eventLogBytes({ budgetBytes, diskBytes }: { readonly budgetBytes: number | undefined; readonly diskBytes: number }): number {
  const part = budgetBytes === undefined ? Math.min(BYTES_MOST, diskBytes * PART_OF_DISK) : budgetBytes * PART_OF_BUDGET;
  return Math.max(BYTES_LEAST, Math.floor(part));
}
