// Entry file of the thread that makes certificates at a first start: what it loads for that is gone from memory when it ends.
import { parentPort, workerData } from "node:worker_threads";
import { servingCertificate } from "#host/certificates";

/** What the platform asks for. */
export interface CertificateWanted {
  readonly folder: string;
  readonly names: readonly string[];
  readonly nowMs: number;
}

if (parentPort === null) throw new Error("the certificate thread is started by the platform");
const { folder, names, nowMs } = workerData as CertificateWanted;
parentPort.postMessage(await servingCertificate(folder, names, nowMs));
