// The validation handshake of web hooks (HTTP web hooks 1.0, 4): who may send, and how much.

/** Of an answer to OPTIONS. As Knative's ingresses grant it: anybody, anything; whom a policy refuses learns it at its first event. */
export const HANDSHAKE_HEADERS: Readonly<Record<string, string>> = { allow: "POST, OPTIONS", "webhook-allowed-origin": "*", "webhook-allowed-rate": "*" };
