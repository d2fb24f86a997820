// What pods on a bridge may reach of this platform: its API, its gateways, and the names inside at the port that their addresses leave out.

export interface PlatformPorts {
  readonly apiPort: number;
  readonly httpPort: number;
  readonly internalPort: number;
}

/** Ports that a bridge's address answers on, and where each leads. */
export function platformDoors({ apiPort, httpPort, internalPort }: PlatformPorts): readonly { readonly port: number; readonly to: number }[] {
  return [...[apiPort, httpPort, internalPort].map((port) => ({ port, to: port })), { port: 80, to: internalPort }];
}
