// IP addresses and networks in texts, with Kubernetes' complaints.
import { isIP } from "node:net";
import { fieldError, type FieldError } from "#schema";

const NOT_AN_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const NOT_A_NETWORK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

export function ipErrors(field: string, text: string): FieldError[] {
  return isIP(text) === 0 ? [fieldError.invalid(field, text, NOT_AN_ADDRESS)] : [];
}

export function isNetwork(text: string): boolean {
  const [address = "", bits = ""] = text.split("/");
  const size = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1;
  return text.split("/").length === 2 && /^(0|[1-9]\d*)$/.test(bits) && Number(bits) <= size;
}

export function networkErrors(field: string, text: string): FieldError[] {
  return isNetwork(text) ? [] : [fieldError.invalid(field, text, NOT_A_NETWORK)];
}

/**
 * Addresses that mean something only in one network lead nowhere from another. Kubernetes refuses those of the loopback
 * range, too: here they are where the pods of the one machine are.
 */
export function routableErrors(field: string, ip: string): FieldError[] {
  const refuse = (detail: string): FieldError[] => [fieldError.invalid(field, ip, detail)];
  const lower = ip.toLowerCase();
  if (lower === "0.0.0.0" || lower === "::") return refuse("may not be unspecified (0.0.0.0 or ::)");
  if (ip.startsWith("169.254.") || /^fe[89ab]/.test(lower)) return refuse("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  if (ip.startsWith("224.0.0.") || lower.startsWith("ff02")) return refuse("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  return [];
}
