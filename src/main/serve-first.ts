// Entry file of the platform's process: first the gateway threads, by the routing state that the last platform left, then everything else.
await import("./first-gateways.ts");
await import("./platform.ts");
