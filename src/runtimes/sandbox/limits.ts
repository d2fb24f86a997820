// Limits of a container as control groups take them. Pure.
import { parseQuantity, quantityNumber, type CoreContainer } from "#kinds";
import type { GroupLimits } from "./control-groups.ts";

/** Against programs that multiply without end. */
const PROCESSES_MAX = 4_096;

export function limitsOf({ resources }: Pick<CoreContainer, "resources">): GroupLimits {
  const { memory, cpu } = (resources?.limits ?? {}) as Readonly<Record<string, string | number | undefined>>;
  const memoryBytes = numberOf(memory);
  const processors = numberOf(cpu);
  return {
    processesMax: PROCESSES_MAX,
    ...(memoryBytes === undefined ? {} : { memoryBytesMax: Math.ceil(memoryBytes) }),
    ...(processors === undefined ? {} : { cpuMax: processors }),
  };
}

function numberOf(text: string | number | undefined): number | undefined {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return quantity === undefined ? undefined : quantityNumber(quantity);
}
