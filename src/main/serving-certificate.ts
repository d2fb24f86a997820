// The certificate that the API is served with: as it lies in the data folder, or made there by a thread.
import { Worker } from "node:worker_threads";
import { presentCertificate, type ServingCertificate } from "#host/certificates";
import type { CertificateWanted } from "./certificate-thread.ts";

/** Rejects with what the thread failed with. */
export async function servingCertificateOf(wanted: CertificateWanted): Promise<ServingCertificate> {
  const present = presentCertificate(wanted.folder, wanted.names, wanted.nowMs);
  if (present !== undefined) return present;
  const worker = new Worker(new URL(import.meta.resolve("#entry/certificate-thread")), { workerData: wanted });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the certificate thread ended without a word")));
  });
}
