// A registry for tests: images in memory, every way to ask who somebody is, and faults on demand.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

export type ServerAuth =
  | { readonly kind: "none" }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | {
      readonly kind: "token";
      readonly username: string;
      readonly password: string;
      readonly expiresInS?: number;
      /** Only the form of OAuth 2 is known. */
      readonly onlyPost?: boolean;
      readonly identityToken?: string;
    };

export interface TestImage {
  readonly repository: string;
  readonly tag: string;
  /** Files by path, a layer each. */
  readonly layers: readonly Readonly<Record<string, string | Buffer>>[];
  readonly config?: object;
  /** amd64 without one. */
  readonly architecture?: string;
}

/** Answers a request in the registry's stead; false lets it pass. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

export class RegistryServer {
  /** `GET /v2/app/blobs/sha256:…` and so on, in order. */
  readonly log: string[] = [];
  /** Asked in order before anything else. */
  faults: Fault[] = [];
  auth: ServerAuth;
  readonly #blobs = new Map<string, Buffer>();
  readonly #manifests = new Map<string, { readonly type: string; readonly bytes: Buffer }>();
  readonly #tags = new Map<string, string>();
  readonly #tokens = new Set<string>();
  readonly #tls: { readonly key: string; readonly cert: string } | undefined;
  #server: Server | undefined;
  #port = 0;

  constructor(options: { readonly auth?: ServerAuth; readonly tls?: { readonly key: string; readonly cert: string } } = {}) {
    this.auth = options.auth ?? { kind: "none" };
    this.#tls = options.tls;
  }

  /** `127.0.0.1:PORT`, the same after `down` and `up`. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async up(): Promise<void> {
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.#answer(request, response);
    const server = this.#tls === undefined ? createServer(answer) : createTlsServer(this.#tls, answer);
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async down(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** Whoever has a token needs a new one. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  /** Answers the digest of the manifest. */
  async add({ repository, tag, layers, config = {}, architecture = "amd64" }: TestImage): Promise<string> {
    const tars = await Promise.all(layers.map(tarOf));
    const configBytes = Buffer.from(JSON.stringify({ architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: tars.map(digestOf) } }));
    const blobs = tars.map((tar) => gzipSync(tar, { level: 1 }));
    const described = (bytes: Buffer, mediaType: string): object => ({ mediaType, digest: this.putBlob(bytes), size: bytes.length });
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: described(configBytes, "application/vnd.oci.image.config.v1+json"),
      layers: blobs.map((bytes) => described(bytes, "application/vnd.oci.image.layer.v1.tar+gzip")),
    };
    return this.putManifest(repository, tag, manifest, MANIFEST);
  }

  putBlob(bytes: Buffer): string {
    const digest = digestOf(bytes);
    this.#blobs.set(digest, bytes);
    return digest;
  }

  putManifest(repository: string, tag: string, manifest: object, type = INDEX): string {
    const bytes = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(bytes);
    this.#manifests.set(`${repository}@${digest}`, { type, bytes });
    this.#tags.set(`${repository}:${tag}`, digest);
    return digest;
  }

  manifestOf(repository: string, tag: string): { readonly layers: readonly { readonly digest: string; readonly size: number }[] } {
    const found = this.#manifests.get(`${repository}@${this.#tags.get(`${repository}:${tag}`) ?? ""}`);
    return JSON.parse(found?.bytes.toString("utf8") ?? "{}") as ReturnType<RegistryServer["manifestOf"]>;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.log.push(`${request.method ?? ""} ${request.url ?? ""}`);
    for (const fault of this.faults) if (fault(request, response)) return;
    const url = new URL(request.url ?? "/", "http://registry");
    if (url.pathname === "/token") return this.#token(request, response, url);
    if (!this.#isLetIn(request)) return this.#challenge(response, url);
    if (url.pathname === "/v2/") return void response.writeHead(200).end("{}");
    const [, repository = "", kind, reference = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (kind === "manifests") return this.#manifest(request, response, { repository, reference });
    if (kind === "blobs") return this.#blob(request, response, reference);
    response.writeHead(404).end();
  }

  #isLetIn({ headers }: IncomingMessage): boolean {
    const { auth } = this;
    const shown = headers.authorization ?? "";
    if (auth.kind === "none") return true;
    if (auth.kind === "basic") return shown === basic(auth);
    return shown.startsWith("Bearer ") && this.#tokens.has(shown.slice("Bearer ".length));
  }

  #challenge(response: ServerResponse, url: URL): void {
    const scheme = this.#tls === undefined ? "http" : "https";
    const repository = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(url.pathname)?.[1];
    const scope = repository === undefined ? "" : `,scope="repository:${repository}:pull"`;
    const bearer = `Bearer realm="${scheme}://${this.host}/token",service="test"${scope}`;
    const body = JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] });
    response.writeHead(401, { "www-authenticate": this.auth.kind === "basic" ? 'Basic realm="test"' : bearer }).end(body);
  }

  #token(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const { auth } = this;
    if (auth.kind !== "token") return void response.writeHead(404).end();
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
    request.on("end", () => {
      const form = new URLSearchParams(body);
      const isPost = request.method === "POST";
      if (auth.onlyPost === true && !isPost) return response.writeHead(405).end();
      const byForm =
        form.get("grant_type") === "refresh_token"
          ? form.get("refresh_token") === auth.identityToken
          : form.get("username") === auth.username && form.get("password") === auth.password;
      if (!(isPost ? byForm : request.headers.authorization === basic(auth))) return response.writeHead(401).end("bad credentials");
      if (!/^repository:.+:pull$/.test((isPost ? form : url.searchParams).get("scope") ?? "")) return response.writeHead(400).end("no scope");
      const token = randomBytes(8).toString("hex");
      this.#tokens.add(token);
      return response.writeHead(200).end(JSON.stringify({ [isPost ? "access_token" : "token"]: token, expires_in: auth.expiresInS ?? 300 }));
    });
  }

  #manifest(request: IncomingMessage, response: ServerResponse, { repository, reference }: { readonly repository: string; readonly reference: string }): void {
    const digest = reference.startsWith("sha256:") ? reference : this.#tags.get(`${repository}:${reference}`);
    const found = this.#manifests.get(`${repository}@${digest ?? ""}`);
    if (found === undefined || digest === undefined) return void response.writeHead(404).end(JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN" }] }));
    response.writeHead(200, { "content-type": found.type, "docker-content-digest": digest, "content-length": found.bytes.length });
    response.end(request.method === "HEAD" ? undefined : found.bytes);
  }

  #blob(request: IncomingMessage, response: ServerResponse, digest: string): void {
    const bytes = this.#blobs.get(digest);
    if (bytes === undefined) return void response.writeHead(404).end(JSON.stringify({ errors: [{ code: "BLOB_UNKNOWN" }] }));
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? -1);
    if (start < 0) return void response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    const rest = bytes.subarray(start);
    response.writeHead(206, { "content-length": rest.length, "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }).end(rest);
  }
}

const basic = ({ username, password }: { readonly username: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

async function tarOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name, mtime: new Date(0), mode: 0o755 }, content as string);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Sends the first octets of the blob and breaks the connection, `times` times. */
export function breaksAfter(octets: number, times: number, only = ""): Fault {
  let left = times;
  return (request, response) => {
    if (left === 0 || !/\/blobs\//.test(request.url ?? "") || !(request.url ?? "").includes(only)) return false;
    left--;
    const end = response.end.bind(response);
    response.end = ((chunk?: Buffer) => {
      if (chunk === undefined || chunk.length <= octets) return end(chunk);
      response.write(chunk.subarray(0, octets), () => response.socket?.destroy());
      return response;
    }) as typeof response.end;
    return false;
  };
}

/** Answers `status` to the first `times` requests whose `METHOD path` matches. */
export function answers(
  status: number,
  matching: RegExp,
  { times = Infinity, headers = {} }: { readonly times?: number; readonly headers?: Record<string, string> } = {},
): Fault {
  let left = times;
  return (request, response) => {
    if (left === 0 || !matching.test(`${request.method ?? ""} ${request.url ?? ""}`)) return false;
    left--;
    response.writeHead(status, headers).end();
    return true;
  };
}
