// Limits of a container as control groups take them. Pure.
import { parseQuantity, quantityNumber, type CoreContainer } from "#kinds";
import type { GroupLimits } from "./control-groups.ts";

/** Against programs that multiply without end. */
const PROCESSES_MAX = 4_096;
/** What the kernel takes. */
const SHARES = { min: 2, max: 262_144 } as const;

type Asking = Pick<CoreContainer, "resources">;

/** `all` are the containers of its pod that run side by side. */
export function limitsOf(container: Asking, all: readonly Asking[]): GroupLimits {
  const { resources } = container;
  const { memory, cpu } = (resources?.limits ?? {}) as Readonly<Record<string, string | number | undefined>>;
  const memoryBytes = numberOf(memory);
  const processors = numberOf(cpu);
  return {
    processesMax: PROCESSES_MAX,
    cpuShares: sharesOf([container]),
    podCpuShares: sharesOf(all.includes(container) ? all : [container, ...all]),
    ...(memoryBytes === undefined ? {} : { memoryBytesMax: Math.ceil(memoryBytes) }),
    ...(processors === undefined ? {} : { cpuMax: processors }),
  };
}

/** As the kubelet has it: of what is requested, which is the limit where only that is said, and the least for who requests nothing. */
function sharesOf(containers: readonly Asking[]): number {
  const millis = containers.map(({ resources }) => Math.ceil(1_000 * (numberOf(resources?.requests?.["cpu"] ?? resources?.limits?.["cpu"]) ?? 0)));
  const shares = Math.floor((millis.reduce((sum, each) => sum + each, 0) * 1_024) / 1_000);
  return Math.min(SHARES.max, Math.max(SHARES.min, shares));
}

function numberOf(text: string | number | undefined): number | undefined {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return quantity === undefined ? undefined : quantityNumber(quantity);
}
