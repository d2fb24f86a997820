// Where a container port of a pod can be reached (decision 9): recorded on the Pod by its runtime.

/** `{"8080":"127.0.0.1:41234"}`: container port → address, written before the process starts to listen. */
export const ADDRESSES_ANNOTATION = "eider.dev/addresses";
/** Says on the Pod what runs it; `process` is a process of the host without isolation. */
export const RUNTIME_ANNOTATION = "eider.dev/runtime";

export interface PodAddress {
  readonly host: string;
  readonly port: number;
}

/** The reachable address of a container port; without a record podIP and the port itself; undefined while there is neither. */
export function addressOf(
  pod: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }; readonly status?: { readonly podIP?: string } | undefined },
  port: number,
): PodAddress | undefined {
  const record = pod.metadata.annotations?.[ADDRESSES_ANNOTATION];
  const recorded = record === undefined ? undefined : parseRecord(record)[String(port)];
  const address = typeof recorded === "string" ? parseAddress(recorded) : undefined;
  if (address !== undefined) return address;
  const ip = pod.status?.podIP;
  return ip === undefined || ip === "" || record !== undefined ? undefined : { host: ip, port };
}

/** The recorded addresses by container port; empty without a record. */
export function recordedAddresses(pod: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }): Readonly<Record<string, string>> {
  const entries = Object.entries(parseRecord(pod.metadata.annotations?.[ADDRESSES_ANNOTATION] ?? "{}"));
  return Object.fromEntries(entries.flatMap(([port, address]) => (typeof address === "string" ? [[port, address]] : [])));
}

/** `127.0.0.1:20312` or `[::1]:20312`; undefined for anything else. */
export function parseAddress(text: string): PodAddress | undefined {
  const match = /^\[?(.+?)\]?:(\d+)$/.exec(text);
  return match?.[1] === undefined ? undefined : { host: match[1], port: Number(match[2]) };
}

function parseRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
