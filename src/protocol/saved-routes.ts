// The routing state that a platform leaves to the next one: one record a line, each with its checksum; later ones change what earlier ones said.
import { crc32 } from "node:zlib";
import type { GatewaySettings } from "./gateway.ts";
import type { Backend, RouteDelta, RouteHost } from "./routes.ts";

/**
 * Another format is not read: the next platform waits for its control plane instead. A member that gateways cannot do without
 * makes a new one.
 */
export const SAVED_ROUTES_FORMAT = 2;

/** Of a table that was read back. Not 0: a thread knows by the generation that a pod was taken out, and 0 means that it was not. */
export const RESTORED_GENERATION = 1;

/** What gateway threads serve by until the control plane is up. */
export interface SavedRoutes {
  readonly settings: GatewaySettings;
  readonly hosts: readonly RouteHost[];
  readonly backends: readonly Backend[];
}

export type SavedRecord = { readonly type: "format"; readonly format: number } | { readonly type: "settings"; readonly settings: GatewaySettings } | RouteDelta;

/** One line: `<checksum, eight hex digits> <JSON>`. */
export function encodeSaved(record: SavedRecord): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

/**
 * The state after the last whole record; a torn end is what a crash leaves and is passed over. Undefined when the text does
 * not begin with this format, settings and a whole table.
 */
export function decodeSaved(text: string): SavedRoutes | undefined {
  let settings: GatewaySettings | undefined;
  let whole = false;
  const hosts = new Map<string, RouteHost>();
  const backends = new Map<string, Backend>();
  for (const [index, record] of recordsOf(text).entries()) {
    if (index === 0 && (record.type !== "format" || record.format !== SAVED_ROUTES_FORMAT)) return undefined;
    if (record.type === "settings") settings = record.settings;
    if (record.type !== "routes") continue;
    if (record.reset) {
      whole = true;
      hosts.clear();
      backends.clear();
    }
    for (const host of record.hosts) hosts.set(host.host, host);
    for (const host of record.hostsRemoved) hosts.delete(host);
    for (const backend of record.backends) backends.set(backend.key, backend);
    for (const key of record.backendsRemoved) backends.delete(key);
  }
  return whole && settings !== undefined ? { settings, hosts: [...hosts.values()], backends: [...backends.values()] } : undefined;
}

function recordsOf(text: string): SavedRecord[] {
  const records: SavedRecord[] = [];
  for (let from = 0, end = text.indexOf("\n"); end >= 0; from = end + 1, end = text.indexOf("\n", from)) {
    const json = text.slice(from + 9, end);
    if (text.slice(from, from + 9) !== `${checksum(json)} `) break;
    records.push(JSON.parse(json) as SavedRecord);
  }
  return records;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
