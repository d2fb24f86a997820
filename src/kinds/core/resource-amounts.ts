// CPU and memory of a container as numbers.
import { parseQuantity, quantityNumber } from "#schema";

export interface ResourceAmounts {
  /** 1000 for a whole processor. */
  readonly cpuMillis: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Of `resources.limits` or `resources.requests`; undefined for what is not said. Rounded up to whole numbers. */
export function amountsOf(list: Readonly<Record<string, string | number>> | undefined): ResourceAmounts {
  const amount = (name: string, unit: number): number | undefined => {
    const said = list?.[name];
    const quantity = said === undefined ? undefined : parseQuantity(said);
    return quantity === undefined ? undefined : Math.ceil(quantityNumber(quantity) * unit);
  };
  return { cpuMillis: amount("cpu", 1000), memoryBytes: amount("memory", 1) };
}
