// Tokens of ServiceAccounts: minted for pods and for whoever asks, checked when somebody shows one, with a key of the data folder.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Client } from "#client";
import { badRequest, conflict, notFound, rfc3339, type Clock } from "#core";
import { Pod, Secret, ServiceAccount, type AskedAccess, type BoundObject, type TokenRequest } from "#kinds";
import type { MintToken } from "#runtimes";
import type { UserInfo } from "#schema";
import { MASTERS, mayUse, VIEWERS } from "./authorization.ts";

/** As kube-apiserver names itself; also the audience of tokens that are for the API. */
export const TOKEN_ISSUER = "https://kubernetes.default.svc.cluster.local";
/** On a ServiceAccount: what its tokens may do here, where there are no Roles. `admin`: all; `view`: read all but Secrets; default: nothing but discovery. */
const ACCESS_ANNOTATION = "eider.dev/api-access";
const USER_PREFIX = "system:serviceaccount:";
const ALGORITHM = "ES256";
/** As kube-apiserver: shorter is refused, longer is cut. */
const EXPIRATION_S = { min: 600, usual: 3_600, max: 2 ** 32 } as const;

interface Claims {
  readonly "kubernetes.io"?: {
    readonly namespace?: string;
    readonly serviceaccount?: { readonly name?: string; readonly uid?: string };
    readonly pod?: Named;
    readonly secret?: Named;
  };
}

interface Named {
  readonly name?: string;
  readonly uid?: string | undefined;
}

/** What a token is for, and what it lives no longer than. */
interface Wanted {
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly bound: { readonly pod?: Named; readonly secret?: Named };
}

/** Kinds of objects that a token can be bound to. */
const BINDABLE = { Pod: { kind: Pod, resource: "pods" }, Secret: { kind: Secret, resource: "secrets" } } as const;

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
    const account = await this.#tools.client().find(ServiceAccount, namespace, serviceAccount);
    if (account === undefined) throw new Error(`serviceaccounts "${serviceAccount}" not found`);
    return this.#sign(account, { audiences: [audience], expirationSeconds, bound: { pod: { name: pod.name, uid: pod.uid } } });
  };

  /** What `kubectl create token` asks for. Throws StatusErrors for what the token is to be bound to. */
  readonly answer = async (account: ServiceAccount, request: TokenRequest): Promise<TokenRequest> => {
    const { clock, newId } = this.#tools;
    const { name, namespace = "" } = account.metadata;
    const { boundObjectRef = null, audiences, expirationSeconds } = request.spec ?? {};
    const spec = { audiences: audiences?.length ? audiences : [TOKEN_ISSUER], expirationSeconds: expirationSeconds ?? EXPIRATION_S.usual, boundObjectRef };
    const bound = boundObjectRef === null ? {} : await this.#bound(namespace, boundObjectRef);
    const { token, expiresAtWallMs } = await this.#sign(account, { ...spec, bound });
    return {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace, uid: newId(), creationTimestamp: rfc3339(clock.wallMs()) },
      spec,
      status: { token, expirationTimestamp: rfc3339(expiresAtWallMs) },
    } as TokenRequest;
  };

  async #bound(namespace: string, { kind = "", apiVersion = "", name = "", uid = "" }: BoundObject): Promise<Wanted["bound"]> {
    if (apiVersion !== "v1" || !(kind === "Pod" || kind === "Secret")) {
      throw badRequest(`cannot bind token for serviceaccount to object with apiVersion ${JSON.stringify(apiVersion)} and kind ${JSON.stringify(kind)}`);
    }
    const { resource, kind: bindable } = BINDABLE[kind];
    const found = await this.#tools.client().find(bindable as typeof Pod, namespace, name);
    if (found === undefined) throw notFound({ group: "", resource }, name);
    if (uid !== "" && uid !== found.metadata.uid) {
      throw conflict(
        { group: "", resource: kind },
        name,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    }
    return { [kind.toLowerCase()]: { name, uid: found.metadata.uid } };
  }

  async #sign({ metadata: { name, namespace = "", uid } }: ServiceAccount, { audiences, expirationSeconds, bound }: Wanted): ReturnType<MintToken> {
    const { clock, newId } = this.#tools;
    const { SignJWT } = await import("jose");
    const nowS = Math.floor(clock.wallMs() / 1000);
    const expiresS = nowS + Math.min(EXPIRATION_S.max, Math.max(EXPIRATION_S.min, expirationSeconds));
    const token = await new SignJWT({ "kubernetes.io": { namespace, serviceaccount: { name, uid }, ...bound } })
      .setProtectedHeader({ alg: ALGORITHM, kid: "eider" })
      .setIssuer(TOKEN_ISSUER)
      .setSubject(`${USER_PREFIX}${namespace}:${name}`)
      .setAudience([...audiences])
      .setIssuedAt(nowS)
      .setNotBefore(nowS)
      .setExpirationTime(expiresS)
      .setJti(newId())
      .sign(this.#privateKey());
    return { token, expiresAtWallMs: expiresS * 1000 };
  }

  /** As `userOf` of the token that a header shows, if any. */
  userOfBearer(authorization = ""): Promise<UserInfo | undefined> | undefined {
    const [, bearer] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization) ?? [];
    return bearer === undefined ? undefined : this.userOf(bearer);
  }

  /** Undefined for a token that is not ours, is for somebody else, is too old, or whose account, pod or secret has gone. */
  async userOf(token: string): Promise<UserInfo | undefined> {
    const { client, clock } = this.#tools;
    const { jwtVerify } = await import("jose");
    const options = { issuer: TOKEN_ISSUER, audience: TOKEN_ISSUER, algorithms: [ALGORITHM], currentDate: new Date(clock.wallMs()) };
    const verified = await jwtVerify<Claims>(token, createPublicKey(this.#privateKey()), options).catch(() => undefined);
    const { namespace = "", serviceaccount, pod, secret } = verified?.payload["kubernetes.io"] ?? {};
    if (serviceaccount?.name === undefined) return undefined;
    const account = await client().find(ServiceAccount, namespace, serviceaccount.name);
    if (account === undefined || account.metadata.uid !== serviceaccount.uid) return undefined;
    if (pod?.name !== undefined && (await client().find(Pod, namespace, pod.name))?.metadata.uid !== pod.uid) return undefined;
    if (secret?.name !== undefined && (await client().find(Secret, namespace, secret.name))?.metadata.uid !== secret.uid) return undefined;
    const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
    const name = `${USER_PREFIX}${namespace}:${serviceaccount.name}`;
    return { name, uid: account.metadata.uid, groups: [...groups, ...accessOf(account)] };
  }

  /** Whether an account may do something here; one that is not there may nothing. */
  readonly mayAccount = async (
    account: { readonly namespace: string; readonly name: string },
    ask: Pick<AskedAccess, "verb" | "group" | "resource">,
  ): Promise<boolean> => {
    const asked = { version: "", subresource: "", namespace: "", name: "", ...ask };
    return (await this.refusal({ name: `${USER_PREFIX}${account.namespace}:${account.name}`, groups: [] }, asked)) === undefined;
  };

  /** As `mayUse`; of an account that is only named, as somebody asks about another, its own access counts as well. */
  readonly refusal = async (user: UserInfo, asked: AskedAccess): Promise<string | undefined> => {
    const [namespace, name] = user.name.startsWith(USER_PREFIX) ? user.name.slice(USER_PREFIX.length).split(":") : [];
    const account = namespace === undefined || name === undefined ? undefined : await this.#tools.client().find(ServiceAccount, namespace, name);
    return mayUse(account === undefined ? user : { ...user, groups: [...user.groups, ...accessOf(account)] }, asked);
  };

  #privateKey(): KeyObject {
    this.#key ??= createPrivateKey(keyIn(this.#tools.keyFile));
    return this.#key;
  }
}

function accessOf({ metadata }: ServiceAccount): readonly string[] {
  const access = metadata.annotations?.[ACCESS_ANNOTATION];
  return access === "admin" ? [MASTERS] : access === "view" ? [VIEWERS] : [];
}

function keyIn(file: string): string {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(`${file}.new`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  }
  return readFileSync(file, "utf8");
}
