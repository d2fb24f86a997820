// Asks a registry which digest a tag stands for, without fetching the image; with the words of go-containerregistry.
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { parseImageName } from "./image-name.ts";

export type RegistryAnswer = { readonly digest: string } | { readonly error: string };

const TIMEOUT_MS = 10_000;
const TOKEN_BYTES_MAX = 1 << 20;
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Registries that are asked without TLS, as go-containerregistry does it: those of this machine and of a local network. */
function isPlain(registry: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(registry) || /\.local(host)?(:\d+)?$/.test(registry);
}

async function ask(method: "HEAD" | "GET", url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
  const start = url.startsWith("https:") ? httpsRequest : (await import("node:http")).request;
  return new Promise((resolve, reject) => {
    const sent = start(url, { method, headers: { "user-agent": "eider", ...headers }, signal, timeout: TIMEOUT_MS }, resolve);
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    sent.on("error", reject);
    sent.end();
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk;
    if (text.length > TOKEN_BYTES_MAX) throw new Error("the answer of the token service is too large");
  }
  return text;
}

/** `Bearer realm="https://auth…",service="…",scope="…"`. */
function challengeOf(header: string | undefined): URL | undefined {
  if (header === undefined || !/^bearer /i.test(header)) return undefined;
  const fields = new Map([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name.toLowerCase(), value]));
  const realm = fields.get("realm");
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  for (const name of ["service", "scope"]) if (fields.has(name)) url.searchParams.set(name, fields.get(name) ?? "");
  return url;
}

/** A token for everybody, as public registries hand it out; undefined when this one does not. */
async function anonymousToken(challenge: string | undefined, signal: AbortSignal): Promise<string | undefined> {
  const url = challengeOf(challenge);
  if (url === undefined) return undefined;
  const response = await ask("GET", url.href, { accept: "application/json" }, signal);
  const text = await textOf(response);
  if (response.statusCode !== 200) return undefined;
  const { token, access_token } = JSON.parse(text) as { readonly token?: string; readonly access_token?: string };
  return token ?? access_token;
}

/** The digest behind an image's tag, or why there is none. Credentials are not sent: private images need a digest in their name. */
export async function resolveInRegistry(image: string, signal: AbortSignal): Promise<RegistryAnswer> {
  const name = parseImageName(image);
  if (name === undefined) return { error: `could not parse reference: ${image}` };
  if (name.digest !== undefined) return { digest: name.digest };
  const url = `${isPlain(name.registry) ? "http" : "https"}://${name.registry}/v2/${name.repository}/manifests/${name.tag ?? "latest"}`;
  try {
    let response = await ask("HEAD", url, { accept: ACCEPT }, signal);
    if (response.statusCode === 401) {
      const token = await anonymousToken(response.headers["www-authenticate"], signal);
      if (token !== undefined) response = await ask("HEAD", url, { accept: ACCEPT, authorization: `Bearer ${token}` }, signal);
    }
    const { statusCode, statusMessage } = response;
    if (statusCode !== 200)
      return { error: `HEAD ${url}: unexpected status code ${statusCode} ${statusMessage} (HEAD responses have no body, use GET for details)` };
    const digest = response.headers["docker-content-digest"];
    return typeof digest === "string" && DIGEST.test(digest) ? { digest } : { error: `HEAD ${url}: response did not include Docker-Content-Digest header` };
  } catch (error) {
    return { error: `Head "${url}": ${error instanceof Error ? error.message : String(error)}` };
  }
}
