// The contract of the clients' transports against our own API server, in its process and over HTTPS, and against a real one.
import { after } from "node:test";
import { createHttpTransport } from "#client";
import { silentLogger } from "#core";
import { systemClock } from "#host";
import { ConfigMap, Namespace } from "#kinds";
import type { Kind } from "#schema";
import { clientContract, type ConfigMapLike, type ContractServer } from "../../src/client/contract.test-suite.ts";
import { realPaths, startReal, type Started } from "../oracle/real-server.ts";
import { TOKENS } from "../oracle/server.ts";
import { inProcess, overHttps } from "./server.ts";

clientContract("our API server in this process", inProcess);
clientContract("our API server over HTTPS", overHttps);

const programs = realPaths();
let started: Promise<Started> | undefined;
let cases = 0;
after(async () => (await started)?.end());

/** One kube-apiserver for all cases, with a namespace for each. */
async function real(): Promise<ContractServer> {
  if (typeof programs === "string") throw new Error(programs);
  const { running } = await (started ??= startReal(programs));
  const namespace = `contract-${++cases}`;
  const at = { server: `https://127.0.0.1:${running.port}`, ca: running.caPem, token: TOKENS["admin"] ?? "" };
  const transport = createHttpTransport({ ...at, clock: systemClock, logger: silentLogger, userAgent: "contract" });
  await transport.send({ verb: "create", kind: Namespace as unknown as Kind, namespace: "", body: { metadata: { name: namespace } } });
  return { transport, kind: ConfigMap as unknown as Kind<ConfigMapLike>, namespace, close: () => Promise.resolve(transport.close()) };
}
clientContract("a real kube-apiserver", real, typeof programs === "string" ? programs : {});
