// A registry on a free port of loopback for tests, and requests to it.
import { mkdtempSync, rmSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { silentLogger } from "#core";
import { digestOf } from "../digest.ts";
import { openImageStore, type ImageStore, type StoreOptions } from "../image-store.ts";
import { MANIFEST_TYPE } from "../oci.ts";
import type { Access } from "./access.ts";
import { serveRegistry, type ServedRegistry } from "./serve.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of the first error, when there is one. */
  readonly code: string | undefined;
}

export interface World {
  readonly dir: string;
  store: ImageStore;
  registry: ServedRegistry;
  /** How often something may have become nobody's. */
  changes: number;
  /** `ask("PUT /v2/a/manifests/v1", body, headers)` */
  ask(line: string, body?: string | Uint8Array, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  push(repository: string, text: string): Promise<string>;
  pushManifest(repository: string, reference: string, manifest: object): Promise<Reply>;
  /** As a platform does that was killed: what was in memory is gone. */
  restart(): Promise<void>;
}

export interface WorldOptions extends StoreOptions {
  readonly dir?: string;
  readonly access?: Access;
}

export async function registryWorld(
  t: TestContext,
  { dir = mkdtempSync(join(tmpdir(), "eider-registry-")), access, ...options }: WorldOptions = {},
): Promise<World> {
  const open = async (): Promise<Pick<World, "store" | "registry">> => {
    const store = await openImageStore(dir, options);
    const at = { host: "127.0.0.1", port: 0 };
    const registry = await serveRegistry({ store, at, logger: silentLogger, changed: () => void (world.changes += 1), access });
    return { store, registry };
  };
  const world: World = {
    dir,
    changes: 0,
    ...(await openLater(open)),
    ask: (line, body, headers) => ask(world.registry.port, line, body, headers),
    async push(repository, text) {
      const digest = digestOf(Buffer.from(text));
      const { status, body } = await world.ask(`POST /v2/${repository}/blobs/uploads/?digest=${digest}`, text);
      if (status !== 201) throw new Error(`pushing answered ${status} ${body}`);
      return digest;
    },
    pushManifest: (repository, reference, manifest) =>
      world.ask(`PUT /v2/${repository}/manifests/${reference}`, JSON.stringify(manifest), { "content-type": MANIFEST_TYPE }),
    async restart() {
      await world.registry.close();
      Object.assign(world, await open());
    },
  };
  t.after(async () => {
    await world.registry.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return world;
}

/** The world's own object is made around what this opens. */
function openLater<T>(open: () => Promise<T>): Promise<T> {
  return Promise.resolve().then(open);
}

export function ask(port: number, line: string, body: string | Uint8Array = "", headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const [method = "", path = ""] = line.split(" ");
  return new Promise((resolve, reject) => {
    const length = body.length === 0 && method !== "PUT" && method !== "POST" && method !== "PATCH" ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = request({ host: "127.0.0.1", port, method, path, agent: false, headers: { ...length, ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, code: codeOf(text) }));
    });
    sent.on("error", reject).end(body);
  });
}

function codeOf(text: string): string | undefined {
  if (!text.startsWith('{"errors"')) return undefined;
  return (JSON.parse(text) as { readonly errors: readonly { readonly code: string }[] }).errors[0]?.code;
}
