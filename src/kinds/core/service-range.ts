// The range that Services' addresses are drawn from. Pure.
import { fieldError, type FieldError } from "#schema";

export interface ServiceRange {
  /** `10.97.64.0/18`. */
  readonly cidr: string;
  readonly size: number;
  /** The n-th address. */
  at(number: number): string;
  has(address: string): boolean;
}

/** Kubernetes' usual one. */
export const SERVICE_RANGE_DEFAULT = "10.96.0.0/16";

export function serviceRange(cidr: string): ServiceRange {
  const [net = "", bits = "32"] = cidr.split("/");
  const first = numberOf(net);
  const size = 2 ** (32 - Number(bits));
  return {
    cidr,
    size,
    at: (number) => [24, 16, 8, 0].map((shift) => ((first + number) >>> shift) & 255).join("."),
    has: (address) => numberOf(address) >= first && numberOf(address) < first + size,
  };
}

export function outOfRange(addresses: readonly string[]): FieldError {
  const why = `failed to allocate IP ${addresses[0] ?? ""}: the provided network does not match the current range`;
  return fieldError.invalid("spec.clusterIPs", addresses, why);
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}
