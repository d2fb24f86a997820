// Our API server as the clients' contract needs it: in this process, and on a listener with a certificate.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApiServer, served, type ApiServer } from "#apiserver";
import { createHttpTransport } from "#client";
import { SeededRng, silentLogger } from "#core";
import { systemClock } from "#host";
import { servingCertificate } from "#host/certificates";
import { ConfigMap, Namespace } from "#kinds";
import type { Kind, UserInfo } from "#schema";
import { MemoryStore } from "#store";
import type { ConfigMapLike, ContractServer } from "../../src/client/contract.test-suite.ts";

const USER: UserInfo = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };
const TOKEN = "contract";
const NAMESPACE = "default";
const KIND = ConfigMap as unknown as Kind<ConfigMapLike>;

/** Serves namespaces and config maps from memory; the namespace `default` exists. */
async function boot(): Promise<{ readonly server: ApiServer; close(): Promise<void> }> {
  const rng = new SeededRng(1);
  const store = new MemoryStore({ clock: systemClock });
  const server = createApiServer({
    kinds: [served({ kind: Namespace }), served({ kind: ConfigMap })],
    namespaceKind: Namespace,
    store,
    clock: systemClock,
    rng,
    logger: silentLogger,
    version: "v1.34.4",
    authenticate: ({ headers }) => (headers["authorization"] === `Bearer ${TOKEN}` ? USER : undefined),
    authorize: () => undefined,
  });
  await server.transportFor(USER).send({ verb: "create", kind: Namespace as unknown as Kind, namespace: "", body: { metadata: { name: NAMESPACE } } });
  return { server, close: () => store.close() };
}

export async function inProcess(): Promise<ContractServer> {
  const { server, close } = await boot();
  return { transport: server.transportFor(USER), kind: KIND, namespace: NAMESPACE, close };
}

export async function overHttps(): Promise<ContractServer> {
  const { server, close } = await boot();
  const folder = await mkdtemp(join(tmpdir(), "eider-contract-"));
  const { caPem, certPem, keyPem } = await servingCertificate(folder, ["127.0.0.1"], systemClock.wallMs());
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls: { key: keyPem, cert: certPem, clientCa: caPem } });
  const at = { server: `https://127.0.0.1:${listening.port}`, ca: caPem, token: TOKEN };
  const transport = createHttpTransport({ ...at, clock: systemClock, logger: silentLogger, userAgent: "contract" });
  return {
    transport,
    kind: KIND,
    namespace: NAMESPACE,
    async close() {
      transport.close();
      await listening.close();
      await close();
      await rm(folder, { recursive: true });
    },
  };
}
