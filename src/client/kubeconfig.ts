// Kubeconfig files: which server the current context means and how to prove who we are.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { StatusError } from "#core";

/** How to reach an API server; PEM texts, one way of authenticating or none. */
export interface ServerAccess {
  /** `https://127.0.0.1:6443`, without a slash at the end; a path prefix is kept. */
  readonly server: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  /** Where the token came from, when it came from a file: such files are renewed from outside. */
  readonly tokenFile?: string;
  /** Name to check the server's certificate against instead of the host of `server`. */
  readonly tlsServerName?: string;
  /** The file says not to check the server's certificate. */
  readonly insecure?: boolean;
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function entry(config: Fields, list: string, member: string, name: string | undefined): Fields {
  const entries = Array.isArray(config[list]) ? (config[list] as unknown[]).map(fieldsOf) : [];
  const found = entries.find((item) => item.name === name);
  if (found === undefined) throw new StatusError("BadRequest", `kubeconfig: no ${member} named ${JSON.stringify(name ?? "")}`);
  return fieldsOf(found[member]);
}

/** PEM text of `name-data` (base64) or of the file that `name` points at. */
async function pem(fields: Fields, name: string, folder: string): Promise<string | undefined> {
  const inline = textOf(fields, `${name}-data`);
  if (inline !== undefined) return Buffer.from(inline, "base64").toString("utf8");
  const path = textOf(fields, name);
  return path === undefined ? undefined : readFile(resolve(folder, path), "utf8");
}

/** Ways to a server that are not gone here, by where they stand in the file. */
const REFUSED = {
  cluster: { "proxy-url": "goes through a proxy" },
  user: { exec: "runs a program to log in", "auth-provider": "logs in by a provider", username: "logs in with a password", as: "impersonates another user" },
} as const;

/** Says so at once, where an attempt would end in a refusal that nobody can explain. */
function refuse(place: keyof typeof REFUSED, fields: Fields, name: string): void {
  for (const [member, does] of Object.entries(REFUSED[place])) {
    if (fields[member] === undefined) continue;
    const how = place === "user" ? "; use a token, a tokenFile or a client certificate" : "";
    throw new StatusError("BadRequest", `kubeconfig: the ${place} ${JSON.stringify(name)} ${does} (${member}), which is not supported${how}`);
  }
}

/** `folder` is where relative paths start. `context` overrides the current one. Throws StatusError `BadRequest` for a file that names nothing usable. */
export async function loadKubeconfig(text: string, options: { readonly folder: string; readonly context?: string }): Promise<ServerAccess> {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (cause) {
    throw new StatusError("BadRequest", "kubeconfig: not YAML", { cause });
  }
  const config = fieldsOf(parsed);
  const context = entry(config, "contexts", "context", options.context ?? textOf(config, "current-context"));
  const cluster = entry(config, "clusters", "cluster", textOf(context, "cluster"));
  const userName = textOf(context, "user");
  const user = userName === undefined ? {} : entry(config, "users", "user", userName);
  refuse("cluster", cluster, textOf(context, "cluster") ?? "");
  refuse("user", user, userName ?? "");
  const server = textOf(cluster, "server");
  if (server === undefined) throw new StatusError("BadRequest", "kubeconfig: the cluster has no server");
  const tokenFile = textOf(user, "tokenFile");
  const token = textOf(user, "token") ?? (tokenFile === undefined ? undefined : (await readFile(resolve(options.folder, tokenFile), "utf8")).trim());
  const ca = await pem(cluster, "certificate-authority", options.folder);
  const cert = await pem(user, "client-certificate", options.folder);
  const key = await pem(user, "client-key", options.folder);
  const tlsServerName = textOf(cluster, "tls-server-name");
  return {
    server: server.replace(/\/+$/, ""),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined || textOf(user, "token") !== undefined ? {} : { tokenFile: resolve(options.folder, tokenFile) }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { insecure: true } : {}),
    namespace: textOf(context, "namespace") ?? "default",
  };
}

/** Reads a kubeconfig; relative paths in it start at its folder. */
export async function loadKubeconfigFile(path: string, context?: string): Promise<ServerAccess> {
  const text = await readFile(path, "utf8");
  return loadKubeconfig(text, { folder: dirname(resolve(path)), ...(context === undefined ? {} : { context }) });
}
