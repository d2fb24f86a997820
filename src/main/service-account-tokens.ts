// Tokens of ServiceAccounts: minted for pods, checked when somebody shows one, with a key of the data folder.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { ApiServerOptions } from "#apiserver";
import type { Client } from "#client";
import type { Clock } from "#core";
import { Pod, ServiceAccount } from "#kinds";
import type { MintToken } from "#runtimes";
import type { UserInfo } from "#schema";

/** As kube-apiserver names itself; also the audience of tokens that are for the API. */
export const TOKEN_ISSUER = "https://kubernetes.default.svc.cluster.local";
/** On a ServiceAccount: what its tokens may do here, where there are no Roles. `admin`: all; `view`: read all but Secrets; default: nothing but discovery. */
const ACCESS_ANNOTATION = "eider.dev/api-access";
const VIEWERS = "eider:viewers";
const ALGORITHM = "ES256";
/** As kube-apiserver: shorter is refused, longer is cut. */
const EXPIRATION_S = { min: 600, max: 1 << 32 } as const;

interface Claims {
  readonly "kubernetes.io"?: {
    readonly namespace?: string;
    readonly serviceaccount?: { readonly name?: string; readonly uid?: string };
    readonly pod?: { readonly name?: string; readonly uid?: string };
  };
}

export interface TokenTools {
  /** Made (0600) when it is not there. */
  readonly keyFile: string;
  readonly clock: Clock;
  readonly client: () => Client;
  readonly newId: () => string;
}

export class ServiceAccountTokens {
  readonly #tools: TokenTools;
  #key: KeyObject | undefined;

  constructor(tools: TokenTools) {
    this.#tools = tools;
  }

  /** Rejects when there is no such ServiceAccount. */
  readonly mint: MintToken = async ({ namespace, serviceAccount, audience = TOKEN_ISSUER, expirationSeconds, pod }) => {
    const { client, clock, newId } = this.#tools;
    const account = await client().find(ServiceAccount, namespace, serviceAccount);
    if (account === undefined) throw new Error(`serviceaccounts "${serviceAccount}" not found`);
    const { SignJWT } = await import("jose");
    const nowS = Math.floor(clock.wallMs() / 1000);
    const expiresS = nowS + Math.min(EXPIRATION_S.max, Math.max(EXPIRATION_S.min, expirationSeconds));
    const claims = { namespace, serviceaccount: { name: serviceAccount, uid: account.metadata.uid }, pod: { name: pod.name, uid: pod.uid } };
    const token = await new SignJWT({ "kubernetes.io": claims })
      .setProtectedHeader({ alg: ALGORITHM, kid: "eider" })
      .setIssuer(TOKEN_ISSUER)
      .setSubject(`system:serviceaccount:${namespace}:${serviceAccount}`)
      .setAudience([audience])
      .setIssuedAt(nowS)
      .setNotBefore(nowS)
      .setExpirationTime(expiresS)
      .setJti(newId())
      .sign(this.#privateKey());
    return { token, expiresAtWallMs: expiresS * 1000 };
  };

  /** Undefined for a token that is not ours, is for somebody else, is too old, or whose account or pod has gone. */
  async userOf(token: string): Promise<UserInfo | undefined> {
    const { client, clock } = this.#tools;
    const { jwtVerify } = await import("jose");
    const options = { issuer: TOKEN_ISSUER, audience: TOKEN_ISSUER, algorithms: [ALGORITHM], currentDate: new Date(clock.wallMs()) };
    const verified = await jwtVerify<Claims>(token, createPublicKey(this.#privateKey()), options).catch(() => undefined);
    const { namespace = "", serviceaccount, pod } = verified?.payload["kubernetes.io"] ?? {};
    if (serviceaccount?.name === undefined) return undefined;
    const account = await client().find(ServiceAccount, namespace, serviceaccount.name);
    if (account === undefined || account.metadata.uid !== serviceaccount.uid) return undefined;
    if (pod?.name !== undefined && (await client().find(Pod, namespace, pod.name))?.metadata.uid !== pod.uid) return undefined;
    const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
    const name = `system:serviceaccount:${namespace}:${serviceaccount.name}`;
    return { name, uid: account.metadata.uid, groups: [...groups, ...accessOf(account)] };
  }

  #privateKey(): KeyObject {
    this.#key ??= createPrivateKey(keyIn(this.#tools.keyFile));
    return this.#key;
  }
}

function accessOf({ metadata }: ServiceAccount): readonly string[] {
  const access = metadata.annotations?.[ACCESS_ANNOTATION];
  return access === "admin" ? ["system:masters"] : access === "view" ? [VIEWERS] : [];
}

function keyIn(file: string): string {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(`${file}.new`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  }
  return readFileSync(file, "utf8");
}

const READS: ReadonlySet<string> = new Set(["get", "list", "watch"]);

/** A GET of others is a command or a tunnel. */
const SEEN: ReadonlySet<string> = new Set(["", "status", "scale", "log"]);

type Attributes = Parameters<ApiServerOptions["authorize"]>[1];

/** The reason of a refusal, which Kubernetes leaves empty; undefined allows. Discovery and health are everybody's. */
export function mayUse({ groups }: UserInfo, { verb, resource, subresource, path }: Attributes): string | undefined {
  if (groups.includes("system:masters")) return undefined;
  if (path !== undefined && READS.has(verb) && !path.startsWith("/debug/") && !path.startsWith("/metrics")) return undefined;
  if (groups.includes(VIEWERS) && path === undefined && READS.has(verb) && resource !== "secrets" && SEEN.has(subresource)) return undefined;
  return "";
}
