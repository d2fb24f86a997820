// A real kube-apiserver over a real etcd, started for a run and ended with it. Nothing of theirs is part of this project.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { httpsClient } from "./https-client.ts";
import { TOKENS, type Server } from "./server.ts";

/** Where a server that someone keeps running is described; see `keepReal`. */
export interface Running {
  readonly port: number;
  readonly etcdPort: number;
  readonly caPem: string;
}

const READY_TRIES = 600;
const READY_PAUSE_MS = 100;
/** An answer that takes longer is a failure of the scenario. */
const PATIENCE_MS = 75_000;
const PAUSE_MS = 100;
const END_MS = 5_000;

/** Paths from the variables KUBE_APISERVER and ETCD; a text says what is missing. */
export function realPaths(): { readonly apiserver: string; readonly etcd: string } | string {
  const { KUBE_APISERVER: apiserver, ETCD: etcd } = process.env;
  if (apiserver === undefined || etcd === undefined) return "KUBE_APISERVER and ETCD are not set";
  const missing = [apiserver, etcd].find((path) => !existsSync(path));
  return missing === undefined ? { apiserver, etcd } : `there is no ${missing}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no free port");
  return address.port;
}

function makeCertificates(folder: string): void {
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const certificate = (name: string, subject: string, extensions: string): void => {
    writeFileSync(join(folder, `${name}.ext`), extensions);
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "30",
      "-out",
      `${name}.crt`,
      "-extfile",
      `${name}.ext`,
    );
  };
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=oracle-ca", "-days", "30");
  certificate("apiserver", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes.default.svc\n");
  certificate("kubelet", "/O=system:masters/CN=kubelet", "basicConstraints=CA:FALSE\n");
  openssl("genrsa", "-out", "sa.key", "2048");
  openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub");
}

/** The processes of one folder; each is ended by its own id. */
class Processes {
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];
  readonly #kill = (): void => {
    for (const child of this.#children) child.kill("SIGKILL");
  };

  constructor(folder: string) {
    this.#folder = folder;
    process.once("exit", this.#kill);
  }

  start(name: string, program: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.#folder, `${name}.log`), "w");
    const child = spawn(program, args, { cwd: this.#folder, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#children.push(child);
    return child;
  }

  log(name: string): string {
    return readFileSync(join(this.#folder, `${name}.log`), "utf8").slice(-2000);
  }

  async end(): Promise<void> {
    process.removeListener("exit", this.#kill);
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await Promise.race([ended, wait(END_MS)]);
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface Started {
  readonly running: Running;
  /** Process ids: of the API server, and of its store. */
  readonly pids: readonly [apiserver: number, etcd: number];
  end(): Promise<void>;
}

/** Starts both and waits until the API server is ready; with `syncs` writes are on disk before they are answered. Throws with the end of its log when it never is. */
export async function startReal(
  { apiserver, etcd }: { readonly apiserver: string; readonly etcd: string },
  options: { readonly syncs?: boolean } = {},
): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), "eider-oracle-"));
  const processes = new Processes(folder);
  try {
    makeCertificates(folder);
    writeFileSync(join(folder, "tokens.csv"), `${TOKENS["admin"]},admin,u1,"system:masters"\n${TOKENS["user"]},user,u2\n`);
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    const client = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    const etcdArgs = `--data-dir etcd --listen-client-urls ${client} --advertise-client-urls ${client} --listen-peer-urls ${peer} --initial-advertise-peer-urls ${peer} --initial-cluster default=${peer}${options.syncs === true ? "" : " --unsafe-no-fsync"}`;
    const store = processes.start("etcd", etcd, etcdArgs.split(" "));
    const files = `--tls-cert-file=apiserver.crt --tls-private-key-file=apiserver.key --client-ca-file=ca.crt --token-auth-file=tokens.csv --service-account-key-file=sa.pub --service-account-signing-key-file=sa.key --kubelet-client-certificate=kubelet.crt --kubelet-client-key=kubelet.key --cert-dir=.`;
    const rest = `--etcd-servers=${client} --bind-address=127.0.0.1 --secure-port=${port} --service-account-issuer=https://kubernetes.default.svc --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=Node,RBAC --endpoint-reconciler-type=none`;
    const child = processes.start("apiserver", apiserver, `${files} ${rest}`.split(" "));
    const caPem = readFileSync(join(folder, "ca.crt"), "utf8");
    const running = { port, etcdPort, caPem };
    await ready(running, () => {
      if (child.exitCode !== null) throw new Error(`kube-apiserver ended: ${processes.log("apiserver")}`);
    });
    return { running, pids: [child.pid ?? 0, store.pid ?? 0], end: () => processes.end() };
  } catch (error) {
    await processes.end();
    throw error;
  }
}

async function ready(running: Running, check: () => void): Promise<void> {
  const server = connectReal(running);
  try {
    for (let tries = 0; tries < READY_TRIES; tries++) {
      check();
      const status = await server
        .ask({ method: "GET", target: "/readyz", headers: { authorization: `Bearer ${TOKENS["admin"]}` } }, new AbortController().signal)
        .then(
          async (answer) => {
            for await (const _ of answer.chunks);
            return answer.status;
          },
          () => 0,
        );
      if (status === 200) return;
      await wait(READY_PAUSE_MS);
    }
  } finally {
    await server.close();
  }
  throw new Error("kube-apiserver is not ready after a minute");
}

async function etcdCall(port: number, path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: JSON.stringify(body) });
  return (await response.json()) as Record<string, unknown>;
}

/** A server that runs already. */
export function connectReal(running: Running): Server {
  const client = httpsClient(running);
  return {
    name: "real",
    ask: client.ask,
    async patiently(promise, what) {
      const stop = new AbortController();
      const late = wait(PATIENCE_MS, undefined, { signal: stop.signal }).then(() => {
        throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} s`);
      });
      try {
        return await Promise.race([promise, late]);
      } finally {
        stop.abort();
        late.catch(() => {});
      }
    },
    pause: () => wait(PAUSE_MS),
    async compact() {
      const key = Buffer.from("\0").toString("base64");
      const { header } = (await etcdCall(running.etcdPort, "/v3/kv/range", { key, limit: 1 })) as { header?: { revision?: string } };
      await etcdCall(running.etcdPort, "/v3/kv/compaction", { revision: header?.revision ?? "0", physical: true });
    },
    close: () => Promise.resolve(client.close()),
  };
}
