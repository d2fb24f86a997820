// Certificates for tests over loopback.
import type * as X509 from "@peculiar/x509";
import type { ListenOptions } from "./index.ts";

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

interface Identity {
  readonly key: string;
  readonly cert: string;
}

const newKeys = () => crypto.subtle.generateKey(EC, true, ["sign", "verify"]);

async function pem(x509: typeof X509, key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** A CA, a server's certificate for 127.0.0.1, and a client's. */
export async function identities(): Promise<{ tls: ListenOptions["tls"]; client: Identity; ca: string }> {
  // The library wants its polyfill to be there first.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const [caKeys, serverKeys, clientKeys] = await Promise.all([newKeys(), newKeys(), newKeys()]);
  const validity = { notBefore: new Date("2020-01-01"), notAfter: new Date("2099-01-01") };
  const basic = new x509.BasicConstraintsExtension(true, 1, true);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: "CN=ca",
    keys: caKeys,
    signingAlgorithm: EC,
    extensions: [basic],
    ...validity,
  });
  const issue = async (serialNumber: string, subject: string, publicKey: CryptoKey): Promise<string> => {
    const extensions = [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }])];
    return (
      await x509.X509CertificateGenerator.create({
        serialNumber,
        subject,
        issuer: ca.subject,
        publicKey,
        signingKey: caKeys.privateKey,
        signingAlgorithm: EC,
        extensions,
        ...validity,
      })
    ).toString("pem");
  };
  const caPem = ca.toString("pem");
  const tls = { key: await pem(x509, serverKeys.privateKey), cert: await issue("02", "CN=apiserver", serverKeys.publicKey), clientCa: caPem };
  return { tls, ca: caPem, client: { key: await pem(x509, clientKeys.privateKey), cert: await issue("03", "CN=ada,O=system:masters", clientKeys.publicKey) } };
}
