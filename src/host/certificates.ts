// The platform's own certificate authority: made once, kept in the data folder; server certificates follow the host names.
import { X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface ServingCertificate {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const SERVER_DAYS = 365;
/** A server certificate is renewed at a start when less than this is left of it. */
const RENEW_MS = 60 * DAY_MS;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** What `folder` holds, if it is all there, covers `names` (DNS names and IP addresses) and is not about to expire. */
export function presentCertificate(folder: string, names: readonly string[], nowMs: number): ServingCertificate | undefined {
  const isThere = ["ca.crt", "ca.key", "server.crt", "server.key"].every((file) => existsSync(join(folder, file)));
  return isThere && covers(folder, names, nowMs) ? readCertificate(folder) : undefined;
}

/** The CA of `folder` (created when missing, so stable over restarts) and a server certificate by it for `names`, reused while it will do. */
export async function servingCertificate(folder: string, names: readonly string[], nowMs: number): Promise<ServingCertificate> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const present = presentCertificate(folder, names, nowMs);
  if (present !== undefined) return present;
  if (!existsSync(join(folder, "ca.crt")) || !existsSync(join(folder, "ca.key"))) await makeAuthority(folder, nowMs);
  await makeServer(folder, names, nowMs);
  return readCertificate(folder);
}

function readCertificate(folder: string): ServingCertificate {
  const read = (file: string): string => readFileSync(join(folder, file), "utf8");
  return { caPem: read("ca.crt"), certPem: read("server.crt"), keyPem: read("server.key") };
}

function covers(folder: string, names: readonly string[], nowMs: number): boolean {
  const certificate = new X509Certificate(readFileSync(join(folder, "server.crt")));
  const authority = new X509Certificate(readFileSync(join(folder, "ca.crt")));
  const named = names.every((name) => (isAddress(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined);
  return named && certificate.verify(authority.publicKey) && Date.parse(certificate.validTo) - nowMs > RENEW_MS;
}

// Needed at the first start and at renewals only: it is loaded then, not with the platform.
async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  // What the library wires itself with.
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

async function makeAuthority(folder: string, nowMs: number): Promise<void> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=eider-ca",
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + CA_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await save(folder, "ca", certificate.toString("pem"), keys.privateKey);
}

async function makeServer(folder: string, names: readonly string[], nowMs: number): Promise<void> {
  const x509 = await loadX509();
  const authority = new x509.X509Certificate(readFileSync(join(folder, "ca.crt"), "utf8"));
  const authorityKey = await importKey(readFileSync(join(folder, "ca.key"), "utf8"));
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: "CN=eider",
    issuer: authority.subject,
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + SERVER_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authorityKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((name) => ({ type: isAddress(name) ? "ip" : "dns", value: name }))),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  await save(folder, "server", certificate.toString("pem"), keys.privateKey);
}

async function save(folder: string, name: string, certificatePem: string, key: CryptoKey): Promise<void> {
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", key)).toString("base64");
  const keyPem = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/(.{64})(?=.)/g, "$1\n")}\n-----END PRIVATE KEY-----\n`;
  // The certificate comes last: where it is, its key is, too.
  replaceFile(join(folder, `${name}.key`), keyPem);
  replaceFile(join(folder, `${name}.crt`), `${certificatePem}\n`);
}

/** On disk before it has its name: an empty key after a power cut would lock everybody out. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}

function importKey(pem: string): Promise<CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  return crypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

function serialNumber(): string {
  // 16 bytes, positive (the first bit is 0), as RFC 5280 asks.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return Buffer.from(bytes).toString("hex");
}

function isAddress(name: string): boolean {
  return /^[0-9.]+$/.test(name) || name.includes(":");
}
