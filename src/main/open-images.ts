// The image store of the data folder, within the folder's disk budget.
import type { Clock } from "#core";
import { openImageStore, type ImageStore } from "#images";
import type { DataFolder } from "./data-folder.ts";
import { DiskBudget } from "./disk-budget.ts";
import { diskUsage } from "./disk-usage.ts";

export interface OpenImagesOptions {
  readonly folder: DataFolder;
  readonly clock: Clock;
  readonly bootId: string | undefined;
  /** Of the whole data folder. */
  readonly bytesMax: number | undefined;
  readonly onShort: () => void;
}

export async function openImages({ folder, clock, bootId, bytesMax, onShort }: OpenImagesOptions): Promise<{ images: ImageStore; budget: DiskBudget }> {
  const budget = new DiskBudget({ bytesMax, measure: () => diskUsage(folder.root), clock, onShort });
  const images = await openImageStore(folder.images, {
    ...(bootId === undefined ? {} : { bootId }),
    wallMs: () => clock.wallMs(),
    mayGrow: (bytes) => budget.mayGrow(bytes),
  });
  return { images, budget };
}
